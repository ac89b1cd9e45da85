"""podnet-node watch on a real kernel: what changes is repaired at once, and where nothing changes nothing is done."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from podnet.node import watch

from .node import LIBRARY, Node, node

__all__ = ["node"]

ROUTE = "ip route show 10.22.3.0/24"


def until(holds: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def come_to_rest() -> None:
    """Wait until its own first changes have come back to it: it looks once more for each of them."""
    time.sleep(2 * watch.SHORTEST_PAUSE + 1)


@pytest.fixture
def watched(node: Node, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Give the node's service, which has said that it is ready."""
    socket_path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(socket_path))
        systemd.settimeout(30)
        enter = ["nsenter", "--net", "--mount", "--target", str(node.pid)]
        service = subprocess.Popen(
            [*enter, f"{LIBRARY}/podnet-node", "watch"],
            env={"NOTIFY_SOCKET": str(socket_path), "PATH": os.environ["PATH"]},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert systemd.recv(64) == b"READY=1"
            # It was right before it said so.
            assert "10.100.198.202" in node(ROUTE)
            yield service
        finally:
            service.send_signal(signal.SIGKILL)
            service.wait()


@pytest.mark.parametrize(
    ("damage", "right"),
    [
        ("ip route del 10.22.3.0/24", "ip route show proto 201 | grep 10.22.3.0/24"),
        ("ip link set eth0 down; ip link set eth0 up", "ip route show proto 201 | grep 10.22.3.0/24"),
        ("ip route add 10.22.9.0/24 via 10.100.198.209 proto 201", "! ip route show proto 201 | grep 10.22.9.0/24"),
        ("nft delete table ip podnet", "nft list table ip podnet | grep masquerade"),
        ("nft flush chain ip podnet postrouting", "nft list table ip podnet | grep masquerade"),
        ("ip link add cni0 type bridge", "ip link show dev cni0 up | grep cni0"),
    ],
)
def test_a_change_is_repaired_without_waiting_for_the_next_look(
    node: Node, watched: subprocess.Popen[str], damage: str, right: str
) -> None:
    assert watch.LONGEST_PAUSE == 60  # more than this test waits: it is the kernel's word that brings it
    (node.etc / "bridge").write_text("cni0\n")
    come_to_rest()
    node(damage)
    until(lambda: node.run(right).returncode == 0, right)
    assert watched.poll() is None


def test_where_nothing_changes_it_does_nothing(watched: subprocess.Popen[str]) -> None:
    def spent() -> int:
        fields = Path(f"/proc/{watched.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(int(fields[number]) for number in (11, 12, 13, 14))  # utime, stime, and those of its children

    come_to_rest()
    before = spent()
    time.sleep(2 * watch.SHORTEST_PAUSE)
    assert spent() == before


def test_what_failed_is_tried_again(node: Node, watched: subprocess.Popen[str]) -> None:
    node.breaks("nft", '"-f "*', 2)
    node("nft delete table ip podnet")
    until(lambda: "masquerade" in node.run("nft list table ip podnet").stdout, "the masquerade again")
    assert watched.poll() is None
