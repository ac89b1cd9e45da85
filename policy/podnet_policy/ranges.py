"""No two ranges overlap: nodes' pods, Services, the machines' network, and the routes of one node."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, Final

from podnet_policy.resource import Resource, documents, strings

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_STACK: Final = "pulumi:pulumi:Stack"


def check_stack(resources: Sequence[Resource]) -> list[tuple[str, str]]:
    """Find every pair of ranges that share an address, as (URN, problem)."""
    pods = [(resource, f"the pods of {resource.name}", subnet) for resource, subnet in _pods(resources)]
    whole = [(resource, "the cluster's pods", range_) for resource, range_ in _of_cluster(resources, "podSubnet")]
    services = [(resource, "the Services", range_) for resource, range_ in _of_cluster(resources, "serviceSubnet")]
    machines = [(resource, "the machines' network", range_) for resource, range_ in _machines(resources)]
    found = _overlaps(pods)
    apart = ((pods, services), (pods, machines), (whole, services), (whole, machines), (services, machines))
    for many, others in apart:
        found += [problem for one in many for other in others for problem in _overlap(one, other)]
    return list(dict.fromkeys([*found, *_routes(resources)]))


def pod_ranges(resources: Sequence[Resource]) -> list[tuple[str, _Network]]:
    """Give where the pods are, by the name of the resource that says it: every node's CNI conf, or else the cluster."""
    found = list(_pods(resources)) or list(_of_cluster(resources, "podSubnet"))
    return [(resource.name, range_) for resource, range_ in found]


_Range = tuple[Resource, str, _Network]


def _overlaps(ranges: Sequence[_Range]) -> list[tuple[str, str]]:
    return [problem for one, other in combinations(ranges, 2) for problem in _overlap(one, other)]


def _overlap(one: _Range, other: _Range) -> Iterator[tuple[str, str]]:
    if one[2].version == other[2].version and one[2].overlaps(other[2]):
        yield other[0].urn, f"{one[1]} ({one[2]}) and {other[1]} ({other[2]}) share addresses"


def _pods(resources: Sequence[Resource]) -> Iterator[tuple[Resource, _Network]]:
    """host-local's subnets, from every CNI conf that is written somewhere."""
    for resource in resources:
        for document in _documents(resource):
            if "cniVersion" not in document:
                continue
            for plugin in document.get("plugins", [document]):
                ipam = plugin.get("ipam", {}) if isinstance(plugin, dict) else {}
                sets = [ipam, *(entry for ranges in ipam.get("ranges", []) for entry in ranges)]
                yield from ((resource, subnet) for each in sets if (subnet := _network(each.get("subnet"))))


def _of_cluster(resources: Sequence[Resource], key: str) -> Iterator[tuple[Resource, _Network]]:
    """A range of kubeadm's ClusterConfiguration; a dual-stack cluster has two, with a comma."""
    for resource in resources:
        for document in _documents(resource):
            if document.get("kind") == "ClusterConfiguration":
                value = str(document.get("networking", {}).get(key, ""))
                yield from ((resource, range_) for part in value.split(",") if (range_ := _network(part)))


def _machines(resources: Sequence[Resource]) -> Iterator[tuple[Resource, _Network]]:
    """The network that machines.json, which Vagrant reads, puts the machines into."""
    for resource in resources:
        for document in _documents(resource):
            address = f"{document.get('gateway')}/{document.get('prefix_length')}"
            if "machines" in document and (range_ := _network(address)):
                yield resource, range_


def _routes(resources: Sequence[Resource]) -> list[tuple[str, str]]:
    """Routes of one node: none covers another, nor the node's own pods."""
    nodes: dict[str, list[_Range]] = {}
    for resource in resources:
        words, owner = resource.text("stdin").split(), _owner(resource)
        if len(words) >= 3 and words[1] == "via" and (destination := _network(words[0])):
            nodes.setdefault(owner, []).append((resource, f"the route {resource.name}", destination))
    for resource, subnet in _pods(resources):
        if _owner(resource) in nodes:
            nodes[_owner(resource)].append((resource, f"the pods of {resource.name}", subnet))
    return [problem for ranges in nodes.values() for problem in _overlaps(ranges)]


def _owner(resource: Resource) -> str:
    """What a node's conf and routes have in common: the host they go to, or while that is unknown their component."""
    connection = resource.inputs.get("connection")
    if isinstance(connection, Mapping) and isinstance(connection.get("host"), str):
        return str(connection["host"])
    return resource.urn if not resource.parent or f"::{_STACK}::" in resource.parent else resource.parent


def _documents(resource: Resource) -> Iterator[dict[str, Any]]:
    for _, text in strings(resource.inputs):
        yield from documents(text)


def _network(text: object) -> _Network | None:
    try:
        return ipaddress.ip_network(str(text).strip(), strict=False)
    except ValueError:
        return None
