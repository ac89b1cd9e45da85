"""Slow is not dead: how long a node is waited for, what is told meanwhile, and what is said in the end.

ssh is a script that runs what it is given on this machine; the agent is the real one.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from podnet import config
from podnet.errors import PodnetError
from podnet.observe import drift, sessions
from podnet.observe.access import Access, CannotLookError, bound, longest
from podnet.planning import ClusterPlan, plan

NODES = [
    {"name": "master", "role": "control-plane", "address": "10.9.0.10"},
    {"name": "node1", "role": "worker", "address": "10.9.0.11"},
]
PLAN = plan(
    config.load(
        "dev",
        {"machineNetwork": "10.9.0.0/24", "podSubnet": "10.22.0.0/16", "serviceSubnet": "10.96.0.0/16", "nodes": NODES},
    )
)
ANSWER = 'while read -r line; do echo "{}"; done'


class Told:
    """What was told."""

    def __init__(self) -> None:
        self.waits: list[str] = []

    def wait(self, what: str) -> None:
        self.waits.append(what)

    def count(self, made: int, total: int) -> None:
        raise AssertionError((made, total))

    def warn(self, what: str) -> None:
        raise AssertionError(what)


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Write a program in place of ssh or kubectl."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.delenv("PODNET_TIMEOUT", raising=False)

    def write(name: str, script: str) -> None:
        path = tmp_path / "bin" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    return write


FIRST = 'echo \'{"port": 7, "caller": ""}\''


async def _open(plan: ClusterPlan, told: Told, folder: Path) -> list[str]:
    async with sessions.sessions(plan, Access(folder), told) as nodes:
        return list(nodes)


def test_a_slow_node_is_waited_for_and_named(
    tool: Callable[[str, str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool("ssh", f"case $3 in node1) sleep 2;; esac; {FIRST}; exec cat > /dev/null")
    tool("kubectl", "sleep 1")
    monkeypatch.setattr(sessions, "NODE_TIMEOUT", 1)
    told = Told()
    with pytest.raises(CannotLookError) as caught:
        asyncio.run(_open(PLAN, told, tmp_path))
    assert str(caught.value) == (
        "node node1 (10.9.0.11) cannot be asked: no answer within 1 s, though its connection stands "
        "(PODNET_TIMEOUT=SECONDS waits longer)"
    )
    monkeypatch.setenv("PODNET_TIMEOUT", "60")
    told = Told()
    assert asyncio.run(_open(PLAN, told, tmp_path)) == ["master", "node1"]
    assert told.waits == [
        "master, node1, the API server to answer", "node1, the API server to answer", "node1 to answer",
    ]  # fmt: skip


def test_a_refresh_waits_for_a_slow_node_too(
    tool: Callable[[str, str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool("ssh", f"{FIRST}; sleep 2; echo '{{}}'; exec cat > /dev/null")
    monkeypatch.setattr(drift, "NODE_TIMEOUT", 1)
    with pytest.raises(CannotLookError, match=r"connection stands \(PODNET_TIMEOUT=SECONDS waits longer\)\. Where it"):
        asyncio.run(drift.look(PLAN, "node1", Access(tmp_path)))
    monkeypatch.setenv("PODNET_TIMEOUT", "60")
    found = asyncio.run(drift.look(PLAN, "node1", Access(tmp_path)))
    assert "bridge" in [line.partition(":")[0] for line in found.drift]  # it answered, and showed nothing
    assert any("the node gave no answer" in line for line in (*found.drift, *found.foreign))


def test_a_login_that_ends_says_why(tool: Callable[[str, str], None], tmp_path: Path) -> None:
    tool("ssh", "echo 'sudo: unable to resolve host' >&2; echo 'sudo: a password is required' >&2; exit 1")
    with pytest.raises(CannotLookError, match="cannot be asked: sudo: unable to resolve host; sudo: a password is req"):
        asyncio.run(drift.look(PLAN, "node1", Access(tmp_path)))
    tool("ssh", "exit 1")
    with pytest.raises(CannotLookError, match=r"cannot be asked: the login has ended\. Where"):
        asyncio.run(drift.look(PLAN, "node1", Access(tmp_path)))


def test_a_slow_api_server_says_how_to_wait_longer(
    tool: Callable[[str, str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = "net/http: request canceled (Client.Timeout exceeded while awaiting headers)"
    tool("kubectl", f"echo \"$@\" > {tmp_path}/words; echo '{slow}' >&2; exit 1")
    with pytest.raises(CannotLookError, match=r"headers\) \(PODNET_TIMEOUT=SECONDS waits longer\)$"):
        asyncio.run(Access(tmp_path).kubectl("get", "nodes"))
    assert "--request-timeout=10s" in (tmp_path / "words").read_text()
    monkeypatch.setenv("PODNET_TIMEOUT", "90")
    with pytest.raises(CannotLookError):
        asyncio.run(Access(tmp_path).require_api())
    assert "--request-timeout=90s" in (tmp_path / "words").read_text()


def test_where_a_login_came_from_is_told_by_the_agent(tool: Callable[[str, str], None], tmp_path: Path) -> None:
    tool("sudo", '[ "$1" = -n ]; shift; exec env -i PATH="$PATH" "$@"')  # which hands nothing on
    tool("ssh", 'SSH_CONNECTION="192.0.2.7 50000 10.9.0.11 22" exec sh -c "$4"')
    here = plan(config.load("dev", config.dump(PLAN.cluster)))
    node = next(each.node for each in here.nodes if each.node.name == "node1")
    on_loopback = replace(node, addresses=(type(node.address)("127.0.0.1"),))

    async def caller() -> str:
        async with sessions.session(on_loopback, Access(tmp_path)) as session:
            return session.caller

    assert asyncio.run(caller()) == "192.0.2.7"


def test_the_bound_is_only_made_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PODNET_TIMEOUT", raising=False)
    assert (bound(8), longest()) == (8, 600)
    monkeypatch.setenv("PODNET_TIMEOUT", "300")
    assert (bound(8), longest()) == (300, 1500)
    monkeypatch.setenv("PODNET_TIMEOUT", "5")
    assert (bound(8), longest()) == (8, 600)
    for wrong in ("-1", "a minute", "1e3", "9999999"):
        monkeypatch.setenv("PODNET_TIMEOUT", wrong)
        with pytest.raises(PodnetError, match=f"PODNET_TIMEOUT is '{wrong}'; expected a whole number of seconds"):
            bound(8)
