"""iproute2's JSON, as printed by iproute2 6.1 on real hosts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from podnet.node import iproute
from podnet.node.check import Unseen

CAPTURED = Path(__file__).parents[2] / "captured"

ROUTES = """[{"dst":"default","gateway":"192.0.2.1","dev":"eth0","flags":[]},
{"dst":"10.22.2.0/24","gateway":"10.100.198.201","dev":"eth1","protocol":"static","flags":[]},
{"dst":"10.22.3.7","gateway":"10.100.198.202","dev":"eth1","protocol":"99","flags":["onlink"]},
{"type":"blackhole","dst":"10.22.0.0/16","protocol":"static","flags":[]},
{"dst":"192.0.2.0/24","dev":"eth0","protocol":"kernel","scope":"link","prefsrc":"192.0.2.2","flags":[]}]"""

LINKS = """[{},{"ifindex":1,"ifname":"lo","flags":["LOOPBACK","UP","LOWER_UP"],"mtu":65536,"operstate":"UNKNOWN",
"addr_info":[{"family":"inet","local":"127.0.0.1","prefixlen":8,"scope":"host"},
{"family":"inet6","local":"::1","prefixlen":128,"scope":"host"}]},
{"ifindex":4,"link_index":9,"ifname":"eth1","flags":["BROADCAST","UP"],"mtu":1400,"operstate":"UP",
"addr_info":[{"family":"inet","local":"10.100.198.201","prefixlen":24,"broadcast":"10.100.198.255"},
{"family":"inet","local":"10.9.9.1","address":"10.9.9.2","prefixlen":32},{"family":"mctp","local":8}]},
{"ifindex":5,"ifname":"ifb0","flags":["BROADCAST","NOARP"],"mtu":1500,"operstate":"DOWN","addr_info":[]}]"""


def rows(text: str, version: int = 4) -> list[tuple[str, ...]]:
    """Give each route as texts."""
    return [
        (each.kind, each.destination, *map(str, (each.device, each.gateway, each.protocol)))
        for each in iproute.routes(text, version)
    ]


def test_routes() -> None:
    assert rows(ROUTES) == [
        ("unicast", "0.0.0.0/0", "eth0", "192.0.2.1", "None"),
        ("unicast", "10.22.2.0/24", "eth1", "10.100.198.201", "static"),
        ("unicast", "10.22.3.7/32", "eth1", "10.100.198.202", "99"),
        ("blackhole", "10.22.0.0/16", "None", "None", "static"),
        ("unicast", "192.0.2.0/24", "eth0", "None", "kernel"),
    ]


def test_every_next_hop_is_a_route() -> None:
    hops = [{"gateway": "192.0.2.1", "dev": "eth0", "weight": 1}, {"gateway": "192.0.2.9", "dev": "eth1", "weight": 1}]
    text = json.dumps([{"dst": "10.0.0.0/8", "protocol": "bgp", "prefsrc": "192.0.2.2", "nexthops": hops}])
    assert rows(text) == [
        ("unicast", "10.0.0.0/8", "eth0", "192.0.2.1", "bgp"),
        ("unicast", "10.0.0.0/8", "eth1", "192.0.2.9", "bgp"),
    ]


@pytest.mark.parametrize(
    ("entry", "selector"),
    [
        ({"dst": "10.22.2.0/24", "gateway": "192.0.2.1", "dev": "eth1"}, "proto boot via 192.0.2.1 dev eth1"),
        ({"dst": "10.22.2.0/24", "dev": "cni0", "protocol": "kernel"}, "proto kernel dev cni0"),
        (
            {"dst": "10.22.2.0/24", "dev": "a", "protocol": "201", "tos": "0x10", "metric": 5},
            "proto 201 tos 0x10 metric 5 dev a",
        ),
        ({"dst": "10.22.2.0/24", "nhid": 7, "gateway": "192.0.2.1", "dev": "eth1"}, "proto boot nhid 7"),
        (
            {"dst": "10.22.2.0/24", "nexthops": [{"gateway": "192.0.2.1", "dev": "a", "weight": 1}, {"dev": "b"}]},
            "proto boot nexthop via 192.0.2.1 dev a nexthop dev b",
        ),
    ],
)
def test_a_selector_names_all_of_a_route(entry: dict[str, Any], selector: str) -> None:
    found = iproute.routes(json.dumps([entry]))
    assert {each.selector for each in found} == {f"10.22.2.0/24 {selector}"}


def test_routes_of_the_other_family() -> None:
    text = '[{"dst":"default","gateway":"fe80::1","dev":"eth0"},{"dst":"::1","dev":"lo"}]'
    assert rows(text, 6) == [
        ("unicast", "::/0", "eth0", "fe80::1", "None"),
        ("unicast", "::1/128", "lo", "None", "None"),
    ]


def test_ports_of_bridges() -> None:
    links = json.loads((CAPTURED / "node1.json").read_text())["programs"]["links"]["output"]
    ports = iproute.bridge_ports(links)
    assert {(port.bridge, port.hairpin) for port in ports} == {("cni0", True)}
    assert len(ports) == 3
    assert all(port.name.startswith("veth") for port in ports)


def test_a_port_without_hairpin_is_refused() -> None:
    link = {"ifname": "v", "master": "b", "linkinfo": {"info_slave_kind": "bridge", "info_slave_data": {}}}
    with pytest.raises(Unseen, match="hairpin"):
        iproute.bridge_ports(json.dumps([link]))


def test_no_routes() -> None:
    assert iproute.routes("[]\n") == ()


def test_interfaces() -> None:
    assert [
        (each.name, each.mtu, each.up, [(str(one.address), str(one.network)) for one in each.addresses])
        for each in iproute.interfaces(LINKS)
    ] == [
        ("lo", 65536, True, [("127.0.0.1", "127.0.0.0/8"), ("::1", "::1/128")]),
        ("eth1", 1400, True, [("10.100.198.201", "10.100.198.0/24"), ("10.9.9.1", "10.9.9.2/32")]),
        ("ifb0", 1500, False, []),
    ]


NOT_A_LIST: list[Any] = ["", "null", "{}", "3", '"x"', "[1]", "[[]]", "[{]", "[" * 100_000, "default via 10.0.0.1"]


@pytest.mark.parametrize("text", NOT_A_LIST, ids=lambda text: text[:20])
def test_what_is_no_list_of_objects_is_refused(text: str) -> None:
    for read in (iproute.routes, iproute.interfaces):
        with pytest.raises(Unseen):
            read(text)


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"dev": "eth0"},
        {"dst": 5},
        {"dst": "10.0.0.1/24"},
        {"dst": "everywhere"},
        {"dst": "fd00::/64"},
        {"dst": "default", "gateway": "router"},
        {"dst": "default", "gateway": ["10.0.0.1"]},
        {"dst": "default", "dev": 3},
        {"dst": "default", "protocol": True},
        {"dst": "default", "nexthops": {"dev": "eth0"}},
        {"dst": "default", "nexthops": ["eth0"]},
    ],
    ids=str,
)
def test_a_malformed_route_is_refused(entry: dict[str, Any]) -> None:
    with pytest.raises(Unseen):
        iproute.routes(json.dumps([entry]))


@pytest.mark.parametrize(
    "change",
    [
        {"ifname": None},
        {"ifname": 7},
        {"mtu": None},
        {"mtu": "1500"},
        {"mtu": True},
        {"flags": None},
        {"flags": "UP"},
        {"addr_info": {}},
        {"addr_info": [{"family": "inet", "prefixlen": 24}]},
        {"addr_info": [{"family": "inet", "local": "10.0.0.1"}]},
        {"addr_info": [{"family": "inet", "local": "10.0.0.1", "prefixlen": 33}]},
        {"addr_info": [{"family": "inet", "local": "10.0.0.1", "prefixlen": -1}]},
        {"addr_info": [{"family": "inet", "local": "::1", "prefixlen": 8}]},
    ],
    ids=str,
)
def test_a_malformed_interface_is_refused(change: dict[str, Any]) -> None:
    entry = {"ifname": "eth0", "mtu": 1500, "flags": ["UP"], "addr_info": []}
    assert iproute.interfaces(json.dumps([entry]))
    with pytest.raises(Unseen):
        iproute.interfaces(json.dumps([entry | change]))
