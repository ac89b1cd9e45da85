"""Routes of the host that stand in a stack's way."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from podnet.addressing import parse_network
from podnet.node import iproute
from podnet.observe.host import clashes

ROUTES = iproute.routes(
    json.dumps(
        [
            {"dst": "default", "gateway": "192.0.2.1", "dev": "eth0"},
            {"dst": "192.0.2.0/24", "dev": "eth0", "protocol": "kernel"},
            {"dst": "10.100.198.0/24", "dev": "podnet-dev", "protocol": "kernel"},
            {"dst": "10.96.0.0/12", "gateway": "192.0.2.9", "dev": "tun0"},
            {"type": "blackhole", "dst": "10.22.7.0/24"},
        ]
    )
)


@pytest.mark.parametrize(
    ("network", "destinations"),
    [
        ("10.100.198.0/24", ["10.96.0.0/12"]),  # a wider route, and the stack's own bridge, which is in nobody's way
        ("10.22.0.0/16", ["10.22.7.0/24"]),  # a narrower one, of a kind without a device
        ("10.23.0.0/16", []),  # the default route claims nothing
        ("192.0.0.0/16", ["192.0.2.0/24"]),
    ],
)
def test_clashes(network: str, destinations: list[str]) -> None:
    found = clashes("podnet-dev", [parse_network(network)], ROUTES)
    assert [str(route.destination) for _, route in found] == destinations


def test_another_stack_is_in_the_way() -> None:
    found = clashes("podnet-two", [parse_network("10.100.198.0/25")], ROUTES)
    assert [route.device for _, route in found] == ["podnet-dev", "tun0"]


def test_the_program_says_every_clash_and_fails() -> None:
    """On this host's real routes: its own loopback range is not in them, the network of its first route is."""
    shown = subprocess.run(["ip", "-json", "-4", "route", "show"], text=True, capture_output=True, check=True).stdout
    taken = next(route for route in iproute.routes(shown) if not route.destination.endswith("/0"))
    command = [sys.executable, "-m", "podnet.observe.host", "podnet-x", str(taken.destination), "198.18.77.0/24"]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    assert done.returncode == 1
    assert f"{taken.destination} overlaps the route to {taken.destination}" in done.stderr
    assert f"dev {taken.device}" in done.stderr
    assert "198.18.77.0/24" not in done.stderr
    free = subprocess.run([*command[:-2], "198.18.77.0/24"], text=True, capture_output=True, check=False)
    assert (free.returncode, free.stderr) == (0, "")
