"""The reconciler on a real kernel: what it sets, repairs and takes away, and what it says where it cannot."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from podnet.node import reconcile

from .node import LIBRARY, Node, node

__all__ = ["node"]

CONNECT = "import socket; socket.create_connection(('10.96.0.1', 443), timeout=1)"


def test_sets_route_and_rules(node: Node) -> None:
    node.converge()
    assert node("ip route show proto 201").split() == ["10.22.3.0/24", "via", "10.100.198.202", "dev", "eth0"]
    table = node("nft list table ip podnet")
    assert "ip saddr 10.22.2.0/24 ip daddr != @non_masquerade" in table
    assert "10.22.0.0/16" in table
    assert "10.100.198.202" in table


def test_a_second_run_does_nothing(node: Node) -> None:
    assert node.converge()
    assert node.converge() == ""


@pytest.mark.parametrize(
    "damage",
    [
        "ip route del 10.22.3.0/24",
        "ip route replace 10.22.3.0/24 via 10.100.198.250 proto 201",
        "nft delete table ip podnet",
        "nft flush chain ip podnet postrouting",
        "nft delete element ip podnet non_masquerade { 10.100.198.202 }",
        "ip route add 10.22.9.0/24 via 10.100.198.209 proto 201",
    ],
)
def test_heals(node: Node, damage: str) -> None:
    node.converge()
    right = node("ip route; nft list ruleset")
    node(damage)
    assert node("ip route; nft list ruleset") != right
    node.converge()
    assert node("ip route; nft list ruleset") == right


def test_heals_a_flap_of_the_interface(node: Node) -> None:
    """The kernel drops every route by an interface that goes down, the default one too."""
    node("ip route add default via 10.100.198.1; ip -4 route show default > /run/podnet/default-route")
    node.converge()
    right = node("ip route")
    node("ip link set eth0 down; ip link set eth0 up")
    assert "via" not in node("ip route")
    node.converge()
    assert sorted(node("ip route").splitlines()) == sorted(right.splitlines())


def test_heals_a_default_route_that_leads_elsewhere(node: Node) -> None:
    node("ip route add default via 10.100.198.1; ip -4 route show default > /run/podnet/default-route")
    node.converge()
    right = node("ip route")
    node("ip route replace default via 10.100.198.9")
    node.converge()
    assert node("ip route") == right
    node("ip route add default via 10.100.198.9 metric 5")  # for when the first is gone: nobody's way
    assert node.converge() == ""


def test_sets_no_default_route_of_its_own(node: Node) -> None:
    node.converge()
    assert node("ip route show default") == ""


def test_leaves_the_routes_of_others_alone(node: Node) -> None:
    node("ip route add 192.0.2.0/24 via 10.100.198.1 proto static")
    node.converge()
    assert "192.0.2.0/24" in node("ip route")


def test_takes_away_what_nobody_wants(node: Node) -> None:
    node.converge()
    (node.etc / "routes.d" / "node2").unlink()
    (node.etc / "masquerade.json").unlink()
    node.converge()
    assert node("ip route show proto 201") == ""
    assert "podnet" not in node("nft list ruleset")


def test_refuses_a_service_that_nobody_serves(node: Node) -> None:
    """A packet to it would be lost outside, and whoever sent it would wait half a minute."""
    node("ip route add default via 10.100.198.1")
    node.converge()
    pod = node.pod("10.22.2.2")
    try:
        connect = f"""nsenter --net --target {pod.pid} python3 -c "{CONNECT}" 2>&1 | tail -n 1"""
        assert "ConnectionRefusedError" in node(connect)
        node("nft flush chain ip podnet forward")
        assert "ConnectionRefusedError" not in node(connect)
    finally:
        pod.terminate()
        pod.wait()


@pytest.mark.parametrize("name", ["node0", "node9"], ids=["first", "last"])
def test_all_else_stands_though_a_route_cannot(node: Node, name: str) -> None:
    bad = node.etc / "routes.d" / name
    bad.write_text("10.22.9.0/24 via 192.0.2.1\n")
    for _ in range(2):
        said = node.fails()
        assert "cannot set the route 10.22.9.0/24 via 192.0.2.1: Error: Nexthop has invalid gateway." in said
        assert "masquerade" in node("nft list table ip podnet")
        assert "10.22.3.0/24 via 10.100.198.202" in node("ip route show proto 201")
    bad.unlink()
    node.converge()
    assert node.converge() == ""


@pytest.mark.parametrize(
    ("damage", "program", "arguments", "said"),
    [
        ("nft delete table ip podnet", "nft", '"-f "*', "cannot set the masquerade: nft: killed by the test"),
        (
            "nft delete table ip podnet",
            "nft",
            '*"list table ip "*',
            "list table ip podnet: nft: killed by the test",
        ),
        ("rm /etc/podnet/masquerade.json", "nft", '"delete table"*', "cannot remove the masquerade: nft: killed"),
        ("ip route del 10.22.3.0/24", "ip", '*"route replace"*"10.22.3.0/24"*', "cannot set the route 10.22.3.0/24"),
        ("ip route del 10.22.3.0/24", "ip", '"-json -4 route show"*', "ip -json -4 route show: ip: killed by the test"),
        ("ip route add 10.22.0.0/24 dev eth0 proto 201", "ip", '*"route del"*', "cannot remove the route 10.22.0.0"),
        ("ip link set cni0 down", "ip", '"link set cni0 up"', "cannot set cni0 up: ip: killed by the test"),
    ],
)
def test_what_has_failed_is_said_and_tried_again(
    node: Node, damage: str, program: str, arguments: str, said: str
) -> None:
    """Whatever fails, the rest is healed in the same run, and what failed in the first run in which it works."""
    node("ip link add cni0 type bridge; ip link set cni0 up; echo cni0 > /etc/podnet/bridge")
    node.converge()
    (node.etc / "routes.d" / "node4").write_text("10.22.5.0/24 via 10.100.198.204\n")
    node(damage)
    node.breaks(program, arguments, 2)
    for _ in range(2):
        assert said in node.fails()
        if "route show" not in said:
            assert "10.22.5.0/24" in node("ip route show proto 201")
    node.converge()
    assert node.converge() == ""
    (node.bin / program).unlink()
    assert node("ip link show dev cni0 up")
    assert node("ip -o -4 route show proto 201 | cut -d' ' -f1").split() == ["10.22.3.0/24", "10.22.5.0/24"]
    assert ("masquerade" in node("nft list ruleset")) is not damage.startswith("rm")


def test_the_resource_fails_with_it(node: Node) -> None:
    rules = (node.etc / "masquerade.json").read_text()
    node.breaks("nft", '"-f "*', 1)
    done = node.run(f"{LIBRARY}/podnet-node masquerade", rules)
    assert (done.returncode, "cannot set the masquerade" in done.stderr) == (1, True)
    node(f"{LIBRARY}/podnet-node masquerade", rules)
    assert "masquerade" in node("nft list table ip podnet")
    done = node.run(f"{LIBRARY}/podnet-node route node0", "10.22.9.0/24 via 192.0.2.1\n")
    assert done.returncode == 1
    assert "cannot set the route 10.22.9.0/24 via 192.0.2.1" in done.stderr


def test_a_run_that_never_ends_is_not_waited_for_for_ever(node: Node) -> None:
    """The bound is a second here; that podnet's own is no more than a minute is asserted beside."""
    assert reconcile.LOCK_TIMEOUT == 60
    lock = Path(str(node.etc).removesuffix("etc/podnet")) / "run/podnet/lock"
    program = "from podnet.node import reconcile, __main__; reconcile.LOCK_TIMEOUT = 1; __main__.main(['reconcile'])"
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = node.run(f'PYTHONPATH={LIBRARY} python3 -S -c "{program}"')
    assert "/run/podnet/lock has been held for 1 s by another podnet-node" in done.stderr


