"""Addresses and networks: the only module that makes netaddr values.

netaddr is lenient where a plan must not be: ``IPNetwork("10.22.1.5/24")`` keeps its host bits,
``IPNetwork("10.22.0.0")`` is a /32, a netmask passes for a prefix, and ``subnet(24)`` of a /30 yields nothing at all.
Here every text is read strictly, and every carved range is counted first.

The address family is a value (:class:`Family`): nothing below assumes how long an address is.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import Final

from netaddr import IPAddress, IPNetwork, iprange_to_cidrs
from netaddr.core import AddrFormatError

from podnet.errors import RefusedError


class Family(IntEnum):
    """An address family; its number is the IP version, as netaddr counts too."""

    IPV4 = 4
    IPV6 = 6

    @property
    def bits(self) -> int:
        """How many bits an address has."""
        return 32 if self is Family.IPV4 else 128

    @property
    def label(self) -> str:
        """The family's name in a sentence."""
        return f"IPv{self.value}"


class AddressError(RefusedError):
    """A text that is no address or network, or a range that cannot be carved."""


_PREFIX: Final = re.compile(r"0|[1-9][0-9]{0,2}")

_LONGEST: Final = 64
"""Characters: longer than any address or network is; what is longer is not even read."""

_ADDRESS: Final = {
    Family.IPV4: "four numbers from 0 to 255, like 10.22.1.7",
    Family.IPV6: "an IPv6 address, like fd00:22:1::7",
}

_NETWORK: Final = {
    Family.IPV4: "an IPv4 network, like 10.22.1.0/24",
    Family.IPV6: "an IPv6 network, like fd00:22:1::/64",
}

_SPECIAL: Final = tuple(
    (IPNetwork(text), meaning)
    for text, meaning in (
        ("0.0.0.0/8", "'this network' (RFC 791)"),
        ("127.0.0.0/8", "loopback (RFC 1122)"),
        ("169.254.0.0/16", "link-local (RFC 3927)"),
        ("224.0.0.0/4", "multicast (RFC 1112)"),
        ("240.0.0.0/4", "reserved (RFC 1112)"),
        ("::/127", "unspecified and loopback (RFC 4291)"),
        ("fe80::/10", "link-local (RFC 4291)"),
        ("ff00::/8", "multicast (RFC 4291)"),
    )
)
"""Ranges that no machine, pod or Service can have an address in."""


def family_of(value: IPAddress | IPNetwork) -> Family:
    """Tell which family an address or a network belongs to."""
    return Family(value.version)


def parse_address(text: str, family: Family = Family.IPV4) -> IPAddress:
    """Read one address of a family, written in full; AddressError otherwise."""
    address = _address(text)
    if address is None:
        tail = ", without a prefix length" if "/" in text else ""
        raise AddressError(f"{_quoted(text)} is not an {family.label} address", _ADDRESS[family] + tail)
    if address.version != family.value:
        raise AddressError(f"{address} is an {family_of(address).label} address", f"an {family.label} address")
    return address


def parse_network(text: str, family: Family = Family.IPV4) -> IPNetwork:
    """Read one network of a family: its first address, a slash and a prefix length; AddressError otherwise.

    Host bits are refused, and the network that was probably meant is named.
    """
    base, slash, prefix = text.partition("/")
    address = _address(base)
    if address is None:
        raise AddressError(f"{_quoted(text)} is not a network", _NETWORK[family])
    if address.version != family.value:
        raise AddressError(f"{_quoted(text)} is {family_of(address).label}", _NETWORK[family])
    if not slash:
        raise AddressError(f"{text} has no prefix length", _NETWORK[family])
    if not _PREFIX.fullmatch(prefix) or int(prefix) > family.bits:
        expected = f"a number from 0 to {family.bits} after the /"
        raise AddressError(f"{_quoted(text)} has no valid prefix length", expected)
    network = network_of(address, int(prefix))
    if network.first != int(address):
        raise AddressError(f"{text} has host bits set", f"{network}, the network that holds {address}")
    return network


def network_of(address: IPAddress, prefix: int) -> IPNetwork:
    """Give the network of a prefix length that holds an address."""
    span = 1 << (family_of(address).bits - prefix)
    return _network(int(address) // span * span, prefix, family_of(address))


def everything(family: Family) -> IPNetwork:
    """Give the default route's destination: every address of a family."""
    return _network(0, 0, family)


def host(network: IPNetwork, number: int) -> IPAddress:
    """Give a network's address by number: 0 is its own, 1 its first host; AddressError where it has no such address."""
    if not 0 <= number < network.size:
        raise AddressError(f"{network} has no address number {number}", f"a number from 0 to {network.size - 1}")
    return IPAddress(network.first + number, network.version)


def span(first: IPAddress, last: IPAddress) -> tuple[IPNetwork, ...]:
    """Give the fewest networks that hold just the addresses from one to another; AddressError in the wrong order."""
    if first.version != last.version or first > last:
        raise AddressError(f"{first} to {last} is no range", "the first address, then the last")
    return tuple(iprange_to_cidrs(first, last))


def usable(network: IPNetwork, address: IPAddress) -> bool:
    """Tell whether a machine of this network can have this address: within it, and neither its first nor its last."""
    return bool(address.version == network.version and network.first < int(address) < network.last)


def count(network: IPNetwork, prefix: int) -> int:
    """Count the subnets of a prefix length in a network; none where they would be larger than it."""
    if not network.prefixlen <= prefix <= family_of(network).bits:
        return 0
    return 1 << (prefix - network.prefixlen)


def carve(network: IPNetwork, prefix: int, index: int) -> IPNetwork:
    """Give a network's subnet of a prefix length by index, from 0; AddressError where it has too few of them."""
    subnets = count(network, prefix)
    if not 0 <= index < subnets:
        raise AddressError(
            f"{network} has too few subnets: number {index} is wanted",
            f"a number from 0 to {subnets - 1}" if subnets else f"a network that holds a /{prefix}",
        )
    span = 1 << (family_of(network).bits - prefix)
    return _network(network.first + index * span, prefix, family_of(network))


def within(inner: IPNetwork | IPAddress, outer: IPNetwork) -> bool:
    """Tell whether an address or the whole of a network lies in another network."""
    first, last = (inner.first, inner.last) if isinstance(inner, IPNetwork) else (int(inner), int(inner))
    return bool(inner.version == outer.version and outer.first <= first and last <= outer.last)


def overlap(one: IPNetwork, other: IPNetwork) -> bool:
    """Tell whether two networks share an address. Networks of two families never do."""
    return bool(one.version == other.version and one.first <= other.last and other.first <= one.last)


def special_use(network: IPNetwork) -> str | None:
    """Say what a network, or a part of it, is kept for by a standard; None where it is for anybody's use."""
    return next((f"{taken}, {meaning}" for taken, meaning in _SPECIAL if overlap(network, taken)), None)


def _address(text: str) -> IPAddress | None:
    if len(text) > _LONGEST:
        return None
    try:
        return IPAddress(text)
    except (AddrFormatError, ValueError):
        return None


def _network(first: int, prefix: int, family: Family) -> IPNetwork:
    network = IPNetwork(IPAddress(first, family.value))
    network.prefixlen = prefix
    return network


def _quoted(text: str) -> str:
    return repr(text if len(text) <= _LONGEST else text[:_LONGEST] + "...")
