"""Stray routes on a real kernel: what a refresh calls drift is gone after its repair, and everything else is there."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from podnet import config
from podnet.commands.shell import Command
from podnet.observe import drift
from podnet.planning import plan
from podnet.render import network
from podnet.verify.facts import KEPT, NodeFacts, read

from .node import Node, node

__all__ = ["node"]

PLAN = plan(config.from_stack_file(Path(__file__).parents[2] / "Pulumi.dev.yaml"))
NODE1 = PLAN.of("node1")


@pytest.fixture
def planned(node: Node) -> Node:
    """Give the node with every route that the plan has for it, and the pods' bridge."""
    node("ip link add cni0 type bridge; ip address add 10.22.2.1/24 dev cni0; ip link set cni0 up")
    node("cat > /etc/sysctl.d/90-podnet.conf", "net.ipv4.ip_forward = 1\n")
    for route in NODE1.routes:
        (node.etc / "routes.d" / route.peer).write_text(network.route(route))
    node.converge()
    return node


def look(node: Node) -> NodeFacts:
    """Read the routes as they are; of all else nothing is seen."""
    shown = {"status": 0, "output": node("ip -json -4 route show"), "errors": ""}
    kept = {path.name: path.read_text() for path in (node.etc / "routes.d").iterdir()}
    return read("node1", {"programs": {"routes": shown}, "folders": {"kept": kept}})


def strays(node: Node) -> list[str]:
    """Say what a refresh calls drift of the routes."""
    said = drift.compare(PLAN, "node1", look(node)).drift
    return [line for line in said if line.startswith(("route to", "no-other-route"))]


def repair(node: Node) -> None:
    """Run what a repair does about routes."""
    for command in drift.repairs(PLAN, NODE1, look(node)):
        if " tidy " in command.create or " route " in command.create:
            run(node, command)


def run(node: Node, command: Command) -> None:
    words = shlex.split(command.create)
    assert words[0] == "sudo"
    node(shlex.join(words[1:]), command.stdin or "")


STRAYS = [
    "10.22.0.0/16 via 10.100.198.200",
    "10.22.9.0/24 via 10.100.198.209 proto static",
    "10.22.3.128/25 via 10.100.198.200",
    "10.22.3.0/24 via 10.100.198.202 metric 5",
    "10.22.3.0/24 via 10.100.198.209 metric 5 proto bird",
    "10.22.9.0/24 dev cni0",
    "10.22.2.128/25 dev cni0 proto static",
    "10.22.2.7 dev cni0",
    "10.22.2.0/24 via 10.22.2.9 metric 7",
    "blackhole 10.22.9.0/24",
    "unreachable 10.22.3.7",
    "10.22.9.0/24 tos 0x10 via 10.100.198.209",
    "10.22.9.0/24 nexthop via 10.100.198.209 nexthop via 10.100.198.210",
    "10.22.9.0/24 nhid 7",
    "10.22.9.0/24 via 10.100.198.209 proto 201",
    "10.22.3.0/24 metric 5 proto 201 nexthop via 10.100.198.202 nexthop via 10.100.198.210",
    "10.0.0.0/8 via 10.100.198.1 proto 201",
]


def add(node: Node, route: str) -> None:
    node(f"ip nexthop replace id 7 via 10.100.198.209 dev eth0; ip route add {route}")


@pytest.mark.parametrize("stray", STRAYS)
def test_a_stray_route_is_drift_and_repaired(planned: Node, stray: str) -> None:
    right = planned("ip route")
    assert strays(planned) == []
    add(planned, stray)
    assert strays(planned)
    repair(planned)
    assert strays(planned) == []
    assert planned("ip route") == right


def test_all_of_them_at_once(planned: Node) -> None:
    right = planned("ip route")
    for stray in STRAYS:
        planned(f"ip nexthop replace id 7 via 10.100.198.209 dev eth0; ip route append {stray}")
    repair(planned)
    assert strays(planned) == []
    assert planned("ip route") == right


@pytest.mark.parametrize(
    "other",
    [
        "default via 10.100.198.1",
        "10.0.0.0/8 via 10.100.198.1",
        "10.22.0.0/15 via 10.100.198.1 proto static",
        "unreachable 10.16.0.0/12",
        "192.0.2.0/24 via 10.100.198.1",
    ],
)
def test_a_route_that_takes_no_pod_s_packet_is_neither(planned: Node, other: str) -> None:
    planned(f"ip route add {other}")
    right = planned("ip route")
    assert strays(planned) == []
    repair(planned)
    assert planned("ip route") == right


def test_the_way_to_a_node_that_is_being_taken_away_stays(planned: Node) -> None:
    """An `up` was cut off before it took the node away: the plan has it no longer, its route's resource is there."""
    assert KEPT.endswith("routes.d")
    (planned.etc / "routes.d" / "node7").write_text("10.22.7.0/24 via 10.100.198.207\n")
    planned.converge()
    right = planned("ip route")
    assert strays(planned) == []
    add(planned, STRAYS[1])
    assert len(strays(planned)) == 1
    repair(planned)
    assert planned("ip route") == right


@pytest.mark.parametrize(
    "damage",
    [
        "ip link set cni0 mtu 1400",
        "ip address add 10.22.2.99/24 dev cni0",
        "ip address add 192.0.2.1/24 dev cni0",
        "ip address del 10.22.2.1/24 dev cni0",
        "ip address del 10.22.2.1/24 dev cni0 && ip address add 10.22.2.99/24 dev cni0",
    ],
)
def test_a_changed_bridge_is_as_planned_again(planned: Node, damage: str) -> None:
    shown = "ip -oneline link show dev cni0; ip -4 -oneline address show dev cni0; ip route show dev cni0"
    right = planned(shown)
    planned(damage)
    assert planned(shown) != right
    repair(planned)
    assert planned(shown) == right


def test_without_a_bridge_nothing_is_made(planned: Node) -> None:
    """The plugin makes it, with the node's first pod."""
    planned("ip link delete cni0")
    repair(planned)
    assert "cni0" not in planned("ip link")


def test_a_route_that_went_by_itself_is_no_error_and_one_that_cannot_go_is(planned: Node) -> None:
    (tidy,) = [one for one in drift.repairs(PLAN, NODE1, look(planned)) if " tidy " in one.create]
    line = shlex.join(shlex.split(tidy.create)[1:])
    planned(line, "10.22.9.0/24 proto boot via 10.100.198.209 dev eth0\n")
    done = planned.run(line, "10.22.9.0/24 dev nowhere0\n")
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last == 'these routes cannot be removed: 10.22.9.0/24 dev nowhere0: Cannot find device "nowhere0"'
