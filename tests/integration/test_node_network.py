"""podnet-network on a real kernel: in a network namespace with folders of its own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from podnet import scripts
from podnet.addressing import parse_address, parse_network
from podnet.planning import Masquerade, Route
from podnet.render import network

ROUTE = Route("node1", "node2", parse_network("10.22.3.0/24"), parse_address("10.100.198.202"))
MASQUERADE = Masquerade(
    "node1", parse_network("10.22.2.0/24"), (parse_network("10.22.0.0/16"),), parse_network("10.96.0.0/16")
)
CONNECT = "import socket; socket.create_connection(('10.96.0.1', 443), timeout=1)"


class Node:
    """A process that keeps a network and a mount namespace; /etc/podnet and /run/podnet are folders of the test."""

    def __init__(self, folder: Path) -> None:
        self.etc = folder / "etc"
        (self.etc / "routes.d").mkdir(parents=True)
        (folder / "run").mkdir()
        self._script = folder / "podnet-network"
        self._script.write_text(scripts.text("podnet-network"))
        mounts = "mkdir -p /etc/podnet /run/podnet"
        mounts += f"; mount --bind {self.etc} /etc/podnet; mount --bind {folder}/run /run/podnet"
        self._holder = subprocess.Popen(
            ["unshare", "--net", "--mount", "sh", "-c", f"{mounts}; echo ready; exec sleep 600"], stdout=subprocess.PIPE
        )
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == b"ready\n"
        self("ip link add eth0 type veth peer name other && ip link set other up")
        self("ip address add 10.100.198.201/24 dev eth0 && ip link set eth0 up")

    def __call__(self, command: str, *, check: bool = True) -> str:
        enter = ["nsenter", "--net", "--mount", "--target", str(self._holder.pid), "sh", "-c", command]
        done = subprocess.run(enter, text=True, capture_output=True, check=False)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def converge(self, *, check: bool = True) -> str:
        return self(f"sh {self._script}", check=check)

    def pod(self, address: str) -> subprocess.Popen[bytes]:
        """A process with a network namespace of its own, behind this node."""
        command = ["nsenter", "--net", "--target", str(self._holder.pid), "unshare", "--net"]
        pod = subprocess.Popen([*command, "sh", "-c", "echo ready; exec sleep 600"], stdout=subprocess.PIPE)
        assert pod.stdout is not None
        assert pod.stdout.readline() == b"ready\n"
        self("ip link add cni0 type veth peer name pod && ip address add 10.22.2.1/24 dev cni0 && ip link set cni0 up")
        self(f"ip link set pod netns {pod.pid} && sysctl -qw net.ipv4.ip_forward=1")
        inside = f"ip address add {address}/24 dev pod && ip link set pod up && ip route add default via 10.22.2.1"
        self(f"nsenter --net --target {pod.pid} sh -c '{inside}'")
        return pod

    def close(self) -> None:
        self._holder.terminate()
        self._holder.wait()


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    if os.geteuid() != 0:
        if os.environ.get("CI") == "true":
            pytest.fail("namespaces need root, and in CI they are not skipped")
        pytest.skip("namespaces need root")
    made = Node(tmp_path)
    (made.etc / "routes.d" / "node2").write_text(network.route(ROUTE))
    (made.etc / "masquerade.nft").write_text(network.masquerade(MASQUERADE))
    try:
        yield made
    finally:
        made.close()


def test_sets_route_and_rules(node: Node) -> None:
    node.converge()
    assert node("ip route show proto 201").split() == ["10.22.3.0/24", "via", "10.100.198.202", "dev", "eth0"]
    table = node("nft list table ip podnet")
    assert "ip saddr 10.22.2.0/24 ip daddr != @unmasqueraded" in table
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
        "nft delete element ip podnet unmasqueraded { 10.100.198.202 }",
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
    (node.etc / "masquerade.nft").unlink()
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


def test_rules_stand_though_a_route_cannot(node: Node) -> None:
    (node.etc / "routes.d" / "node9").write_text("10.22.9.0/24 via 192.0.2.1\n")
    node.converge(check=False)
    assert "masquerade" in node("nft list table ip podnet")
    assert "10.22.3.0/24" in node("ip route show proto 201")
