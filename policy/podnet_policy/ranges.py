"""No two ranges overlap: nodes' pods, Services, the machines' network, and the routes of one node."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Final

from podnet_policy.resource import Resource, components

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NET_CONF: Final = "podnet:cni:NetConf"
_ROUTES: Final = "podnet:routes:StaticRoutes"
_INIT: Final = "podnet:kubeadm:Init"
_HOST: Final = "podnet:host:Host"

_Range = tuple[Resource, str, Network]
"""Who says it, whose it is, and the range."""


def check_stack(resources: Sequence[Resource]) -> list[tuple[str, str]]:
    """Find every pair of ranges that share an address, as (URN, problem)."""
    pods = [
        (each, f"the pods of {each.name}", subnet)
        for each in components(resources, _NET_CONF)
        for subnet in networks(each, "podSubnets")
    ]
    whole = _of(resources, _INIT, "podSubnets", "the cluster's pods")
    services = _of(resources, _INIT, "serviceSubnets", "the Services")
    machines = _of(resources, _HOST, "machineNetworks", "the machines' network")
    found = _overlaps(pods)
    for many, others in (
        (pods, services),
        (pods, machines),
        (whole, services),
        (whole, machines),
        (services, machines),
    ):
        found += [problem for one in many for other in others for problem in _overlap(one, other)]
    for routes in components(resources, _ROUTES):
        own = [each for each in pods if each[0].text("node") == routes.text("node")]
        found += _overlaps([*_routes(routes), *own])
    return list(dict.fromkeys(found))


def networks(resource: Resource, key: str) -> list[Network]:
    """Give an input that is a list of ranges."""
    return [network for each in resource.listed(key) if (network := _network(each))]


def _of(resources: Sequence[Resource], kind: str, key: str, whose: str) -> list[_Range]:
    return [(each, whose, network) for each in components(resources, kind) for network in networks(each, key)]


def _routes(routes: Resource) -> Iterator[_Range]:
    for each in routes.listed("routes"):
        if destination := _network(each.get("destination")):
            yield routes, f"the route to {each.get('peer')}", destination


def _overlaps(ranges: Sequence[_Range]) -> list[tuple[str, str]]:
    return [problem for one, other in combinations(ranges, 2) for problem in _overlap(one, other)]


def _overlap(one: _Range, other: _Range) -> Iterator[tuple[str, str]]:
    if one[2].version == other[2].version and one[2].overlaps(other[2]):
        yield other[0].urn, f"{one[1]} ({one[2]}) and {other[1]} ({other[2]}) share addresses"


def _network(text: object) -> Network | None:
    try:
        return ipaddress.ip_network(str(text).strip(), strict=False)
    except ValueError:
        return None
