"""The routes of a machine as a list."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from podnet.draw.card.block import BESIDE, MARK, WIDEST, way
from podnet.draw.graph import BY_WEIGHT, Machine, RouteEdge, State
from podnet.draw.measure import shortened, width
from podnet.draw.shapes import (
    CODE,
    SMALL,
    STRONG,
    Group,
    Mark,
    Shape,
    Text,
    Words,
    say,
)
from podnet.draw.style import word

_LINE: Final = 17
"""From one line of the list to the next."""


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
        return min(BESIDE + MARK + self._column + 24 + gateway, WIDEST)

    @property
    def height(self) -> float:
        """A line for each route that is written out, and one for each state."""
        lines = 0
        for _, shown, more in self._rows:
            lines += 1 + len(shown) + sum(bool(route.evidence.note) for route in shown) + bool(more)
        return 8 + _LINE * lines + 4

    def shapes(self, x: float, y: float, width: float, height: float) -> Iterator[Shape]:
        """The routes, each state under its own heading."""
        yield way(x, y, height)
        line, left = y + 8 + 11, x + BESIDE
        for state, shown, more in self._rows:
            count = len(shown) + more
            yield Mark(left + 5, line - 4, state)
            text = f"{count} {'route' if count == 1 else 'routes'} {state}"
            yield say(left + MARK, line, text, STRONG, f"said {word(state)}")
            line += _LINE
            for route in shown:
                yield Group(tuple(self._route(route, left + MARK, line, width - BESIDE - MARK)), told(route))
                line += _LINE * (2 if route.evidence.note else 1)
            if more:
                yield say(left + MARK, line, f"+{more} more {state}", SMALL, "muted")
                line += _LINE

    def _route(self, route: RouteEdge, x: float, y: float, room: float) -> Iterator[Shape]:
        yield say(x, y, shortened(route.destination, CODE, room / 2), CODE)
        via = (Words("via ", SMALL), Words(route.gateway, CODE))
        yield Text(x + self._column, y, via)
        if route.evidence.note:
            yield say(x, y + _LINE - 2, route.evidence.note, SMALL, f"said {word(route.evidence.state)}")


def told(route: RouteEdge) -> str:
    """Say everything about a route, for those who point at it."""
    to = f" ({route.peer})" if route.peer else ""
    head = f"{route.node}: {route.destination} via {route.gateway}{to}: {route.evidence.state}"
    note = f", {route.evidence.note}" if route.evidence.note else ""
    return "\n".join((head + note, *route.evidence.details))
