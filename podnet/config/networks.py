"""Checks of the ranges that a cluster is made of: the machines', the pods' and the Services'."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import Final, TypedDict

from netaddr import IPAddress, IPNetwork

from podnet import addressing
from podnet.config.findings import Findings, known, place
from podnet.config.shape import DEFAULT_SERVICE_SUBNET, ClusterShape

_MACHINE_PREFIXES: Final = (8, 29)
"""A /29 is the smallest network with room for a gateway and two nodes."""

_POD_PREFIXES: Final = (8, 27)
"""A /27 is the smallest that holds two of the smallest node subnets."""

_SERVICE_PREFIXES: Final = (12, 28)
"""The API server takes no more than 20 bits (maxCIDRBits), kubeadm no fewer than ten addresses
(MinimumAddressesInServiceSubnet)."""


class FinishedRanges(TypedDict):
    """The ranges as :class:`podnet.model.Cluster` takes them."""

    machine_network: IPNetwork
    gateway: IPAddress
    pod_subnets: tuple[IPNetwork, ...]
    service_subnets: tuple[IPNetwork, ...]
    outside: IPAddress


@dataclass(frozen=True, slots=True)
class Ranges:
    """The cluster's ranges; None where a problem was noted."""

    machine: IPNetwork | None
    gateway: IPAddress | None
    pods: IPNetwork | None
    services: IPNetwork | None
    outside: IPAddress | None

    def finished(self) -> FinishedRanges:
        """Give the ranges of a config without problems."""
        return FinishedRanges(
            machine_network=known(self.machine),
            gateway=known(self.gateway),
            pod_subnets=(known(self.pods),),
            service_subnets=(known(self.services),),
            outside=known(self.outside),
        )


def check(written: ClusterShape, findings: Findings) -> Ranges:
    """Read and check the ranges, the gateway and the outside."""
    machine = _range(
        "machineNetwork", written.machine_network, "the network that the machines share", _MACHINE_PREFIXES, findings
    )
    pods = _range("podSubnet", written.pod_subnet, "the range that holds every pod's address", _POD_PREFIXES, findings)
    services = _range("serviceSubnet", written.service_subnet, "the range of Services", _SERVICE_PREFIXES, findings)
    _check_overlaps(machine, pods, services, findings)
    gateway = _gateway(written, machine, findings)
    outside = gateway if written.outside is None else read_address(("outside",), written.outside, findings)
    if findings.refused(place("outside")):
        outside = None
    return Ranges(machine, gateway, pods, services, outside)


def check_outside(ranges: Ranges, nodes: Iterable[IPAddress], findings: Findings) -> None:
    """Check that the outside is outside: an address that no pod, Service or node has."""
    outside = ranges.outside
    if outside is None:
        return
    where = place("outside")
    for key, taken in (("podSubnet", ranges.pods), ("serviceSubnet", ranges.services)):
        if taken is not None and outside != ranges.gateway and addressing.within(outside, taken):
            findings.add(where, f"{outside} lies in {key} {taken}", "an address that no pod, Service or node can have")
    if outside != ranges.gateway and outside in set(nodes):
        findings.add(where, f"{outside} is a node's own address", "an address that no pod, Service or node can have")
    special = addressing.special_use(addressing.network_of(outside, addressing.family_of(outside).bits))
    if special is not None:
        findings.add(where, f"{outside} lies in {special}", "an address that the machines can reach")


def check_machine_address(where: str, address: IPAddress, machine: IPNetwork, findings: Findings) -> bool:
    """Check that a machine of this network can have this address."""
    if addressing.usable(machine, address):
        return True
    expected = f"an address between {addressing.host(machine, 1)} and {addressing.host(machine, machine.size - 2)}"
    if not addressing.within(address, machine):
        findings.add(where, f"{address} lies outside machineNetwork {machine}", expected)
    elif int(address) == machine.first:
        findings.add(where, f"{address} is the address of machineNetwork {machine} itself", expected)
    else:
        findings.add(where, f"{address} is the broadcast address of machineNetwork {machine}", expected)
    return False


def read_address(path: tuple[str | int, ...], text: str, findings: Findings) -> IPAddress | None:
    """Read an address; None where it is none, and the problem is noted."""
    try:
        return addressing.parse_address(text)
    except addressing.AddressError as error:
        findings.add(place(*path), error.found, error.expected)
        return None


def read_network(
    path: tuple[str | int, ...], text: str, prefixes: tuple[int, int], findings: Findings
) -> IPNetwork | None:
    """Read a network whose prefix length lies between two; None where it is none, and the problem is noted."""
    try:
        network = addressing.parse_network(text)
    except addressing.AddressError as error:
        findings.add(place(*path), error.found, error.expected)
        return None
    widest, narrowest = prefixes
    if not widest <= network.prefixlen <= narrowest:
        size = "large" if network.prefixlen < widest else "small"
        findings.add(place(*path), f"{network} is too {size}", f"a prefix length from /{widest} to /{narrowest}")
        return None
    return network


def _range(key: str, text: str | None, meaning: str, prefixes: tuple[int, int], findings: Findings) -> IPNetwork | None:
    where = place(key)
    if findings.refused(where):
        return None
    if text is None:
        findings.add(where, "missing", f"{meaning}, as address/prefix")
        return None
    network = read_network((key,), text, prefixes, findings)
    special = None if network is None else addressing.special_use(network)
    if special is not None:
        findings.add(where, f"{network} overlaps {special}", "a range that is free for use, like a part of 10.0.0.0/8")
        return None
    return network


def _check_overlaps(
    machine: IPNetwork | None, pods: IPNetwork | None, services: IPNetwork | None, findings: Findings
) -> None:
    named = (("machineNetwork", machine), ("podSubnet", pods), ("serviceSubnet", services))
    for (first_key, first), (key, network) in combinations(named, 2):
        if first is None or network is None or not addressing.overlap(first, network):
            continue
        default = key == "serviceSubnet" and str(network) == DEFAULT_SERVICE_SUBNET
        findings.add(
            place(key),
            f"{network}{', the default,' if default else ''} overlaps {first_key} {first}",
            "a range that shares no address with it" + (", like 10.96.0.0/16" if default else ""),
        )


def _gateway(written: ClusterShape, machine: IPNetwork | None, findings: Findings) -> IPAddress | None:
    where = place("gateway")
    if findings.refused(where):
        return None
    if written.gateway is None:
        return None if machine is None else addressing.host(machine, 1)
    gateway = read_address(("gateway",), written.gateway, findings)
    if gateway is None or machine is None:
        return gateway
    return gateway if check_machine_address(where, gateway, machine, findings) else None
