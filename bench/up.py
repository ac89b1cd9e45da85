"""Time podnet's ``up`` from nothing to the verdict, and the same steps without Pulumi, in one run.

``make bench`` prints both, their ratio, the phases of the floor, and what a second ``preview``, ``up`` and the
``destroy`` take. It needs the box in the cache and root; it makes and removes a stack of its own.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from lab import environment
from lab.lab import Lab, forget_salt
from podnet import config
from podnet.commands import host, network
from podnet.model import Cluster
from podnet.planning import plan
from podnet.render import cni, kubeadm
from podnet.render import network as rules
from podnet.resources import workload

STACK = "bench"
CONFIG: dict[str, object] = {
    "machineNetwork": "10.100.196.0/24",
    "podSubnet": "10.25.0.0/16",
    "serviceSubnet": "10.98.0.0/16",
    "nodes": [
        {"name": "master", "role": "control-plane", "address": "10.100.196.200"},
        {"name": "node1", "role": "worker", "address": "10.100.196.201"},
        {"name": "node2", "role": "worker", "address": "10.100.196.202"},
    ],
}


def cluster() -> Cluster:
    """The cluster that is timed: three nodes, networks of its own."""
    return config.load(STACK, CONFIG)


def _write_floor_files(folder: Path) -> None:
    planned = plan(cluster())
    options = planned.cluster.cni
    (folder / "service.sh").write_text(network.service().stdin or "")
    (folder / "init.yaml").write_text(kubeadm.init_config(planned.cluster))
    (folder / "cluster.json").write_text(json.dumps(config.dump(planned.cluster)))
    for each in planned.nodes:
        machine = host.machine(planned.cluster, each.node)
        (folder / f"{each.node.name}.machine").write_text(machine.stdin or "")
        (folder / f"{each.node.name}.conf").write_text(cni.net_conf(each.net_conf, options))
        (folder / f"{each.node.name}.nft").write_text(rules.masquerade(each.masquerade))
        for route in each.routes:
            (folder / f"{route.node}-{route.peer}.route").write_text(rules.route(route))
    deployment = workload.deployment(planned.cluster)
    kinds = [("apps/v1", "Deployment", deployment), ("v1", "Service", workload.service())]
    items = [{"apiVersion": version, "kind": kind, **body} for version, kind, body in kinds]
    (folder / "workload.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))


def _floor(environ: dict[str, str], stacks: Path) -> dict[str, float]:
    """Run the floor; seconds of each phase."""
    made = cluster()

    def run(line: str, stdin: str | None = None) -> None:
        subprocess.run(["sh", "-c", line], check=True, env=environ, input=stdin, text=True, stdout=subprocess.DEVNULL)

    with tempfile.TemporaryDirectory() as folder:
        _write_floor_files(Path(folder))
        read, write = os.pipe()
        start = time.time()
        for command in (host.network(made), host.ssh_config(made), host.ssh_key(made), host.vagrant_folder(made)):
            run(command.create, command.stdin)
        script = ["bash", str(environment.ROOT / "bench/floor.sh"), str(stacks / STACK), folder]
        redirected = ["bash", "-c", f'exec 3>&{write}; exec "$@"', "bash", *script]
        subprocess.run(redirected, check=True, env=environ, pass_fds=[write], cwd=environment.ROOT)
        os.close(write)
        with os.fdopen(read) as pipe:
            marks = [(float(line.split()[0]), line.split()[1]) for line in pipe]
    starts = [(start, "host"), *marks]
    phases = {name: after[0] - begun for (begun, name), after in itertools.pairwise(starts)}
    for node in made.nodes:
        run(host.machine(made, node).delete or "true")
    for command in (host.network(made), host.vagrant_folder(made), host.ssh_key(made), host.ssh_config(made)):
        run(command.delete or "true")
    return phases


def _podnet(environ: dict[str, str], arguments: list[str]) -> float:
    start = time.monotonic()
    command = ["pulumi", *arguments, "--stack", STACK, "--non-interactive"]
    done = subprocess.run(command, env=environ, cwd=environment.ROOT, text=True, capture_output=True, check=False)
    if done.returncode:
        sys.exit(f"pulumi {arguments[0]} failed:\n{done.stdout[-4000:]}\n{done.stderr[-2000:]}")
    return time.monotonic() - start


def main() -> None:
    """Run both and print the figures."""
    stack_file = environment.ROOT / f"Pulumi.{STACK}.yaml"
    with tempfile.TemporaryDirectory() as folder:
        where = environment.places(os.environ | {"PODNET_STATE": folder})
        lab = Lab(STACK, where, Path(sys.executable))
        stack_file.write_text(json.dumps({"config": {f"podnet:{key}": value for key, value in CONFIG.items()}}))
        try:
            environ = lab.ready()
            figures: dict[str, Any] = {"up": _podnet(environ, ["up", "--yes", "--skip-preview"])}
            figures["preview, no change"] = _podnet(environ, ["preview", "--expect-no-changes"])
            figures["up, no change"] = _podnet(environ, ["up", "--yes", "--skip-preview", "--expect-no-changes"])
            figures["destroy"] = _podnet(environ, ["destroy", "--yes", "--skip-preview"])
            phases = _floor(environ, where.stacks)
        finally:
            forget_salt(stack_file)
            stack_file.unlink()
    floor = sum(phases.values())
    for name, seconds in figures.items():
        print(f"podnet {name}: {seconds:.1f} s")
    print(f"floor: {floor:.1f} s ({', '.join(f'{name} {seconds:.1f}' for name, seconds in phases.items())})")
    print(f"ratio up/floor: {figures['up'] / floor:.2f}")


if __name__ == "__main__":
    main()
