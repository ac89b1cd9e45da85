"""The parts of a machine's card, from top to bottom in the order that a packet passes them.

A block knows how wide and high it has to be, and draws itself at a place; cards in a row give each other the heights.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from podnet.draw.graph import BY_WEIGHT, Evidence, Graph, Machine, RouteEdge, State
from podnet.draw.measure import shortened, width, wrapped
from podnet.draw.shapes import (
    CODE,
    NAME,
    SMALL,
    STRONG,
    Box,
    Group,
    Head,
    Line,
    Mark,
    Shape,
    Text,
    Words,
    say,
    width_of,
)
from podnet.draw.style import word

WIDEST: Final = 352
"""No block asks for more: what may be longer (names) is wrapped or shortened."""

_SPINE: Final = 10
"""Where the way of the packets runs, from the left of a block."""

_BESIDE: Final = 26
"""Where what is beside the spine begins."""

_LINE: Final = 17
_MARK: Final = 18
"""The room of a mark before its text."""


class Block(Protocol):
    """A part of a card."""

    @property
    def width(self) -> float:
        """The width that it wants, at most WIDEST."""

    @property
    def height(self) -> float:
        """The least height that it needs."""

    def shapes(self, x: float, y: float, width: float, height: float) -> Iterator[Shape]:
        """Draw it."""


@dataclass(frozen=True, slots=True)
class Header:
    """Who the machine is."""

    machine: Machine

    @property
    def width(self) -> float:
        """The name, up to a width at which it is wrapped."""
        return min(width(self.machine.name, NAME), 270)

    @property
    def height(self) -> float:
        """The lines of the name, and the role."""
        # As many lines as the name can need in the least width that a card has.
        return 26 + 19 * len(wrapped(self.machine.name, NAME, self.width))

    def shapes(self, x: float, y: float, width: float, height: float) -> Iterator[Shape]:
        """The name large, the role below it."""
        for number, line in enumerate(wrapped(self.machine.name, NAME, width)):
            yield say(x, y + 15 + 19 * number, line, NAME)
        yield say(x, y + height - 12, self.machine.role, SMALL, "muted")


@dataclass(frozen=True, slots=True)
class Pods:
    """The pods of a machine, hanging on their bridge. most: how many are shown."""

    machine: Machine
    most: int

    @property
    def _rows(self) -> int:
        return min(max(len(self.machine.pods or ()), 1), self.most)

    @property
    def width(self) -> float:
        """The widest of the caption, the range and the pods, which may be shortened."""
        pods = self.machine.pods or ()
        address = max((width(pod.address, CODE) for pod in pods), default=0)
        name = max((width(pod.name, SMALL) for pod in pods), default=0)
        caption = width(f"pod subnet {self.machine.pod_subnet}", CODE) + 90
        return min(max(caption, width(self._range, SMALL) + 60, name + address + 80), WIDEST)

    @property
    def height(self) -> float:
        """A row for each pod that is shown, and the bridge."""
        return 30 + 30 * self._rows + 4 + 30 + 8

    @property
    def _range(self) -> str:
        return f"pods get {self.machine.first_pod} to {self.machine.last_pod}"

    def shapes(self, x: float, y: float, width: float, height: float) -> Iterator[Shape]:
        """The pods on their wires, and the bridge that they hang on."""
        machine = self.machine
        yield Box(x, y, width, height, "subnet", 6)
        yield Text(x + 10, y + 19, (Words("pod subnet ", SMALL), Words(machine.pod_subnet, CODE)), "muted")
        if machine.local.state is not State.PLANNED:
            yield _said(x + width - 10, y + 19, machine.local, right=True)
        bridge = y + height - 38
        rows = list(self._pods(x + _BESIDE + 4, y + 30, width - _BESIDE - 14))
        for row in range(len(rows)):
            middle = y + 30 + 30 * row + 12
            yield Line(((x + _SPINE + 8, bridge), (x + _SPINE + 8, middle), (x + _BESIDE + 4, middle)), "wire")
        for shapes in rows:
            yield from shapes
        yield Box(x + 10, bridge, width - 20, 30, "bridge")
        yield say(x + 20, bridge + 19.5, machine.bridge, STRONG, "on-bridge")
        yield say(x + width - 20, bridge + 19.5, machine.bridge_address, CODE, "on-bridge", anchor="end")

    def _pods(self, x: float, y: float, width: float) -> Iterator[list[Shape]]:
        pods = self.machine.pods
        if not pods:
            text = self._range if pods is None else "no pod seen"
            yield [Box(x, y, width, 24, "ghost"), say(x + 8, y + 16, text, SMALL, "muted")]
            return
        shown = pods if len(pods) <= self.most else pods[: self.most - 1]
        for row, pod in enumerate(shown):
            top = y + 30 * row
            mark = _MARK if pod.astray else 0
            room = width - 28 - mark - width_of((Words(pod.address, CODE),))
            shapes: list[Shape] = [
                Box(x, top, width, 24, "pod"),
                say(x + 8 + mark, top + 16, shortened(pod.name, SMALL, room), SMALL),
                say(x + width - 8, top + 16, pod.address, CODE, anchor="end"),
            ]
            if pod.astray:
                shapes.append(Mark(x + 13, top + 12, State.DRIFTED))
            where = f", which is not in {self.machine.pod_subnet}: drifted" if pod.astray else ""
            yield [Group(tuple(shapes), f"pod {pod.namespace}/{pod.name}: {pod.address}{where}")]
        if len(shown) < len(pods):
            top = y + 30 * len(shown)
            text = f"+{len(pods) - len(shown)} more pods"
            yield [Box(x, top, width, 24, "ghost"), say(x + 8, top + 16, text, SMALL, "muted")]


@dataclass(frozen=True, slots=True)
class Routes:
    """The routes of a machine as a list, the worst state first. most: how many are written out."""

    machine: Machine
    most: int

    @property
    def _groups(self) -> list[tuple[State, list[RouteEdge]]]:
        groups = [(state, [r for r in self.machine.routes if r.evidence.state is state]) for state in BY_WEIGHT]
        return [(state, routes) for state, routes in groups if routes]

    @property
    def _rows(self) -> list[tuple[State, list[RouteEdge], int]]:
        """For each state the routes that are written out, and how many are not."""
        left, rows = self.most, []
        for state, routes in self._groups:
            shown = routes if len(routes) <= left else routes[: max(left - 1, 0)]
            left -= min(len(routes), left)
            rows.append((state, shown, len(routes) - len(shown)))
        return rows

    @property
    def _column(self) -> float:
        return max((width(route.destination, CODE) for route in self.machine.routes), default=0) + 9

    @property
    def width(self) -> float:
        """Two columns, destination and next hop."""
        gateway = max((width(route.gateway, CODE) for route in self.machine.routes), default=0)
        return min(_BESIDE + _MARK + self._column + 24 + gateway, WIDEST)

    @property
    def height(self) -> float:
        """A line for each route that is written out, and one for each state."""
        lines = 0
        for _, shown, more in self._rows:
            lines += 1 + len(shown) + sum(bool(route.evidence.note) for route in shown) + bool(more)
        return 8 + _LINE * lines + 4

    def shapes(self, x: float, y: float, width: float, height: float) -> Iterator[Shape]:
        """The routes, each state under its own heading."""
        yield from _way(x, y, height)
        line, left = y + 8 + 11, x + _BESIDE
        for state, shown, more in self._rows:
            count = len(shown) + more
            yield Mark(left + 5, line - 4, state)
            text = f"{count} {'route' if count == 1 else 'routes'} {state}"
            yield say(left + _MARK, line, text, STRONG, f"said {word(state)}")
            line += _LINE
            for route in shown:
                yield Group(tuple(self._route(route, left + _MARK, line, width - _BESIDE - _MARK)), told(route))
                line += _LINE * (2 if route.evidence.note else 1)
            if more:
                yield say(left + _MARK, line, f"+{more} more {state}", SMALL, "muted")
                line += _LINE

    def _route(self, route: RouteEdge, x: float, y: float, room: float) -> Iterator[Shape]:
        yield say(x, y, shortened(route.destination, CODE, room / 2), CODE)
        via = (Words("via ", SMALL), Words(route.gateway, CODE))
        yield Text(x + self._column, y, via)
        if route.evidence.note:
            yield say(x, y + _LINE - 2, route.evidence.note, SMALL, f"said {word(route.evidence.state)}")


@dataclass(frozen=True, slots=True)
class Masquerade:
    """How the pods of a machine leave the cluster."""

    machine: Machine
    graph: Graph

    @property
    def _lines(self) -> tuple[tuple[Words, ...], ...]:
        spared = ", ".join(self.graph.unmasqueraded)
        machine = self.machine
        lines: list[tuple[Words, ...]] = [
            (Words(machine.pod_subnet, CODE), Words(" leaves as ", SMALL), Words(machine.address, CODE)),
            (Words("not towards ", SMALL), Words(spared, CODE), Words(" or machines", SMALL)),
        ]
        if self.graph.hidden_by_bridge:
            lines.append((Words("ipMasq: hidden from other nodes' pods too", SMALL),))
        return tuple(lines)

    @property
    def width(self) -> float:
        """Its longest line."""
        return min(max(_BESIDE + width_of(line) for line in self._lines), WIDEST)

    @property
    def height(self) -> float:
        """Its heading and its lines."""
        return 10 + 18 + 16 * len(self._lines) + 8

    def shapes(self, x: float, y: float, width: float, height: float) -> Iterator[Shape]:
        """The rule in words, with what the outside saw."""
        yield from _way(x, y, height)
        # At the bottom: it is the last thing before the interface.
        line = y + height - self.height + 10 + 11
        yield say(x + _BESIDE, line, "masquerade", STRONG)
        if self.machine.leaving.state is not State.PLANNED:
            yield _said(x + width - 10, line, self.machine.leaving, right=True)
        for number, words in enumerate(self._lines):
            yield Text(x + _BESIDE, line + 18 + 16 * number, words, "muted")


@dataclass(frozen=True, slots=True)
class Interface:
    """The interface that the machine has in the machines' network."""

    machine: Machine

    @property
    def _words(self) -> tuple[Words, ...]:
        if self.machine.interface:
            name = shortened(self.machine.interface, STRONG, 200)
            return (Words(name, STRONG), Words("  ", SMALL), Words(self.machine.address, CODE))
        return (Words("the interface that holds ", SMALL), Words(self.machine.address, CODE))

    @property
    def width(self) -> float:
        """The name and the address."""
        return min(width_of(self._words) + 24, WIDEST)

    @property
    def height(self) -> float:
        """One line in a box."""
        return 30

    def shapes(self, x: float, y: float, width: float, height: float) -> Iterator[Shape]:
        """The interface, which reaches out of the card."""
        yield Head((x + _SPINE, y), "down", "wire-head")
        yield Box(x, y, width, height, "interface")
        yield Text(x + width / 2, y + 19.5, self._words, anchor="middle")


def told(route: RouteEdge) -> str:
    """Say everything about a route, for those who point at it."""
    to = f" ({route.peer})" if route.peer else ""
    head = f"{route.node}: {route.destination} via {route.gateway}{to}: {route.evidence.state}"
    note = f", {route.evidence.note}" if route.evidence.note else ""
    return "\n".join((head + note, *route.evidence.details))


def _said(x: float, y: float, evidence: Evidence, *, right: bool = False) -> Group:
    """The mark and the word of a state, beginning at x; with right, ending there."""
    text = width(evidence.state, SMALL)
    start = x - text - _MARK + 3 if right else x
    shapes = (
        Mark(start + 5, y - 4, evidence.state),
        say(start + _MARK - 3, y, evidence.state, SMALL, f"said {word(evidence.state)}"),
    )
    return Group(shapes, "\n".join(evidence.details))


def _way(x: float, y: float, height: float) -> Iterator[Shape]:
    """The piece of the packets' way beside a block."""
    yield Line(((x + _SPINE, y), (x + _SPINE, y + height)), "wire")
