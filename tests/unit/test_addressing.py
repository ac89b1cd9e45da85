"""Addresses and networks: what is read, what is refused, and the arithmetic on them."""

from __future__ import annotations

import pytest

from podnet import addressing
from podnet.addressing import AddressError, Family


@pytest.mark.parametrize("text", ["0.0.0.1", "10.100.198.200", "255.255.255.255"])
def test_an_address_is_read(text: str) -> None:
    assert str(addressing.parse_address(text)) == text


@pytest.mark.parametrize(
    "text",
    # netaddr, or the C library below it, takes or took some of these for an address.
    [
        *("1", "10.1", "10.1.2", "010.0.0.1", "0x0a.0.0.1", "10.0.0.256", "10.0.0.1/24", "10.0.0.1.", "-1.0.0.0"),
        *("localhost", "fd00::1", "fe80::1%lo"),
        *("", " ", "10.0.0.1 ", "10.0.0.1\n", "10.0.0.1\x00", "\ud800", "\uff110.0.0.1", "1" * 5000),
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(AddressError):
        addressing.parse_address(text)


@pytest.mark.parametrize("text", ["0.0.0.0/0", "10.22.0.0/16", "10.22.1.0/24", "10.22.1.5/32"])
def test_a_network_is_read(text: str) -> None:
    network = addressing.parse_network(text)
    assert str(network) == text
    assert network.first == int(network.ip)


@pytest.mark.parametrize(
    ("text", "found", "expected"),
    [
        ("10.22.1.5/24", "10.22.1.5/24 has host bits set", "10.22.1.0/24, the network that holds 10.22.1.5"),
        ("10.22.0.0", "10.22.0.0 has no prefix length", "an IPv4 network, like 10.22.1.0/24"),
        ("fd00::/64", "'fd00::/64' is IPv6", "an IPv4 network, like 10.22.1.0/24"),
        ("pods", "'pods' is not a network", "an IPv4 network, like 10.22.1.0/24"),
        ("10.22.0.0/255.255.0.0", "'10.22.0.0/255.255.0.0' has no valid prefix length", "a number from 0 to 32 after"),
    ],
)
def test_a_refused_network_says_what_was_meant(text: str, found: str, expected: str) -> None:
    with pytest.raises(AddressError) as caught:
        addressing.parse_network(text)
    assert caught.value.found == found
    assert caught.value.expected.startswith(expected)
    assert str(caught.value) == f"{found}; expected {caught.value.expected}"


@pytest.mark.parametrize(
    "prefix", ["", " 8", "8 ", "08", "008", "-1", "+8", "33", "8/8", "8.0", "²", "٨", "1" * 5000, "ff00::"]
)
def test_a_prefix_length_is_a_plain_number(prefix: str) -> None:
    with pytest.raises(AddressError):
        addressing.parse_network(f"10.0.0.0/{prefix}")


def test_the_family_is_a_value() -> None:
    assert str(addressing.parse_address("fd00::1", Family.IPV6)) == "fd00::1"
    network = addressing.parse_network("fd00:22::/56", Family.IPV6)
    assert addressing.family_of(network) is Family.IPV6
    assert str(addressing.carve(network, 64, 255)) == "fd00:22:0:ff::/64"
    assert str(addressing.everything(Family.IPV6)) == "::/0"
    with pytest.raises(AddressError, match=r"10\.0\.0\.1 is an IPv4 address"):
        addressing.parse_address("10.0.0.1", Family.IPV6)


def test_a_subnet_is_carved_by_its_index() -> None:
    pods = addressing.parse_network("10.22.0.0/16")
    assert [str(addressing.carve(pods, 24, index)) for index in (0, 1, 255)] == [
        "10.22.0.0/24",
        "10.22.1.0/24",
        "10.22.255.0/24",
    ]
    assert addressing.carve(pods, 16, 0) == pods


@pytest.mark.parametrize(("text", "prefix", "index"), [("10.22.0.0/16", 24, 256), ("10.22.0.0/16", 24, -1)])
def test_too_few_subnets(text: str, prefix: int, index: int) -> None:
    with pytest.raises(AddressError, match=r"has too few subnets.*expected a number from 0 to 255"):
        addressing.carve(addressing.parse_network(text), prefix, index)


def test_a_network_smaller_than_its_subnets_has_none() -> None:
    # netaddr's own subnet() yields nothing here, without a word.
    network = addressing.parse_network("10.22.0.0/30")
    assert addressing.count(network, 24) == 0
    assert addressing.count(network, 33) == 0
    with pytest.raises(AddressError, match="expected a network that holds a /24"):
        addressing.carve(network, 24, 0)


def test_hosts_by_number() -> None:
    network = addressing.parse_network("10.22.1.0/30")
    assert [str(addressing.host(network, number)) for number in range(4)] == [f"10.22.1.{last}" for last in range(4)]
    assert [addressing.usable(network, addressing.host(network, number)) for number in range(4)] == [
        False,
        True,
        True,
        False,
    ]
    for number in (-1, 4):
        with pytest.raises(AddressError, match="has no address number"):
            addressing.host(network, number)
    assert not addressing.usable(network, addressing.parse_address("10.22.2.1"))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("10.22.0.0/16", "10.22.255.0/24", True),
        ("10.22.0.0/24", "10.22.0.0/24", True),
        ("10.22.0.0/24", "10.22.1.0/24", False),
        ("0.0.0.0/0", "10.22.1.0/24", True),
        ("10.22.0.255/32", "10.22.0.0/24", True),
    ],
)
def test_overlap_goes_both_ways(one: str, other: str, expected: bool) -> None:
    first, second = addressing.parse_network(one), addressing.parse_network(other)
    assert addressing.overlap(first, second) is expected
    assert addressing.overlap(second, first) is expected


def test_families_never_overlap() -> None:
    assert not addressing.overlap(addressing.everything(Family.IPV4), addressing.everything(Family.IPV6))
    assert not addressing.within(addressing.parse_address("10.0.0.1"), addressing.everything(Family.IPV6))


def test_within() -> None:
    pods = addressing.parse_network("10.22.0.0/16")
    assert addressing.within(addressing.parse_network("10.22.0.0/16"), pods)
    assert addressing.within(addressing.parse_address("10.22.255.255"), pods)
    assert not addressing.within(addressing.parse_network("10.22.0.0/15"), pods)
    assert not addressing.within(addressing.parse_address("10.23.0.0"), pods)


def test_special_use() -> None:
    assert addressing.special_use(addressing.parse_network("10.0.0.0/8")) is None
    assert "multicast" in (addressing.special_use(addressing.parse_network("239.0.0.0/8")) or "")
    assert "loopback" in (addressing.special_use(addressing.parse_network("::1/128", Family.IPV6)) or "")


def test_a_span_is_covered_by_the_fewest_networks() -> None:
    first, last = addressing.parse_address("10.0.0.1"), addressing.parse_address("10.0.0.6")
    assert [str(network) for network in addressing.span(first, last)] == [
        "10.0.0.1/32", "10.0.0.2/31", "10.0.0.4/31", "10.0.0.6/32"
    ]  # fmt: skip
    assert [str(network) for network in addressing.span(first, first)] == ["10.0.0.1/32"]
    with pytest.raises(AddressError, match="no range"):
        addressing.span(last, first)
    with pytest.raises(AddressError, match="no range"):
        addressing.span(first, addressing.parse_address("fd00::1", Family.IPV6))
