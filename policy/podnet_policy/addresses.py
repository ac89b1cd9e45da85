"""Sets of addresses of one IP version, as ranges of numbers: sorted, apart from each other, both ends in them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

VERSIONS: Final = (4, 6)

Range = tuple[int, int]
Ranges = tuple[Range, ...]
NONE: Final[Ranges] = ()


def union(ranges: Iterable[Range]) -> Ranges:
    """Put ranges together, whichever overlap."""
    found: list[Range] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return tuple(found)


def common(these: Ranges, those: Ranges) -> Ranges:
    """Give the addresses that are in both."""
    pairs = ((max(a, c), min(b, d)) for a, b in these for c, d in those)
    return union((first, last) for first, last in pairs if first <= last)


def without(these: Ranges, those: Ranges) -> Ranges:
    """Give the addresses of the first that are not in the second."""
    found = list(these)
    for first, last in those:
        left = [(start, min(end, first - 1)) for start, end in found]
        right = [(max(start, last + 1), end) for start, end in found]
        found = [each for each in (*left, *right) if each[0] <= each[1]]
    return union(found)


def split(these: Ranges, at: Iterable[Ranges]) -> list[Range]:
    """Cut ranges into parts that each lie wholly in or wholly out of every one of the others."""
    ends = {cut for those in at for first, last in those for cut in (first, last + 1)}
    found: list[Range] = []
    for first, last in these:
        cuts = sorted({first, last + 1} | {each for each in ends if first < each <= last})
        found += [(start, end - 1) for start, end in pairwise(cuts)]
    return found


def read(text: str) -> tuple[int, Range] | None:
    """Read an address, a prefix (also with a dotted mask) or a range with a dash: its version and its ends."""
    try:
        first, dash, last = text.partition("-")
        if dash:
            start, end = ipaddress.ip_address(first.strip()), ipaddress.ip_address(last.strip())
            same = start.version == end.version
            return (start.version, (int(start), int(end))) if same and int(start) <= int(end) else None
        network = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None
    return network.version, (int(network.network_address), int(network.broadcast_address))


def _of(networks: Sequence[str]) -> Ranges:
    return union(found[1] for each in networks if (found := read(each)))


_NO_PODS: Final = {
    4: _of(["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3"]),
    6: _of(["::/127", "::ffff:0:0/96", "fe80::/10", "ff00::/8"]),
}
"""Loopback, link-local, multicast and reserved addresses (RFC 6890)."""

WHERE_PODS_CAN_BE: Final = {
    4: without(_of(["0.0.0.0/0"]), _NO_PODS[4]),
    6: without(_of(["::/0"]), _NO_PODS[6]),
}
"""By version, every address that a pod can have."""
