"""The packet filter of a host as values, whichever tool has printed it (see iptables and nftables beside this).

A rule holds conditions and an effect. What a parser does not understand is kept as Unread: a condition that may hold or
not, so that a rule is never taken for harmless because it could not be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from netaddr import IPNetwork


class Side(StrEnum):
    """An end of a packet's way."""

    SOURCE = "source"
    DESTINATION = "destination"


class Effect(StrEnum):
    """What a rule does with a packet. translate: gives it another address. mark: another mark. none: only looks."""

    ACCEPT = "accept"
    DROP = "drop"
    TRANSLATE = "translate"
    MARK = "mark"
    JUMP = "jump"
    GOTO = "goto"
    RETURN = "return"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Addresses:
    """The packet's address is in one of these networks."""

    side: Side
    networks: tuple[IPNetwork, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Interfaces:
    """The packet came in by (source) or leaves by (destination) one of these; a name that ends in * is a prefix."""

    side: Side
    names: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class AddressTypes:
    """What the packet's address is to this host: LOCAL, UNICAST, BROADCAST, ..., as the kernel calls it."""

    side: Side
    names: frozenset[str]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class States:
    """What connection tracking says of the packet: NEW, ESTABLISHED, RELATED, INVALID, ..."""

    names: frozenset[str]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """The packet's mark, under a mask, has this value."""

    value: int
    mask: int
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Unread:
    """A condition that podnet knows nothing of."""

    text: str


Condition = Addresses | Interfaces | AddressTypes | States | Mark | Unread


@dataclass(frozen=True, slots=True)
class NewMark:
    """mark becomes (mark and not mask) xor value. unknown: it becomes anything."""

    value: int = 0
    mask: int = 0
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule. text: as its tool prints it. chain: where jump and goto go. mark: what effect mark does."""

    text: str
    conditions: tuple[Condition, ...]
    effect: Effect
    chain: str = ""
    mark: NewMark = NewMark()


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain. hook: where the kernel calls it, as prerouting or forward; empty where only rules do."""

    name: str
    hook: str
    drops: bool
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table. tool: the command that shows it. nat: its chains see the first packet of a connection only."""

    tool: str
    family: str
    name: str
    chains: Mapping[str, Chain]
    nat_chains: frozenset[str]
