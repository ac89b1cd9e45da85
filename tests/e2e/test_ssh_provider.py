"""Hosts that were there before podnet: a verified cluster on them, and afterwards each as it was found.

The tests are steps of one story and run in the order in which they stand.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from podnet.verify.check import PathKind
from podnet.verify.report import load

from .conftest import STACK, Clone
from .existing import USER, Existing, difference, machines

pytestmark = [pytest.mark.boxes, pytest.mark.faults]

NETWORK = "10.100.194"
NAMES = {"podnet-found-1": "master", "podnet-found-2": "node1", "podnet-found-3": "node2"}
"""The machines' own names, and what the cluster calls them."""


OF_ONE_KERNEL = ("sysctl kernel/panic", "sysctl vm/overcommit_memory")


@dataclass(frozen=True)
class Found:
    """The machines, by the name that the cluster has for each, and how each was before podnet came."""

    machines: dict[str, Existing]
    key: Path
    before: dict[str, dict[str, str]] = field(default_factory=dict)

    def nodes(self, *names: str) -> list[dict[str, Any]]:
        """Give the config's nodes."""
        return [
            {
                "name": name,
                "role": "control-plane" if name == "master" else "worker",
                "address": self.machines[name].address,
                "ssh": {"user": USER, "keyFile": str(self.key), "hostKey": self.machines[name].host_key},
            }
            for name in names
        ]


@pytest.fixture(scope="module")
def found(clone: Clone, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Found]:
    """Give machines that run, and a config that names them; nothing of podnet's is on them."""
    work = tmp_path_factory.mktemp("found")
    key = work / "id_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    public = (work / "id_ed25519.pub").read_text().strip()
    with machines(work, "podnet-found", NETWORK, list(NAMES), public) as made:
        yield Found({NAMES[name]: machine for name, machine in made.items()}, key)
        # Before the machines end: what is still up is taken down while they can be reached.
        clone.run("make down", check=False)


def configure(clone: Clone, nodes: list[dict[str, Any]]) -> None:
    clone.configure(provider="ssh", machineNetwork=f"{NETWORK}.0/24", gateway=f"{NETWORK}.1", nodes=nodes)


def test_a_cluster_on_hosts_that_were_there(clone: Clone, found: Found) -> None:
    for name, machine in found.machines.items():
        found.before[name] = machine.snapshot()
    configure(clone, found.nodes("master", "node1", "node2"))
    assert clone.passed(clone.run("make up").stdout)
    items = clone.kubectl("get nodes")["items"]
    assert {item["metadata"]["name"] for item in items} == set(found.machines)


def test_a_second_look_changes_nothing(clone: Clone, found: Found) -> None:
    assert found.before
    clone.sh(f"pulumi preview --stack {STACK} --expect-no-changes")


def test_this_machine_stands_for_the_outside_where_it_is_not_the_gateway(clone: Clone, found: Found) -> None:
    values = yaml.safe_load((clone.folder / f"Pulumi.{STACK}.yaml").read_text())["config"]
    values = {key.removeprefix("podnet:"): value for key, value in values.items()} | {"gateway": f"{NETWORK}.254"}
    (clone.folder / "elsewhere.json").write_text(json.dumps(values))
    done = clone.sh(f"python -m podnet verify --stack {STACK} --cluster elsewhere.json --format json")
    report = load(done.stdout)
    assert report.verdict == "passed: all 183 checks hold"
    tried = [result for result in report.results if result.scenario.path is PathKind.EGRESS]
    assert {result.seen for result in tried} == {machine.address for machine in found.machines.values()}
    assert all(result.id.endswith(f" -> outside ({NETWORK}.1)") for result in tried)


def test_ssh_knows_every_node_by_name(clone: Clone, found: Found) -> None:
    config = clone.state / "stacks" / STACK / "ssh_config"
    for name, machine in found.machines.items():
        command = ["ssh", "-F", str(config), name, "hostname"]
        assert subprocess.run(command, text=True, capture_output=True, check=True).stdout.strip() == machine.name


def test_the_subnet_of_the_control_plane_is_changed(clone: Clone, found: Found) -> None:
    """Its Node is recreated, by the name that the cluster has for it; its host has another one."""
    nodes = found.nodes("master", "node1", "node2")
    nodes[0]["podSubnet"] = "10.24.77.0/24"
    configure(clone, nodes)
    assert clone.passed(clone.run("make up").stdout)
    assert clone.kubectl("get node master")["spec"]["podCIDR"] == "10.24.77.0/24"
    assert clone.on("master", "kubeadm token list").stdout == "", "a token that outlives its join"


def test_a_bridge_that_is_somebody_s_is_refused_and_stays(clone: Clone, found: Found) -> None:
    """Also where the bridge is changed on a host that podnet has already."""
    found.machines["node1"].network("ip link add theirs0 type bridge")
    nodes = found.nodes("master", "node1", "node2")
    nodes[0]["podSubnet"] = "10.24.77.0/24"
    clone.configure(
        provider="ssh", machineNetwork=f"{NETWORK}.0/24", gateway=f"{NETWORK}.1", nodes=nodes, cni={"bridge": "theirs0"}
    )
    done = clone.sh(f"pulumi up --yes --skip-preview --stack {STACK}", check=False)
    assert done.returncode != 0
    assert "there is an interface theirs0 already" in done.stdout + done.stderr
    assert found.machines["node1"].network("ip -o link show theirs0")
    configure(clone, nodes)
    assert clone.passed(clone.run("make up").stdout)
    found.machines["node1"].network("ip link delete theirs0")


def test_a_host_that_is_taken_out_is_as_it_was_found(clone: Clone, found: Found) -> None:
    changed = difference(found.before["node2"], found.machines["node2"].snapshot())
    for kind in ("file /usr/local/bin/kubelet", "package iptables", "unit kubelet.service", "rules", "link cni0:"):
        assert [line for line in changed if line.startswith(kind)], kind
    configure(clone, found.nodes("master", "node1"))
    assert clone.passed(clone.run("make up").stdout)
    left = difference(found.before["node2"], found.machines["node2"].snapshot())
    # These hosts share one kernel, and the kubelets of the others go on setting it.
    assert [line for line in left if not line.startswith(OF_ONE_KERNEL)] == []
    assert {item["metadata"]["name"] for item in clone.kubectl("get nodes")["items"]} == {"master", "node1"}
    assert found.machines["node1"].network("ip route show proto 201").count("via") == 1


def test_down_leaves_every_host_as_it_was_found(clone: Clone, found: Found) -> None:
    clone.run("make down")
    for name, machine in found.machines.items():
        assert (name, "\n".join(difference(found.before[name], machine.snapshot()))) == (name, "")
    assert not (clone.state / "stacks" / STACK).exists()
