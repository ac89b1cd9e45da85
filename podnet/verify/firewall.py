"""What a host's packet filter does with packets from pod to pod, found by following them through it.

Followed are not single packets but all of one way at once (a Flow: addresses in these networks, in here and out there).
A condition can hold for such packets or not, and it may have to hold for all of them. So kube-proxy's rules, which ask
for its mark or for a Service's address, and portmap's, which ask for an address of the host, need no list of names:
no packet from pod to pod gets there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Final

from netaddr import IPNetwork

from podnet.addressing import overlap, within
from podnet.parse.netfilter import (
    Addresses,
    AddressTypes,
    Chain,
    Condition,
    Effect,
    Interfaces,
    Mark,
    Rule,
    Side,
    States,
    Table,
    Unread,
)

_FAMILIES: Final = ("ip", "inet", "bridge")
_WAY: Final = ("prerouting", "forward", "postrouting")
"""The hooks that a packet from pod to pod passes; bridged ones too, with bridge-nf-call-iptables."""

_REMARK: Final = re.compile(r' (-m comment --)?comment ("(\\.|[^"\\])*"|\S+)')
_DEEPEST: Final = 64
_MOST_MARKS: Final = 64


@dataclass(frozen=True, slots=True)
class Flow:
    """Packets from pods to pods that go one way through a node.

    came_in, goes_out: the interfaces on that way. reserved: addresses in the networks that no pod has.
    """

    source: IPNetwork
    destination: IPNetwork
    came_in: str
    goes_out: str
    reserved: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule, or a chain's policy, that drops or translates packets from pod to pod.

    tool: what shows it. text: as that prints it, without the remark, which often is a container's id.
    """

    tool: str
    table: str
    text: str
    effect: Effect

    @property
    def verb(self) -> str:
        """What it does to pods."""
        if self.effect is Effect.DROP:
            return "drops"
        return "masquerades" if "masquerade" in self.text.lower() else "translates"

    def __str__(self) -> str:
        return f"{self.verb} pods: {self.text} ({self.tool}, table {self.table})"


@dataclass(slots=True)
class _Walk:
    """One way through one table. marks: every mark that a packet can have; None among them: any."""

    table: Table
    state: str
    hook: str
    marks: set[int | None]
    findings: dict[Finding, None] = field(default_factory=dict)


def findings(tables: Sequence[Table], flows: Iterable[Flow]) -> tuple[Finding, ...]:
    """Every rule that drops or translates a packet of these flows, in the tables' order, each once."""
    found: dict[Finding, None] = {}
    for flow in flows:
        found |= _of_flow(tables, flow)
    return tuple(found)


def _of_flow(tables: Sequence[Table], flow: Flow) -> dict[Finding, None]:
    # A packet begins without a mark; a rule that sets one may come before or after a rule that asks for it.
    marks: set[int | None] = {0}
    while True:
        found: dict[Finding, None] = {}
        after = set(marks)
        for walk, chain in _base_chains(tables, after):
            if not _follow(walk, chain, flow, 0) and chain.drops:
                text = f"policy DROP of chain {chain.name}"
                walk.findings[Finding(walk.table.tool, _name(walk.table), text, Effect.DROP)] = None
            found |= walk.findings
        if after == marks:
            return found
        marks = after if len(after) <= _MOST_MARKS else {None}


def _base_chains(tables: Sequence[Table], marks: set[int | None]) -> Iterator[tuple[_Walk, Chain]]:
    for table in tables:
        if table.family not in _FAMILIES:
            continue
        for chain in table.chains.values():
            if chain.hook in _WAY:
                # The rules for translation see the first packet of a connection only.
                for state in ("NEW",) if chain.name in table.nat_chains else ("NEW", "ESTABLISHED"):
                    yield _Walk(table, state, chain.hook, marks), chain


def _name(table: Table) -> str:
    return table.name if table.tool != "nft" else f"{table.family} {table.name}"


def _follow(walk: _Walk, chain: Chain, flow: Flow, depth: int) -> bool:
    """Follow a flow through a chain. True: no packet of it comes out at the end."""
    if depth > _DEEPEST:
        return False
    for rule in chain.rules:
        held = [_holds(condition, flow, walk) for condition in rule.conditions]
        narrow = _narrowed(rule.conditions, flow)
        if False in held or _is_no_pods(narrow):
            continue
        always = None not in held
        if rule.effect is Effect.RETURN and always:
            return False
        if _take(walk, rule, narrow, depth) and always:
            return True
        if rule.effect is Effect.GOTO and always:
            return False
    return False


def _take(walk: _Walk, rule: Rule, flow: Flow, depth: int) -> bool:
    """Do what a rule does with the packets that it takes. True: none of them goes on behind it."""
    match rule.effect:
        case Effect.ACCEPT:
            return True
        case Effect.DROP | Effect.TRANSLATE:
            text = _REMARK.sub("", rule.text)
            walk.findings[Finding(walk.table.tool, _name(walk.table), text, rule.effect)] = None
            return True
        case Effect.MARK:
            new = rule.mark
            walk.marks |= {
                None if new.unknown or mark is None else (mark & ~new.mask & 0xFFFFFFFF) ^ new.value
                for mark in set(walk.marks)
            }
        case Effect.JUMP | Effect.GOTO:
            chain = walk.table.chains.get(rule.chain)
            return chain is not None and _follow(walk, chain, flow, depth + 1)
    return False


def _narrowed(conditions: Iterable[Condition], flow: Flow) -> Flow:
    """The part of a flow that a rule's addresses leave."""
    for condition in conditions:
        if isinstance(condition, Addresses) and not condition.negated and len(condition.networks) == 1:
            network = condition.networks[0]
            now = flow.source if condition.side is Side.SOURCE else flow.destination
            if network != now and within(network, now):
                source = condition.side is Side.SOURCE
                flow = replace(flow, source=network) if source else replace(flow, destination=network)
    return flow


def _is_no_pods(flow: Flow) -> bool:
    """Whether these are no packets between two pods: one address at both ends, or one that is no pod's."""
    ends = [network for network in (flow.source, flow.destination) if network.size == 1]
    reserved = any(network.first in flow.reserved for network in ends)
    return reserved or (len(ends) == 2 and flow.source == flow.destination)


def _holds(condition: Condition, flow: Flow, walk: _Walk) -> bool | None:
    """Whether a condition holds for every packet of a flow (True), for none (False), or for some (None)."""
    match condition:
        case Addresses(side, networks):
            mine = flow.source if side is Side.SOURCE else flow.destination
            held = True if any(within(mine, each) for each in networks) else None
            if held is None and not any(overlap(mine, each) for each in networks):
                held = False
        case Interfaces(side, names):
            held = _on_interface(flow.came_in if side is Side.SOURCE else flow.goes_out, names, side, walk)
        case AddressTypes(_, names):
            held = "UNICAST" in names  # a pod's address is no address of the host itself
        case States(names):
            held = walk.state in names
        case Mark(value, mask):
            held = _one_of([None if mark is None else mark & mask == value for mark in walk.marks])
        case Unread():
            return None
    return held if held is None or not condition.negated else not held


def _on_interface(interface: str, names: Sequence[str], side: Side, walk: _Walk) -> bool | None:
    undecided = (walk.hook, side) in (("prerouting", Side.DESTINATION), ("postrouting", Side.SOURCE))
    if not interface or undecided or walk.table.family == "bridge":  # there the bridge's ports are meant
        return None
    return any(fnmatchcase(interface, name) for name in names)


def _one_of(answers: Sequence[bool | None]) -> bool | None:
    return answers[0] if len(set(answers)) == 1 else None
