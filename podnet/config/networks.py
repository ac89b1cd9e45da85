"""Checks of the machines', the pods' and the Services' ranges against each other, of the gateway and of the outside."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from netaddr import IPAddress, IPNetwork

from podnet import addressing
from podnet.config.reading import check, key_of
from podnet.config.shape import DEFAULT_SERVICE_SUBNET, ClusterShape
from podnet.errors import Problem


def problems(cluster: ClusterShape) -> Iterator[Problem]:
    """Check the ranges, the gateway and the outside."""
    for one, other in combinations(("machine_network", "pod_subnet", "service_subnet"), 2):
        yield from _overlap(cluster, one, other)
    yield from _gateway(cluster)
    yield from _outside(cluster)


def unusable(address: IPAddress, machines: IPNetwork) -> tuple[str, str] | None:
    """Say why no machine of this network can have this address, and which it could have; None where it can."""
    if addressing.usable(machines, address):
        return None
    if not addressing.within(address, machines):
        why = "lies outside machineNetwork {}"
    elif int(address) == machines.first:
        why = "is the address of machineNetwork {} itself"
    else:
        why = "is the broadcast address of machineNetwork {}"
    first, last = addressing.host(machines, 1), addressing.host(machines, machines.size - 2)
    return f"{address} {why.format(machines)}", f"an address between {first} and {last}"


@check
def _overlap(cluster: ClusterShape, one: str, other: str) -> Iterator[Problem]:
    first, network = getattr(cluster, one), getattr(cluster, other)
    if addressing.overlap(first, network):
        default = other == "service_subnet" and network == DEFAULT_SERVICE_SUBNET
        yield cluster.problem(
            other,
            f"{network}{', the default,' if default else ''} overlaps {key_of(one)} {first}",
            "a range that shares no address with it" + (", like 10.96.0.0/16" if default else ""),
        )


@check
def _gateway(cluster: ClusterShape) -> Iterator[Problem]:
    if cluster.gateway is not None and (wrong := unusable(cluster.gateway, cluster.machine_network)):
        yield cluster.refuse("gateway", *wrong)


@check
def _outside(cluster: ClusterShape) -> Iterator[Problem]:
    """The outside must be outside: an address that no pod, Service or node has."""
    outside = cluster.outside
    if outside is None:
        return
    if special := addressing.special_use(addressing.network_of(outside, addressing.family_of(outside).bits)):
        yield cluster.problem("outside", f"{outside} lies in {special}", "an address that the machines can reach")
    free = "an address that no pod, Service or node can have"
    for name in ("pod_subnet", "service_subnet"):
        network = getattr(cluster, name, None)
        if network is not None and addressing.within(outside, network):
            yield cluster.problem("outside", f"{outside} lies in {key_of(name)} {network}", free)
    if any(outside == getattr(node, "address", None) for node in cluster.nodes):
        yield cluster.problem("outside", f"{outside} is a node's own address", free)
