"""The routes of a machine as a list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from podnet.draw import labels
from podnet.draw.card.spine import BESIDE, WIDEST, way
from podnet.draw.graph import DrawnMachine, DrawnRoute
from podnet.draw.labels import Code
from podnet.draw.measure import CODE, SMALL, STRONG, shortened, text_width
from podnet.draw.shapes import SIGN, Block, Group, Shape, Text, spans, status, text
from podnet.draw.style import css_class

_LINE: Final = 17
"""From one line of the list to the next."""


def routes_block(machine: DrawnMachine) -> Block:
    """Draw the routes, each state under its own heading, the worst first."""
    groups = labels.route_groups(machine.routes)
    lines = sum(1 + len(group.routes) + bool(group.more) for group in groups)
    lines += sum(bool(route.evidence.note) for group in groups for route in group.routes)
    column = max((text_width(route.destination, CODE) for route in machine.routes), default=0) + 9
    gateway = max((text_width(route.gateway, CODE) for route in machine.routes), default=0)

    def draw(x: float, y: float, width: float, height: float) -> Iterator[Shape]:
        yield way(x, y, height)
        line, left = y + 8 + 11, x + BESIDE
        for group in groups:
            yield from status(left, line, group.state, group.heading, STRONG)
            line += _LINE
            for route in group.routes:
                shapes = _route(route, left + SIGN, line, column, width - BESIDE - SIGN)
                yield Group(tuple(shapes), labels.route_tooltip(route))
                line += _LINE * (2 if route.evidence.note else 1)
            if group.more:
                yield text(left + SIGN, line, group.rest, SMALL, "muted")
                line += _LINE

    return Block(min(BESIDE + SIGN + column + 24 + gateway, WIDEST), 8 + _LINE * lines + 4, draw)


def _route(route: DrawnRoute, x: float, y: float, column: float, room: float) -> Iterator[Shape]:
    yield text(x, y, shortened(route.destination, CODE, room / 2), CODE)
    yield Text(x + column, y, spans("via ", Code(route.gateway)))
    if route.evidence.note:
        yield text(x, y + _LINE - 2, route.evidence.note, SMALL, f"status {css_class(route.evidence.state)}")
