"""Reads what iproute2 prints with ``-json``: the routes and the interfaces of a host.

Keys that podnet has no use for are ignored, because iproute2 adds some with every release. Keys that it does use must
be what they always were: anything else is Unseen, never a guess. Addresses and networks are text, in full.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_interface, ip_network
from typing import Final, TypeVar

from podnet.node.check import Unseen

_T = TypeVar("_T", str, int)

EVERYTHING: Final = {4: "0.0.0.0/0", 6: "::/0"}
"""The default route's destination, by IP version."""

_FAMILIES: Final = {"inet": 4, "inet6": 6}
"""The IP version by iproute2's names; an address of any other family is skipped."""


@dataclass(frozen=True, slots=True)
class KernelRoute:
    """A route as the kernel has it; of one with several next hops, one for each.

    kind: iproute2's type: unicast, local, blackhole, ...
    destination: the default route's is every address of the family.
    device: None for a kind that sends nothing anywhere. gateway: None where the destination is on the link, or where
    the next hop is of another family. protocol: who set it, by name or number as iproute2 prints it.
    metric, tos: None where it has none.
    selector: the words by which ``ip route del`` takes away this route, all its next hops, and no other one.
    """

    kind: str
    destination: str
    device: str | None
    gateway: str | None
    protocol: str | None
    metric: int | None
    tos: str | None
    selector: str

    def __str__(self) -> str:
        """The route in ip-route(8)'s words."""
        words = [] if self.kind == "unicast" else [self.kind]
        words.append(self.destination)
        for word, value in (
            ("via", self.gateway),
            ("dev", self.device),
            ("proto", self.protocol),
            ("tos", self.tos),
            ("metric", self.metric),
        ):
            words += [word, str(value)] if value else []
        return " ".join(words)


