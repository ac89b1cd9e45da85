"""Routes of the host that stand in a stack's way."""

from __future__ import annotations

import json
import subprocess
from ipaddress import ip_network

import pytest

from podnet.errors import PodnetError
from podnet.host import routes

ROUTES: list[routes.Route] = [
    {"dst": "default", "gateway": "192.0.2.1", "dev": "eth0"},
    {"dst": "192.0.2.0/24", "dev": "eth0", "protocol": "kernel"},
    {"dst": "10.100.198.0/24", "dev": "podnet-dev", "protocol": "kernel"},
    {"dst": "10.96.0.0/12", "gateway": "192.0.2.9", "dev": "tun0"},
    {"dst": "198.51.100.7", "dev": "wg0"},
    {"type": "blackhole", "dst": "10.22.7.0/24"},
    {"dst": "fd00:22::/64", "dev": "eth0"},
]


@pytest.mark.parametrize(
    ("network", "destinations"),
    [
        ("10.100.198.0/24", ["10.96.0.0/12"]),  # a wider route, and the stack's own bridge, which is in nobody's way
        ("10.22.0.0/16", ["10.22.7.0/24"]),  # a narrower one, of a kind without a device
        ("10.23.0.0/16", []),  # the default route claims nothing
        ("192.0.0.0/16", ["192.0.2.0/24"]),
        ("198.51.100.0/24", ["198.51.100.7"]),  # to one address
        ("fd00:22::/48", ["fd00:22::/64"]),
    ],
)
def test_clashes(network: str, destinations: list[str]) -> None:
    found = routes.clashes("podnet-dev", [ip_network(network)], ROUTES)
    assert [route["dst"] for _, route in found] == destinations


def test_another_stack_is_in_the_way() -> None:
    found = routes.clashes("podnet-two", [ip_network("10.100.198.0/25")], ROUTES)
    assert [route["dev"] for _, route in found] == ["podnet-dev", "tun0"]


def test_every_clash_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "output", lambda _: json.dumps(ROUTES))
    with pytest.raises(PodnetError) as caught:
        routes.require_free("podnet-two", ["10.100.198.0/24", "10.22.0.0/16", "198.18.77.0/24"])
    assert str(caught.value).splitlines() == [
        "the host already has a route to a network of this stack; choose another, or remove the route:",
        "  - 10.100.198.0/24 overlaps the route to 10.100.198.0/24 dev podnet-dev",
        "  - 10.100.198.0/24 overlaps the route to 10.96.0.0/12 via 192.0.2.9 dev tun0",
        "  - 10.22.0.0/16 overlaps the route to 10.22.7.0/24 (blackhole)",
    ]


def test_this_hosts_real_routes_are_read() -> None:
    shown = subprocess.run(["ip", "-json", "-4", "route", "show"], text=True, capture_output=True, check=True).stdout
    taken = next(route for route in json.loads(shown) if route["dst"] != "default")
    with pytest.raises(PodnetError, match=rf"overlaps the route to {taken['dst']}.* dev {taken['dev']}"):
        routes.require_free("podnet-x", [taken["dst"]])
    routes.require_free("podnet-x", ["198.18.77.0/24"])
