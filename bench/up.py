"""Time podnet's ``up`` from nothing to the verdict, and the same steps without Pulumi, in one run.

``make bench`` prints both, their ratio, the phases of the floor, and what a second ``preview``, ``up`` and the
``destroy`` take. It needs the box in the cache and root; it makes and removes a stack of its own, also where a step
fails. The stack is one like any other: what was left of it all the same, ``make down STACK=bench`` takes away.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from podnet import config
from podnet.commands import kubeadm, network, ssh, vagrant
from podnet.errors import PodnetError
from podnet.lifecycle.down import down
from podnet.lifecycle.engine import engine
from podnet.lifecycle.places import ROOT, places
from podnet.lifecycle.up import prepare_host
from podnet.lifecycle.workspace import Workspace
from podnet.model import Cluster
from podnet.node import cni, masquerade
from podnet.planning import plan
from podnet.program import run
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
    (folder / "service.sh").write_text(network.service().stdin or "")
    (folder / "init.yaml").write_text(kubeadm.init_config(planned.cluster))
    (folder / "cluster.json").write_text(json.dumps(config.dump(planned.cluster)))
    for each in planned.nodes:
        machine = vagrant.machine(planned.cluster, each.node)
        (folder / f"{each.node.name}.up").write_text(machine.create)
        (folder / f"{each.node.name}.machine").write_text(machine.stdin or "")
        (folder / f"{each.node.name}.conf").write_text(cni.conf(each.spec.cni, each.spec.pod_subnets))
        (folder / f"{each.node.name}.masquerade").write_text(masquerade.document(each.spec.masquerade))
        (folder / f"{each.node.name}.address").write_text(str(each.node.address))
        for route in each.routes:
            (folder / f"{route.node}-{route.peer}.route").write_text(f"{route}\n")
    deployment = workload.deployment(planned.cluster)
    kinds = [("apps/v1", "Deployment", deployment), ("v1", "Service", workload.service())]
    items = [{"apiVersion": version, "kind": kind, **body} for version, kind, body in kinds]
    (folder / "workload.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))


def _floor(environ: dict[str, str], stacks: Path) -> dict[str, float]:
    """Run the floor; seconds of each phase. What it makes is taken away again, also where it fails."""
    made = cluster()
    before = (vagrant.bridge(made), ssh.ssh_config(made), ssh.ssh_key(made), vagrant.folder(made))
    machines = [vagrant.machine(made, node) for node in made.nodes]

    left = []
    try:
        start = time.time()
        for command in before:
            run(["sh", "-c", command.create], env=environ, stdin=command.stdin or "")
        marks = _floor_script(environ, stacks)
    finally:
        for command in (*machines, *reversed(before)):
            try:
                run(["sh", "-c", command.delete or "true"], env=environ)
            except PodnetError as error:
                left.append(str(error))
        if left:
            raise PodnetError("\n".join(["the floor left something behind:", *left]))
    starts = [(start, "host"), *marks]
    return {name: after[0] - begun for (begun, name), after in itertools.pairwise(starts)}


def _floor_script(environ: dict[str, str], stacks: Path) -> list[tuple[float, str]]:
    """Run floor.sh; when each of its phases began, and its end."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_floor_files(folder)
        script = ["bash", str(ROOT / "bench/floor.sh"), str(stacks / STACK), name]
        with (folder / "phases").open("w") as phases:
            redirected = ["bash", "-c", f'exec 3>&{phases.fileno()}; exec "$@"', "bash", *script]
            done = subprocess.run(
                redirected, check=False, env=environ, pass_fds=[phases.fileno()], cwd=ROOT,
                stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
        lines = (folder / "phases").read_text().splitlines()
    if done.returncode:
        raise PodnetError(f"the floor failed in its phase {lines[-1].split()[1] if lines else 'none'}:\n{done.stderr}")
    return [(float(line.split()[0]), line.split()[1]) for line in lines]


def _podnet(environ: dict[str, str], arguments: list[str]) -> float:
    start = time.monotonic()
    command = ["pulumi", *arguments, "--stack", STACK, "--non-interactive"]
    done = subprocess.run(command, env=environ, cwd=ROOT, text=True, capture_output=True, check=False)
    if done.returncode:  # both: what went wrong with a resource is on standard output
        raise PodnetError(f"pulumi {arguments[0]} failed:\n{done.stdout[-4000:]}\n{done.stderr[-2000:]}")
    return time.monotonic() - start


@dataclass
class Stack:
    """What is asked of a stack beside ``pulumi``."""

    workspace: Workspace

    def ready(self) -> dict[str, str]:
        """Make what it needs, and the stack; the environment for it."""
        made = prepare_host(self.workspace)
        with engine(self.workspace, made) as pulumi:
            pulumi.add_stack()
        return self.workspace.variables(made)

    def down(self) -> bool:
        """Take all of it away; whether that succeeded."""
        return down(self.workspace)


def measure(stack: Stack, stack_file: Path, stacks: Path) -> tuple[dict[str, float], dict[str, float]]:
    """Time podnet and the floor: seconds of podnet's commands, and of the floor's phases.

    stack_file: the stack's description, which is made and goes away. stacks: the folder of the stacks' folders.
    PodnetError where the file is there already, where a step fails, or where something was left behind.
    """
    _claim(stack_file, stacks)
    try:
        environ = stack.ready()
    except BaseException:
        stack_file.unlink()  # nothing is up yet
        raise
    try:
        figures = {
            "up": _podnet(environ, ["up", "--yes", "--skip-preview"]),
            "preview, no change": _podnet(environ, ["preview", "--expect-no-changes"]),
            "up, no change": _podnet(environ, ["up", "--yes", "--skip-preview", "--expect-no-changes"]),
            "destroy": _podnet(environ, ["destroy", "--yes", "--skip-preview"]),
        }
        return figures, _floor(environ, stacks)
    finally:
        if not stack.down():
            raise PodnetError(f"{stack_file.name} stays: {_AWAY}; delete it then")
        stack_file.unlink()


def _claim(stack_file: Path, stacks: Path) -> None:
    """Write the stack's description. What a user or a killed benchmark has by that name stays as it is."""
    if (stacks / STACK).exists():
        raise PodnetError(f"there is a stack {STACK} already, and a benchmark makes its own: {_AWAY}")
    try:
        with stack_file.open("x") as file:
            json.dump({"config": {f"podnet:{key}": value for key, value in CONFIG.items()}}, file)
    except FileExistsError:
        found = f"there is a {stack_file.name} already, and a benchmark makes its own"
        raise PodnetError(f"{found}: move it away. Where a killed benchmark has left it, {_AWAY}") from None


_AWAY: Final = f"make down STACK={STACK} takes away what is up"


def main() -> None:
    """Run both and print the figures."""
    where = places(os.environ)
    stack = Stack(Workspace(STACK, where, Path(sys.executable)))
    try:
        figures, phases = measure(stack, ROOT / f"Pulumi.{STACK}.yaml", where.stacks)
    except PodnetError as error:
        said: BaseException | None = error
        while said is not None:  # what failed first stands behind what failed while it was undone
            print(f"podnet: {said}", file=sys.stderr)
            said = said.__context__
        sys.exit(1)
    floor = sum(phases.values())
    for name, seconds in figures.items():
        print(f"podnet {name}: {seconds:.1f} s")
    print(f"floor: {floor:.1f} s ({', '.join(f'{name} {seconds:.1f}' for name, seconds in phases.items())})")
    print(f"ratio up/floor: {figures['up'] / floor:.2f}")


if __name__ == "__main__":
    main()
