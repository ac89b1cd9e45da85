"""A changed node on a real kernel: what a refresh calls drift is gone after its repair, and all else is there."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from podnet import config
from podnet.commands.shell import Command
from podnet.observe import drift
from podnet.planning import plan
from podnet.verify.facts import WANTED, NodeFacts, read

from .node import Node, node

__all__ = ["node"]

PLAN = plan(config.from_stack_file(Path(__file__).parents[2] / "Pulumi.dev.yaml"))
NODE1 = PLAN.of("node1")


@pytest.fixture
def planned(node: Node) -> Node:
    """Give the node with every route that the plan has for it, and the pods' bridge."""
    node("ip link add cni0 type bridge; ip address add 10.22.2.1/24 dev cni0; ip link set cni0 up")
    node("ip route add default via 10.100.198.1")
    for route in NODE1.routes:
        (node.etc / "routes.d" / route.peer).write_text(f"{route}\n")
        (node.etc / "peers.d" / route.peer).write_text(f"{route.gateway}\n")
    node.converge()
    return node


def look(node: Node) -> NodeFacts:
    """Read the routes as they are; of all else nothing is seen."""
    shown = {"status": 0, "output": node(shlex.join(WANTED["programs"]["routes"])), "errors": ""}
    noted = {path.name: path.read_text() for path in (node.etc / "routes.d").iterdir()}
    return read("node1", {"programs": {"routes": shown}, "folders": {"routes.d": noted}})


def strays(node: Node) -> list[str]:
    """Say what a refresh calls drift of the routes."""
    said = drift.compare(PLAN, "node1", look(node)).drift
    return [line for line in said if line.startswith(("route to", "no-other-route"))]


def repair(node: Node) -> None:
    """Run what a repair does on the node."""
    run(node, drift.repairs(NODE1, drift.leaving(PLAN, look(node)))[-1])


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
        "default via 10.100.198.1 metric 7",
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


def test_what_cannot_go_is_said(planned: Node) -> None:
    add(planned, STRAYS[1])
    planned.breaks("ip", '"route del"*', 1)
    command = drift.repairs(NODE1, ())[-1]
    line = shlex.join(shlex.split(command.create)[1:])
    done = planned.run(line, command.stdin or "")
    assert done.returncode == 1
    assert "cannot remove the route 10.22.9.0/24 proto static via 10.100.198.209 dev eth0" in done.stderr
    planned(line, command.stdin or "")
    assert strays(planned) == []


def test_a_route_that_went_by_itself_is_no_error(planned: Node) -> None:
    """Between the look and the repair: here a program that removes it before it is asked to."""
    add(planned, STRAYS[1])
    planned("""cat > /usr/local/sbin/ip && chmod +x /usr/local/sbin/ip""",
            '#!/bin/sh\n[ "$1 $2" != "route del" ] || /sbin/ip "$@"\nexec /sbin/ip "$@"\n')  # fmt: skip
    repair(planned)
    assert strays(planned) == []


@pytest.mark.parametrize(
    "damage",
    [
        "sysctl -qw net.ipv4.ip_forward=0",
        "echo '{}' > /etc/cni/net.d/05-other.conf",
        "echo '{}' > /etc/cni/net.d/10-mynet.conflist",
        "nft add rule ip podnet postrouting ip saddr 10.22.2.0/24 masquerade",
        "rm -r /etc/podnet/routes.d/* /etc/podnet/peers.d/* /etc/podnet/masquerade.json",
    ],
)
def test_everything_else_is_as_planned_again(planned: Node, damage: str) -> None:
    repair(planned)
    shown = "sysctl net.ipv4.ip_forward; cat /etc/cni/net.d/*; nft list table ip podnet; cat /etc/podnet/routes.d/*"
    right = planned(shown)
    planned(damage)
    assert planned.run(shown).stdout != right
    repair(planned)
    assert planned(shown) == right