@dataclass(frozen=True, slots=True)
class InterfaceAddress:
    """An address of an interface, and the network that it reaches through it."""

    address: str
    network: str

    @property
    def version(self) -> int:
        """Of IP: 4 or 6."""
        return ip_address(self.address).version

    def reaches(self, address: str) -> bool:
        """Whether an address is in the network."""
        return ip_address(address) in ip_network(self.network)

    def __str__(self) -> str:
        return f"{self.address}/{self.network.partition('/')[2]}"


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface. mtu: bytes. up: whether it is switched on, with or without a carrier."""

    name: str
    mtu: int
    up: bool
    addresses: tuple[InterfaceAddress, ...]


@dataclass(frozen=True, slots=True)
class BridgePort:
    """An interface that is a port of a bridge. hairpin: it may send a frame back to where it came from."""

    name: str
    bridge: str
    hairpin: bool


def routes(text: str, version: int = 4) -> tuple[KernelRoute, ...]:
    """Read ``ip -json [-4|-6] route show ...``; the output does not say which family it shows.

    version: of IP. Raises Unseen for anything else.
    """
    return tuple(route for entry in _entries(text, "ip -json route") for route in _routes(entry, version))


def interfaces(text: str) -> tuple[Interface, ...]:
    """Read ``ip -json addr show ...``, which may show both families. Raises Unseen for anything else."""
    # iproute2 prints an empty object for every interface that its filter leaves out.
    return tuple(_interface(entry) for entry in _entries(text, "ip -json addr") if entry)


def bridge_ports(text: str) -> tuple[BridgePort, ...]:
    """Read the ports of bridges in ``ip -json -details addr show ...``. Raises Unseen for anything else."""
    found = []
    for entry in _entries(text, "ip -json -details addr"):
        information = entry.get("linkinfo")
        if not isinstance(information, dict) or information.get("info_slave_kind") != "bridge":
            continue
        port = information.get("info_slave_data")
        if not isinstance(port, dict) or not isinstance(port.get("hairpin"), bool):
            raise Unseen("iproute2 printed a port of a bridge without hairpin")
        found.append(BridgePort(_required(entry, "ifname", str), _required(entry, "master", str), port["hairpin"]))
    return tuple(found)


def _routes(entry: Mapping[str, object], version: int) -> Iterator[KernelRoute]:
    hops = entry.get("nexthops")
    listed = [entry] if hops is None else _mappings(hops, "the next hops of a route")
    parts = [(_address(hop, "gateway", version), _optional(hop, "dev", str)) for hop in listed]
    kind = _optional(entry, "type", str) or "unicast"
    destination = _destination(_required(entry, "dst", str), version)
    protocol = _optional(entry, "protocol", str)
    metric = _optional(entry, "metric", int)
    tos = _optional(entry, "tos", str)

    words = [] if kind == "unicast" else [kind]
    words.append(destination)
    # iproute2 leaves out the protocol of a route that was added without one.
    for word, value in (("proto", protocol or "boot"), ("tos", tos), ("metric", metric)):
        words += [] if value is None else [word, str(value)]
    shared = _optional(entry, "nhid", int)
    if shared is not None:
        words += ["nhid", str(shared)]  # the kernel knows its route by this alone
    else:
        for gateway, device in parts:
            words += [] if hops is None else ["nexthop"]
            words += [] if gateway is None else ["via", gateway]
            words += [] if device is None else ["dev", device]

    for gateway, device in parts:
        yield KernelRoute(kind, destination, device, gateway, protocol, metric, tos, " ".join(words))


def _destination(text: str, version: int) -> str:
    if text == "default":
        return EVERYTHING[version]
    try:
        network = ip_network(text)
    except ValueError:
        network = None
    if network is None or network.version != version:
        raise Unseen(f"iproute2 printed a route to {text!r}, which is no IPv{version} network")
    return str(network)


def _address(entry: Mapping[str, object], key: str, version: int) -> str | None:
    text = _optional(entry, key, str)
    if text is None:
        return None
    try:
        address = ip_address(text)
    except ValueError:
        address = None
    if address is None or address.version != version:
        raise Unseen(f"iproute2 printed an entry whose {key} is {text!r}")
    return str(address)


def _interface(entry: Mapping[str, object]) -> Interface:
    flags = entry.get("flags")
    if not isinstance(flags, list):
        raise Unseen("iproute2 printed an interface without a list of flags")
    return Interface(
        name=_required(entry, "ifname", str),
        mtu=_required(entry, "mtu", int),
        up="UP" in flags,
        addresses=tuple(_addresses(_mappings(entry.get("addr_info", []), "the addresses of an interface"))),
    )


def _addresses(entries: list[Mapping[str, object]]) -> Iterator[InterfaceAddress]:
    for entry in entries:
        version = _FAMILIES.get(_optional(entry, "family", str) or "")
        if version is None:
            continue
        _required(entry, "local", str)
        address, prefix = _address(entry, "local", version), _required(entry, "prefixlen", int)
        # On a point-to-point link the prefix belongs to the peer.
        reached = _address(entry, "address", version) or address
        try:
            network = ip_interface(f"{reached}/{prefix}").network
        except ValueError:
            raise Unseen("iproute2 printed a prefix length that the family does not have") from None
        yield InterfaceAddress(str(address), str(network))


def _entries(text: str, command: str) -> list[Mapping[str, object]]:
    try:
        document: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unseen(f"the output of `{command}` is not JSON") from error
    return _mappings(document, f"the output of `{command}`")


def _mappings(value: object, what: str) -> list[Mapping[str, object]]:
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise Unseen(f"{what} should be a list of objects")
    return value


def _required(entry: Mapping[str, object], key: str, kind: type[_T]) -> _T:
    value = _optional(entry, key, kind)
    if value is None:
        raise Unseen(f"iproute2 printed an entry without {key}")
    return value


def _optional(entry: Mapping[str, object], key: str, kind: type[_T]) -> _T | None:
    value = entry.get(key)
    if value is None:
        return None
    if not isinstance(value, kind) or isinstance(value, bool):
        raise Unseen(f"iproute2 printed an entry whose {key} is not {'text' if kind is str else 'a number'}")
    return value
