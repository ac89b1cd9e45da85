"""Reads what iproute2 prints with ``-json``: the routes and the interfaces of a host.

Keys that podnet has no use for are ignored, because iproute2 adds some with every release. Keys that it does use must
be what they always were: anything else is a PodnetError, never a guess.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from netaddr import IPAddress, IPNetwork

from podnet import addressing
from podnet.addressing import Family
from podnet.errors import PodnetError

_T = TypeVar("_T", str, int)

_FAMILIES: Final = {"inet": Family.IPV4, "inet6": Family.IPV6}
"""iproute2's names; an address of any other family is skipped."""


@dataclass(frozen=True, slots=True)
class KernelRoute:
    """A route as the kernel has it; of one with several next hops, one for each.

    kind: iproute2's type: unicast, local, blackhole, ...
    destination: the default route's is every address of the family.
    device: None for a kind that sends nothing anywhere. gateway: None where the destination is on the link, or where
    the next hop is of another family. protocol: who set it, by name or number as iproute2 prints it.
    prefsrc: the source address that the kernel prefers for it. metric, tos: None where it has none.
    selector: the words by which ``ip route del`` takes away this route, all its next hops, and no other one.
    """

    kind: str
    destination: IPNetwork
    device: str | None
    gateway: IPAddress | None
    protocol: str | None
    prefsrc: IPAddress | None
    metric: int | None
    tos: str | None
    selector: str


@dataclass(frozen=True, slots=True)
class InterfaceAddress:
    """An address of an interface, and the network that it reaches through it."""

    address: IPAddress
    network: IPNetwork


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface. mtu: bytes. up: whether it is switched on, with or without a carrier."""

    name: str
    mtu: int
    up: bool
    addresses: tuple[InterfaceAddress, ...]


def routes(text: str, family: Family = Family.IPV4) -> tuple[KernelRoute, ...]:
    """Read ``ip -json [-4|-6] route show ...``; the output does not say which family it shows.

    Raises PodnetError for anything else.
    """
    return tuple(route for entry in _entries(text, "ip -json route") for route in _routes(entry, family))


def interfaces(text: str) -> tuple[Interface, ...]:
    """Read ``ip -json addr show ...``, which may show both families.

    Raises PodnetError for anything else.
    """
    # iproute2 prints an empty object for every interface that its filter leaves out.
    return tuple(_interface(entry) for entry in _entries(text, "ip -json addr") if entry)


@dataclass(frozen=True, slots=True)
class BridgePort:
    """An interface that is a port of a bridge. hairpin: it may send a frame back to where it came from."""

    name: str
    bridge: str
    hairpin: bool


def bridge_ports(text: str) -> tuple[BridgePort, ...]:
    """Read the ports of bridges in ``ip -json -details link show ...`` (or addr show).

    Raises PodnetError for anything else.
    """
    found = []
    for entry in _entries(text, "ip -json -details addr"):
        information = entry.get("linkinfo")
        if not isinstance(information, dict) or information.get("info_slave_kind") != "bridge":
            continue
        port = information.get("info_slave_data")
        if not isinstance(port, dict) or not isinstance(port.get("hairpin"), bool):
            raise PodnetError("iproute2 printed a port of a bridge without hairpin")
        found.append(BridgePort(_required(entry, "ifname", str), _required(entry, "master", str), port["hairpin"]))
    return tuple(found)


def _routes(entry: Mapping[str, object], family: Family) -> Iterator[KernelRoute]:
    hops = entry.get("nexthops")
    listed = [entry] if hops is None else _mappings(hops, "the next hops of a route")
    parts = [_hop(hop, family) for hop in listed]
    kind = _optional(entry, "type", str) or "unicast"
    destination = _destination(_required(entry, "dst", str), family)
    protocol = _optional(entry, "protocol", str)
    prefsrc = _optional(entry, "prefsrc", str)
    metric = _optional(entry, "metric", int)
    tos = _optional(entry, "tos", str)

    words = [] if kind == "unicast" else [kind]
    words.append(str(destination))
    # iproute2 leaves out the protocol of a route that was added without one.
    for word, value in (("proto", protocol or "boot"), ("tos", tos), ("metric", metric)):
        words += [] if value is None else [word, str(value)]
    shared = _optional(entry, "nhid", int)
    if shared is not None:
        words += ["nhid", str(shared)]  # the kernel knows its route by this alone
    else:
        for gateway, device in parts:
            words += [] if hops is None else ["nexthop"]
            words += [] if gateway is None else ["via", str(gateway)]
            words += [] if device is None else ["dev", device]

    for gateway, device in parts:
        yield KernelRoute(
            kind=kind,
            destination=destination,
            device=device,
            gateway=gateway,
            protocol=protocol,
            prefsrc=None if prefsrc is None else addressing.parse_address(prefsrc, family),
            metric=metric,
            tos=tos,
            selector=" ".join(words),
        )


def _hop(hop: Mapping[str, object], family: Family) -> tuple[IPAddress | None, str | None]:
    gateway = _optional(hop, "gateway", str)
    return None if gateway is None else addressing.parse_address(gateway, family), _optional(hop, "dev", str)


def _destination(text: str, family: Family) -> IPNetwork:
    if text == "default":
        return addressing.everything(family)
    if "/" in text:
        return addressing.parse_network(text, family)
    return addressing.network_of(addressing.parse_address(text, family), family.bits)


def _interface(entry: Mapping[str, object]) -> Interface:
    flags = entry.get("flags")
    if not isinstance(flags, list):
        raise PodnetError("iproute2 printed an interface without a list of flags")
    return Interface(
        name=_required(entry, "ifname", str),
        mtu=_required(entry, "mtu", int),
        up="UP" in flags,
        addresses=tuple(_addresses(_mappings(entry.get("addr_info", []), "the addresses of an interface"))),
    )


def _addresses(entries: list[Mapping[str, object]]) -> Iterator[InterfaceAddress]:
    for entry in entries:
        family = _FAMILIES.get(_optional(entry, "family", str) or "")
        if family is None:
            continue
        address = addressing.parse_address(_required(entry, "local", str), family)
        peer = _optional(entry, "address", str)
        prefix = _required(entry, "prefixlen", int)
        if not 0 <= prefix <= family.bits:
            raise PodnetError(f"iproute2 printed a prefix length that {family.label} does not have")
        # On a point-to-point link the prefix belongs to the peer.
        reached = address if peer is None else addressing.parse_address(peer, family)
        yield InterfaceAddress(address, addressing.network_of(reached, prefix))


def _entries(text: str, command: str) -> list[Mapping[str, object]]:
    try:
        document: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PodnetError(f"the output of `{command}` is not JSON") from error
    return _mappings(document, f"the output of `{command}`")


def _mappings(value: object, what: str) -> list[Mapping[str, object]]:
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise PodnetError(f"{what} should be a list of objects")
    return value


def _required(entry: Mapping[str, object], key: str, kind: type[_T]) -> _T:
    value = _optional(entry, key, kind)
    if value is None:
        raise PodnetError(f"iproute2 printed an entry without {key}")
    return value


def _optional(entry: Mapping[str, object], key: str, kind: type[_T]) -> _T | None:
    value = entry.get(key)
    if value is None:
        return None
    if not isinstance(value, kind) or isinstance(value, bool):
        raise PodnetError(f"iproute2 printed an entry whose {key} is not {'text' if kind is str else 'a number'}")
    return value
