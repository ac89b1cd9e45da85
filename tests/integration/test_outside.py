"""What stands for the outside: three network namespaces in a row, podnet's machine, a node and a pod on it.

The login is replaced by a way into the node's namespace; the agent, the server, the masquerade and what stands between
are real.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import resource
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

from podnet import config
from podnet.observe.access import Access
from podnet.observe.outside import outside
from podnet.observe.sessions import agent_source, session
from podnet.planning import ClusterPlan, plan
from tests.conftest import require_root

from .test_agent import Namespace

ROOT = Path(__file__).parents[2]
HERE, NODE, OTHER, POD = "10.9.0.1", "10.9.0.11", "10.9.0.12", "10.22.12.2"
INSTEAD = "set podnet:outside to an address that answers TCP on port 7411 (docs/existing-machines.md)"
BETWEEN = "(a bastion or a translation between)"
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBgHdKO9q5rqXkqHwrwcHeMVXCCIBwKsTzsx6zMJ2mL8"


@dataclass(frozen=True)
class Row:
    """The three, and a folder with an ssh that leads into the node."""

    here: Namespace
    node: Namespace
    pod: Namespace
    folder: Path

    def tried(self, caller: str = HERE, *, files: bool = True, **values: Any) -> dict[str, Any]:
        """Give the outside of the node's pods as podnet found it, and what a pod then saw there."""
        self.ssh(caller)
        words = {"folder": str(self.folder), "values": values, "pod": self.pod.pid, "files": files}
        command = self.here.enter(sys.executable, "-m", "tests.integration.test_outside", json.dumps(words))
        environ = os.environ | {"PATH": f"{self.folder}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, env=environ, text=True, capture_output=True, check=False, cwd=ROOT, timeout=60)
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def ssh(self, caller: str) -> None:
        connection = f"{caller} 50000 {NODE} 22" if caller else ""
        path = self.folder / "ssh"
        path.write_text(
            f'#!/bin/sh\nexec nsenter --net --target {self.node.pid} env SSH_CONNECTION="{connection}" sh -c "$4"\n'
        )
        path.chmod(0o755)


@pytest.fixture
def row(tmp_path: Path) -> Iterator[Row]:
    """Give the three, with podnet's masquerade on the node, and no way from here to a pod."""
    require_root("namespaces")
    here, node, pod = spaces = (Namespace(), Namespace(), Namespace())
    try:
        _join(here, f"{HERE}/24", node, f"{NODE}/24", "eth0")
        _join(node, "10.22.12.1/24", pod, f"{POD}/24", "eth1")
        pod("ip", "route", "add", "default", "via", "10.22.12.1")
        node("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
        node("nft", "add table ip podnet")
        node("nft", "add chain ip podnet out { type nat hook postrouting priority srcnat; }")
        node("nft", "add rule ip podnet out ip saddr 10.22.12.0/24 ip daddr != 10.22.0.0/16 masquerade")
        yield Row(here, node, pod, tmp_path)
    finally:
        for each in spaces:
            each.close()


def _join(one: Namespace, address: str, other: Namespace, its: str, device: str) -> None:
    one("ip", "link", "add", "veth0", "type", "veth", "peer", "name", device, "netns", str(other.pid))
    one("ip", "address", "add", address, "dev", "veth0")
    other("ip", "address", "add", its, "dev", device)
    for space, name in ((one, "veth0"), (one, "lo"), (other, device), (other, "lo")):
        space("ip", "link", "set", name, "up")


def planned(**values: Any) -> ClusterPlan:
    login = {"user": "admin", "agent": True, "hostKey": HOST_KEY}
    nodes: list[dict[str, Any]] = [
        {"name": "master", "role": "control-plane", "address": "10.9.0.10", "ssh": login},
        {"name": "node1", "role": "worker", "address": NODE, "podSubnet": "10.22.12.0/24", "ssh": login},
    ]
    given: dict[str, Any] = {
        "provider": "ssh",
        "machineNetwork": "10.9.0.0/24",
        "gateway": "10.9.0.254",
        "podSubnet": "10.22.0.0/16",
        "serviceSubnet": "10.96.0.0/16",
        **values,
    }
    if given["provider"] != "ssh":
        nodes = [{key: value for key, value in node.items() if key != "ssh"} for node in nodes]
    return plan(config.load("dev", {**given, "nodes": nodes}))


async def _try(folder: Path, pod: int, *, files: bool, values: dict[str, Any]) -> dict[str, Any]:
    """Run here: look for the outside, and let the pod try it while it is there."""
    plan = planned(**values)
    async with session(plan.of("node1").node, Access(folder)) as agent:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if not files:
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
        taken = [] if files else list(_all_files())
        async with outside(plan, {"node1": agent}) as found:
            for each in taken:
                os.close(each)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            there = found["node1"]
            probe = {"id": "x", "action": "tcp", "address": there.endpoint.address, "port": there.port}
            seen = {} if there.untried else await _from_pod(pod, probe)
    return {**asdict(there), "address": there.endpoint.address, "pod": seen}


def _all_files() -> Iterator[int]:
    with contextlib.suppress(OSError):
        while True:
            yield os.open("/dev/null", os.O_RDONLY)


async def _from_pod(pid: int, probe: dict[str, Any]) -> dict[str, Any]:
    command = ["nsenter", "--net", "--target", str(pid), sys.executable, "-c", agent_source(), "probe"]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate(json.dumps([probe]).encode())
    found: list[dict[str, Any]] = json.loads(output)
    return found[0]


def test_where_the_login_came_from_stands_for_the_outside(row: Row) -> None:
    found = row.tried()
    assert (found["untried"], found["address"], found["seen"]) == ("", HERE, NODE)
    assert (found["pod"]["ok"], found["pod"]["source"]) == (True, NODE)


def test_a_pod_that_is_not_masqueraded_is_seen_as_itself(row: Row) -> None:
    row.node("nft", "delete table ip podnet")
    row.here("ip", "route", "add", "10.22.0.0/16", "via", NODE)
    found = row.tried()
    assert (found["untried"], found["seen"], found["pod"]["source"]) == ("", NODE, POD)


@pytest.mark.parametrize("provider", ["ssh", "lxc"])
def test_the_gateway_does_where_this_machine_has_it(row: Row, provider: str) -> None:
    # The login came from elsewhere: it is not even looked at.
    found = row.tried("10.9.0.77", provider=provider, gateway=HERE)
    assert (found["untried"], found["address"], found["pod"]["source"]) == ("", HERE, NODE)


def test_boxes_have_their_gateway_or_nothing(row: Row) -> None:
    found = row.tried(provider="lxc")
    why = "cannot answer at 10.9.0.254, the gateway: Cannot assign requested address"
    assert (found["address"], found["untried"]) == ("10.9.0.254", f"the machine that runs podnet {why}")


def test_no_more_files_can_be_opened(row: Row) -> None:
    found = row.tried(provider="lxc", gateway=HERE, files=False)
    assert found["untried"].endswith("the gateway: Too many open files")


def test_a_firewall_here_is_told_from_a_masquerade_that_fails(row: Row) -> None:
    row.here("nft", "add table ip t")
    row.here("nft", "add chain ip t in { type filter hook input priority 0; policy drop; }")
    said = row.tried()["untried"]
    there = rf"node1 does not reach {HERE}:\d+, on the machine that runs podnet: timed out"
    assert re.fullmatch(rf"{there} \(a firewall, or a bastion between\); {re.escape(INSTEAD)}", said)


@pytest.mark.parametrize(
    ("caller", "why"),
    [
        ("10.9.0.77", "where the machine that runs podnet cannot answer: Cannot assign requested address " + BETWEEN),
        ("10.9.0.10", "which is a node"),
        ("10.22.77.1", "which is in the cluster's own ranges"),
        ("10.96.0.1", "which is in the cluster's own ranges"),
        ("127.0.0.1", "which is in 127.0.0.0/8, loopback (RFC 1122)"),
        ("fd00::1", "which is no IPv4 address"),
    ],
)  # fmt: skip
def test_a_login_from_where_no_outside_can_be(row: Row, caller: str, why: str) -> None:
    found = row.tried(caller)
    assert found["untried"] == f"the login came from {caller}, {why}; {INSTEAD}"


def test_a_login_that_does_not_say_where_it_came_from(row: Row) -> None:
    found = row.tried("")
    assert (found["address"], found["untried"]) == ("", f"nobody knows where the login came from; {INSTEAD}")


def test_what_translates_nodes_too_proves_nothing(row: Row) -> None:
    row.node("ip", "address", "add", f"{OTHER}/24", "dev", "eth0")
    row.node("nft", "add chain ip podnet every { type nat hook postrouting priority srcnat - 5; }")
    row.node("nft", f"add rule ip podnet every ip daddr {HERE} snat to {OTHER}")
    said = row.tried()["untried"]
    sees = rf"{HERE}:\d+ sees node1 as {OTHER}, and not as its own {NODE}: something between translates"
    assert re.fullmatch(rf"{sees}; {re.escape(INSTEAD)}", said)


def test_the_config_may_name_one(row: Row) -> None:
    row.here("ip", "address", "add", "198.51.100.7/32", "dev", "lo")
    row.node("ip", "route", "add", "198.51.100.7/32", "via", HERE)
    refused = row.tried(outside="198.51.100.7")["untried"]
    assert refused == (
        "node1 does not reach 198.51.100.7:7411, which podnet:outside names: Connection refused "
        "(docs/existing-machines.md says what has to answer there)"
    )
    command = row.here.enter(sys.executable, str(ROOT / "podnet/verify/agent.py"), "serve", "7411")
    with subprocess.Popen(command, stdout=subprocess.PIPE) as serving:
        assert serving.stdout is not None
        serving.stdout.readline()
        found = row.tried(outside="198.51.100.7")
        serving.terminate()
    assert (found["untried"], found["address"], found["pod"]["source"]) == ("", "198.51.100.7", NODE)


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    tried = _try(Path(given["folder"]), given["pod"], files=given["files"], values=given["values"])
    print(json.dumps(asyncio.run(tried)))
