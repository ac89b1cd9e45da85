"""The rulesets that the policy pack judges, carried out by a kernel: what another pod sees of a pod's address."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import IO

import pytest

from tests.conftest import require_root
from tests.rulesets import CASES, Case

PODS = {"one": ("10.22.1.2", "10.22.1.1", "cni0"), "two": ("10.22.2.2", "10.22.2.1", "eth0")}
"""Of two pods: the address, the router's address and its interface there."""

POD = """
import socket, sys
receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.bind(("0.0.0.0", 7))
receiver.settimeout(10)
print("ready", flush=True)
for line in sys.stdin:
    to = line.strip()
    if to:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"hello", (to, 7))
    else:
        print(receiver.recvfrom(9)[1][0], flush=True)
"""
"""Sends to the address that a line names; for an empty line says whom the next packet came from."""


class Namespace:
    """A network namespace with a program in it."""

    def __init__(self, *program: str) -> None:
        self._process = subprocess.Popen(
            ["unshare", "--net", *program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._said() == "ready"
        self.pid = self._process.pid

    def ask(self, line: str, *, answer: bool = False) -> str:
        self._stream(self._process.stdin).write(line + "\n")
        self._stream(self._process.stdin).flush()
        return self._said() if answer else ""

    def run(self, command: str, text: str | None = None) -> None:
        enter = ["nsenter", "--net", "--target", str(self.pid), "sh", "-c", command]
        done = subprocess.run(enter, input=text, text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def close(self) -> None:
        self._process.terminate()
        self._process.communicate()

    def _said(self) -> str:
        return self._stream(self._process.stdout).readline().strip()

    @staticmethod
    def _stream(stream: IO[str] | None) -> IO[str]:
        assert stream is not None
        return stream


class Network:
    """A router between two pods."""

    def __init__(self) -> None:
        self.router = Namespace("sh", "-c", "echo ready; exec cat")
        self.pods = {name: Namespace(sys.executable, "-c", POD) for name in PODS}
        for name, (address, gateway, interface) in PODS.items():
            pod = self.pods[name]
            self.router.run(f"ip link add {interface} type veth peer name pod && ip link set pod netns {pod.pid}")
            self.router.run(f"ip address add {gateway}/24 dev {interface} && ip link set {interface} up")
            pod.run(f"ip address add {address}/24 dev pod && ip link set pod up && ip route add default via {gateway}")
        self.router.run("sysctl -qw net.ipv4.ip_forward=1")

    def seen(self, sender: str, receiver: str) -> str:
        self.pods[sender].ask(PODS[receiver][0])
        return self.pods[receiver].ask("", answer=True)

    def close(self) -> None:
        for each in (self.router, *self.pods.values()):
            each.close()


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    require_root("namespaces")
    made = Network()
    try:
        yield made
    finally:
        made.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_the_kernel_does(network: Network, case: Case) -> None:
    network.router.run("nft flush ruleset && iptables -t nat -F && iptables -t nat -X")
    if case.how == "sh":
        network.router.run(case.text)
    else:
        network.router.run(case.how, case.text)
    seen = {(a, b): network.seen(a, b) for a, b in (("one", "two"), ("two", "one"))}
    kept = {(a, b): PODS[a][0] for a, b in seen}
    assert (seen != kept) == case.hidden, seen
