"""Where everything stands: machines in rows of cards, each row plugged into the network that they share.

Up to three machines have their routes drawn as arrows. Twelve have 132: there every card lists its own, and the
network is one band along every row.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from podnet.draw import labels, lanes, trunks
from podnet.draw.card.header import header_block
from podnet.draw.card.interface import interface_block
from podnet.draw.card.masquerade import masquerade_block
from podnet.draw.card.pods import pods_block
from podnet.draw.card.routes import routes_block
from podnet.draw.graph import DrawnMachine, Graph
from podnet.draw.lanes import Lane
from podnet.draw.measure import STRONG
from podnet.draw.shapes import Block, Box, Drawing, Shape, text
from podnet.draw.style import css_class
from podnet.draw.surroundings import description, outside_block, title, title_block

_MARGIN: Final = 24
_PAD: Final = 14
"""Between a card's edge and what is in it."""

_GAP: Final = 28
_NARROWEST: Final = 240

_PLUG: Final = 18
"""How far an interface reaches out of its card, into the network."""


@dataclass(frozen=True, slots=True)
class _Columns:
    """The measures that all cards share. width: of a card."""

    count: int
    width: float
    gap: float

    def x(self, column: int) -> float:
        """The left edge of a card."""
        return _MARGIN + column * (self.width + self.gap)

    @property
    def right(self) -> float:
        """The right edge of the last column."""
        return self.x(self.count - 1) + self.width


def lay_out(graph: Graph) -> Drawing:
    """Give everything in a graph its place."""
    placed = lanes.lanes(graph)
    cards = [_blocks(graph, machine, arrows=bool(placed)) for machine in graph.machines]
    grid = _columns(cards, placed)
    head, foot = title_block(graph), outside_block(graph)
    rail = 0 if placed else 40
    right = math.ceil(max(grid.right + rail, _MARGIN + head.width))
    y = _MARGIN + head.height
    bands: list[Shape] = []
    front: list[Shape] = []
    first_band = 0.0
    for start in range(0, len(cards), grid.count):
        machines = graph.machines[start : start + grid.count]
        bottom = _draw_row(cards[start : start + grid.count], machines, grid, y, front)
        first_band = first_band or bottom
        inside, height = _lanes(placed, grid, bottom) if placed else _trunks(graph, machines, grid, bottom)
        network = f"machine network {graph.machine_network}"
        front += [text(_MARGIN + 14, bottom + height - 12, network, STRONG, "network-ink"), *inside]
        bands.append(Box(_MARGIN, bottom, right - _MARGIN, height, "network", 8))
        y = bottom + height + (_GAP if start + grid.count < len(cards) else 0)
    if not placed:
        bands.append(Box(right - 22, first_band, 22, y - first_band, "network", 8))
    above = head.draw(_MARGIN, _MARGIN, head.width, head.height)
    below = foot.draw(_MARGIN, y, right - _MARGIN, foot.height)
    shapes = (*above, *bands, *front, *below)
    return Drawing(right + _MARGIN, y + foot.height + _MARGIN, shapes, title(graph), description(graph))


def _blocks(graph: Graph, machine: DrawnMachine, *, arrows: bool) -> tuple[Block, ...]:
    """A card's parts, in the order in which a packet of a pod passes them."""
    return (
        header_block(machine),
        pods_block(machine, labels.most_pods(arrows=arrows)),
        *(() if arrows else (routes_block(machine),)),
        masquerade_block(graph, machine),
        interface_block(machine),
    )


def _columns(cards: Sequence[Sequence[Block]], placed: Sequence[Lane]) -> _Columns:
    inner = max(_NARROWEST, *(block.width for blocks in cards for block in blocks))
    card = math.ceil(inner) + 2 * _PAD
    needed = math.ceil(lanes.distance(placed, len(cards))) if placed else 0
    return _Columns(labels.columns(len(cards)), card, max(_GAP, needed - card))


def _draw_row(
    row: Sequence[Sequence[Block]], machines: Sequence[DrawnMachine], columns: _Columns, top: float, into: list[Shape]
) -> float:
    """Draw a row of cards; where their lower edges are."""
    heights = [max(blocks[number].height for blocks in row) for number in range(len(row[0]))]
    height = _PAD + sum(heights) - _PLUG
    for column, (blocks, machine) in enumerate(zip(row, machines, strict=True)):
        x, y = columns.x(column), top + _PAD
        into.append(Box(x, top, columns.width, height, "machine", 8))
        if machine.alarm:  # a coloured edge where something does not hold
            into.append(Box(x, top, columns.width, height, f"alarm {css_class(machine.alarm)}", 8))
        for block, room in zip(blocks, heights, strict=True):
            into += block.draw(x + _PAD, y, columns.width - 2 * _PAD, room)
            y += room
    return top + height


def _lanes(placed: Sequence[Lane], columns: _Columns, top: float) -> tuple[list[Shape], float]:
    """Draw an arrow for each route in the network under the machines; how high that makes it."""
    middles = [columns.x(column) + columns.width / 2 for column in range(columns.count)]
    first = top + _PLUG + 36
    height = first + lanes.PITCH * lanes.rows(placed) + 12 - top
    return list(lanes.draw(placed, middles, top + _PLUG, first)), height


def _trunks(graph: Graph, machines: Sequence[DrawnMachine], columns: _Columns, top: float) -> tuple[list[Shape], float]:
    """Draw two arrows for each machine into the network under its row; how high that makes it."""
    shapes: list[Shape] = []
    for column, machine in enumerate(machines):
        x = columns.x(column) + _PAD + 10
        shapes += trunks.draw(graph, machine, x, x + columns.width / 2 - _PAD, top + _PLUG)
    return shapes, _PLUG + trunks.HEIGHT + 30
