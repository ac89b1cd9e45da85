"""What rules of a packet filter do with source addresses, whichever tool they were written for.

Packets are followed through a chain by their addresses alone. A rule may ask for more (an interface, a port, a mark):
then it is only possible that it holds. A translation that is possible counts, and an exemption that is only possible
does not. So does what nobody can read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from podnet_policy import addresses
from podnet_policy.addresses import NONE, WHERE_PODS_CAN_BE, Range, Ranges

_DEEPEST: Final = 16


class Effect(Enum):
    """What a rule does with a packet that it holds for. END: the chain's packets go on untranslated, or nowhere."""

    NONE = auto()
    TRANSLATE = auto()
    END = auto()
    RETURN = auto()
    JUMP = auto()
    GOTO = auto()


class Side(Enum):
    """Which address of a packet."""

    SOURCE = auto()
    DESTINATION = auto()


@dataclass(frozen=True, slots=True)
class Addresses:
    """A rule asks for an address. values: as written: addresses, prefixes, ranges, ``@set``."""

    side: Side
    values: tuple[str, ...]
    negated: bool = False


Place = tuple[str, ...]
"""Of a table: the tool or family, and the name. Of a chain or set: its table's and its own name."""


@dataclass(slots=True)
class Rule:
    """One rule.

    text: as written. versions: the IP versions that it can hold for. certain: it asks for addresses alone.
    target: the chain that a JUMP or GOTO leads to.
    """

    text: str
    versions: frozenset[int]
    conditions: list[Addresses] = field(default_factory=list)
    certain: bool = True
    effect: Effect = Effect.NONE
    target: str = ""


@dataclass(frozen=True, slots=True)
class Translation:
    """A rule that translates packets from these sources to these destinations."""

    rule: Rule
    version: int
    source: Range
    destinations: Ranges


@dataclass(slots=True)
class Ruleset:
    """The chains and sets that a text writes, in the state in which it leaves them."""

    chains: dict[Place, list[Rule]] = field(default_factory=dict)
    sets: dict[Place, list[str]] = field(default_factory=dict)

    def add(self, chain: Place, rule: Rule, *, first: bool = False) -> None:
        """Add a rule at a chain's end, or at its beginning."""
        rules = self.chains.setdefault(chain, [])
        rules.insert(0 if first else len(rules), rule)

    def translations(self, version: int, sources: Ranges) -> Iterator[Translation]:
        """Follow all packets of some sources."""
        resolved = {
            place: [(rule, self._match(place, rule, version)) for rule in rules if version in rule.versions]
            for place, rules in self.chains.items()
        }
        if not any(rule.effect is Effect.TRANSLATE for rules in resolved.values() for rule, _ in rules):
            return
        cuts = [match.sources for rules in resolved.values() for _, match in rules]
        led_to = {
            (*place[:-1], rule.target)
            for place, rules in resolved.items()
            for rule, _ in rules
            if rule.effect in (Effect.JUMP, Effect.GOTO)
        }
        for source in addresses.split(sources, cuts):
            walk = _Walk(resolved, version, source)
            for place in resolved:
                if place not in led_to:
                    walk.follow(place, WHERE_PODS_CAN_BE[version])
            yield from walk.found

    def _match(self, place: Place, rule: Rule, version: int) -> _Match:
        sources = destinations = WHERE_PODS_CAN_BE[version]
        certain = rule.certain
        for condition in rule.conditions:
            asked = self._values(place[:-1], condition.values, version)
            if asked is None:
                certain = False
                continue
            before = sources if condition.side is Side.SOURCE else destinations
            after = (addresses.without if condition.negated else addresses.common)(before, asked)
            if condition.side is Side.SOURCE:
                sources = after
            else:
                destinations = after
        return _Match(sources, destinations, certain)

    def _values(self, table: Place, values: tuple[str, ...], version: int) -> Ranges | None:
        """Give the addresses of one version; None where a value cannot be read, or a set not be seen."""
        found: list[Range] = []
        for value in values:
            if value.startswith("@"):
                inside = self.sets.get((*table, value[1:]))
                part = self._values(table, tuple(inside), version) if inside else None
                if part is None:
                    return None
                found += part
            elif (read := addresses.read(value)) is None:
                return None
            elif read[0] == version:
                found.append(read[1])
        return addresses.union(found)


@dataclass(frozen=True, slots=True)
class _Match:
    """What a rule holds for, as far as addresses say; certain: for all of that."""

    sources: Ranges
    destinations: Ranges
    certain: bool


class _Walk:
    """The packets of one source, whose addresses no rule tells from each other, on their way through chains."""

    def __init__(self, chains: Mapping[Place, list[tuple[Rule, _Match]]], version: int, source: Range) -> None:
        self._chains = chains
        self._version = version
        self._source = source
        self.found: list[Translation] = []

    def follow(self, place: Place, packets: Ranges, depth: int = 0) -> Ranges:
        """Follow packets to these destinations through a chain; those that come back out of its end."""
        if depth > _DEEPEST:
            return packets  # the kernel takes no chains that lead in a circle, or so deep
        back = NONE
        for rule, match in self._chains.get(place, ()):
            held = addresses.common(packets, match.destinations)
            if not held or not addresses.common((self._source,), match.sources):
                continue
            returned = NONE  # to the caller, by this rule
            stay = NONE  # what it holds for, and sends on to the next rule
            match rule.effect:
                case Effect.NONE:
                    continue
                case Effect.TRANSLATE:
                    self.found.append(Translation(rule, self._version, self._source, held))
                case Effect.RETURN:
                    returned = held
                case Effect.JUMP:
                    stay = self.follow((*place[:-1], rule.target), held, depth + 1)
                case Effect.GOTO:
                    returned = self.follow((*place[:-1], rule.target), held, depth + 1)
            if match.certain:
                packets = addresses.union((*addresses.without(packets, held), *stay))
                back = addresses.union((*back, *returned))
        return addresses.union((*packets, *back))
