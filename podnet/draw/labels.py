"""What every picture shows alike, whatever it is written as: its signs, its words, and how much of many things."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from podnet.draw.evidence import WORST_FIRST, Evidence, State
from podnet.draw.graph import DrawnMachine, DrawnRoute, Graph
from podnet.text import counted

_T = TypeVar("_T")

SIGNS: Final = {
    State.PLANNED: "○",
    State.PASSED: "✓",
    State.FAILED: "✗",
    State.NOT_TRIED: "\N{EN DASH}",
    State.DRIFTED: "⚠",
}
"""Each state has a sign of its own, not only a colour. The SVG draws the same ones: not every font has them."""

MEANINGS: Final = {
    State.PLANNED: "nobody has looked yet",
    State.PASSED: "every check that takes it holds",
    State.FAILED: "a check that takes it does not hold",
    State.NOT_TRIED: "no check took it",
    State.DRIFTED: "the kernel and the plan differ",
}

ARROWS: Final = 3
"""Machines, at most, whose routes are drawn as arrows; of more every machine lists its own."""

ROUTES: Final = 16
"""Routes that a machine lists, at most. GitHub draws no flowchart of more than 50,000 characters."""

HIDDEN: Final = "ipMasq: hidden from other nodes' pods too"
OUTSIDE: Final = "sees machines, never pods"


class Code(str):
    """A piece of a label that is an address or a network."""

    __slots__ = ()


Label = tuple[str, ...]
"""A line in pieces, some of them Code."""


def verdict(graph: Graph) -> str:
    """What came of looking."""
    return graph.verdict or "planned: drawn from the plan alone"


def status(evidence: Evidence) -> str:
    """A state with its sign, and why."""
    return f"{SIGNS[evidence.state]} {evidence}"


def columns(machines: int) -> int:
    """How many machines stand in a row."""
    return machines if machines <= ARROWS else math.ceil(math.sqrt(machines))


def most_pods(*, arrows: bool) -> int:
    """Pods that a machine shows, at most."""
    return 6 if arrows else 4


def cut(things: Sequence[_T], most: int) -> tuple[Sequence[_T], int]:
    """The first ones, where there is not room for all, and how many are left out: that takes a line too."""
    shown = things if len(things) <= most else things[: max(most - 1, 0)]
    return shown, len(things) - len(shown)


@dataclass(frozen=True, slots=True)
class RouteGroup:
    """Routes of one state. routes: those that are listed. more: how many are not."""

    state: State
    routes: Sequence[DrawnRoute]
    more: int

    @property
    def heading(self) -> str:
        """How many there are."""
        return f"{counted(len(self.routes) + self.more, 'route')} {self.state}"

    @property
    def rest(self) -> str:
        """What is said of those that are not listed."""
        return f"+{self.more} more {self.state}"


def route_groups(routes: Sequence[DrawnRoute]) -> list[RouteGroup]:
    """The routes of a machine as it lists them: by state, the worst first, so many of all."""
    left, groups = ROUTES, []
    for state in WORST_FIRST:
        mine = [route for route in routes if route.evidence.state is state]
        if mine:
            groups.append(RouteGroup(state, *cut(mine, left)))
            left -= min(len(mine), left)
    return groups


def route(drawn: DrawnRoute) -> Label:
    """A route as ip-route(8) has it."""
    return (Code(drawn.destination), " via ", Code(drawn.gateway))


def route_tooltip(drawn: DrawnRoute) -> str:
    """Everything about a route, for those who point at it."""
    to = f" ({drawn.peer})" if drawn.peer else ""
    note = f", {drawn.evidence.note}" if drawn.evidence.note else ""
    return "\n".join((f"{drawn.node}: {drawn}{to}: {drawn.evidence.state}{note}", *drawn.evidence.details))


def pod_range(machine: DrawnMachine) -> str:
    """The addresses that host-local hands out."""
    return f"pods get {machine.first_pod} to {machine.last_pod}"


def no_pods(machine: DrawnMachine) -> str:
    """What stands where no pod is shown: nobody looked, or there is none."""
    return pod_range(machine) if machine.pods is None else "no pod seen"


def interface(machine: DrawnMachine) -> str:
    """What comes before a machine's address: its interface, where somebody looked."""
    return machine.interface or "the interface that holds"


def masquerade(graph: Graph, machine: DrawnMachine) -> tuple[Label, ...]:
    """How the pods of a machine leave the cluster."""
    kept = Code(", ".join(graph.non_masquerade_cidrs))
    lines: list[Label] = [
        (Code(machine.pod_subnet), " leaves as ", Code(machine.address)),
        ("not towards ", kept, " or machines"),
    ]
    return (*lines, (HIDDEN,)) if graph.hidden_by_bridge else tuple(lines)