@pytest.mark.parametrize(
    "stray",
    [
        "10.22.3.0/24 via 10.100.198.202 metric 5",
        "10.22.9.0/24 dev eth0",
        "blackhole 10.22.9.0/24",
        "10.22.9.0/24 via 10.100.198.209 metric 5 mtu 1400",
        "10.22.9.0/24 proto 201 nexthop via 10.100.198.209 nexthop via 10.100.198.210",
        "10.22.9.0/24 tos 0x10 via 10.100.198.209",
    ],
)
def test_takes_away_whatever_has_podnet_s_mark(node: Node, stray: str) -> None:
    node.converge()
    right = node("ip route")
    node(f"ip route add {stray}" + ("" if "proto" in stray else " proto 201"))
    assert node("ip route") != right
    node.converge()
    assert node("ip route") == right


def test_of_two_peers_with_one_subnet_the_newest_has_the_route(node: Node) -> None:
    """A node with another name takes over a pod subnet: its route comes before the other's goes."""
    node.converge()
    (node.etc / "routes.d" / "node1b").write_text("10.22.3.0/24 via 10.100.198.209\n")
    os.utime(node.etc / "routes.d" / "node2", (0, 0))
    node.converge()
    assert "via 10.100.198.209" in node("ip route show 10.22.3.0/24")
    assert node.converge() == ""
