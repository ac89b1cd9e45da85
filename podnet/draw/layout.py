"""Where everything stands: machines in rows of cards, each row plugged into the network that they share.

Up to three machines have their routes drawn as arrows. Twelve have 132: there every card lists its own, and the
network is one band along every row.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from podnet.draw import bundle, lanes
from podnet.draw.card.block import Block
from podnet.draw.card.header import Header
from podnet.draw.card.interface import Interface
from podnet.draw.card.masquerade import Masquerade
from podnet.draw.card.pods import Pods
from podnet.draw.card.routes import Routes
from podnet.draw.frame import Foot, Head
from podnet.draw.graph import Graph, Machine, State
from podnet.draw.lanes import Lane
from podnet.draw.shapes import STRONG, Box, Drawing, Shape, say
from podnet.draw.style import word

_MARGIN: Final = 24
_PAD: Final = 14
"""Between a card's edge and what is in it."""

_GAP: Final = 28
_NARROWEST: Final = 240

_ARROWS: Final = 3
"""Machines, at most, whose routes are drawn as arrows."""

_PODS: Final = {True: 6, False: 4}
"""Pods that a card shows, at most: with arrows, and in a grid."""

_ROUTES: Final = 16
"""Routes that a card writes out, at most."""

_PLUG: Final = 18
"""How far an interface reaches out of its card, into the network."""


@dataclass(frozen=True, slots=True)
class _Grid:
    """The measures that all cards share. width: of a card."""

    columns: int
    width: float
    gap: float

    def x(self, column: int) -> float:
        """The left edge of a card."""
        return _MARGIN + column * (self.width + self.gap)

    @property
    def right(self) -> float:
        """The right edge of the last column."""
        return self.x(self.columns - 1) + self.width


def lay_out(graph: Graph) -> Drawing:
    """Give everything in a graph its place."""
    placed = lanes.lanes(graph) if len(graph.machines) <= _ARROWS else ()
    arrows = bool(placed) and lanes.drawable(placed, len(graph.machines))
    cards = [_blocks(graph, machine, arrows=arrows) for machine in graph.machines]
    grid = _grid(cards, placed if arrows else ())
    rail = 0 if arrows else 40
    head, foot = Head(graph), Foot(graph)
    right = math.ceil(max(grid.right + rail, _MARGIN + head.width))
    shapes: list[Shape] = list(head.draw(_MARGIN, _MARGIN))
    y = _MARGIN + head.height
    bands: list[Shape] = []
    front: list[Shape] = []
    first_band = 0.0
    for start in range(0, len(cards), grid.columns):
        row = cards[start : start + grid.columns]
        machines = graph.machines[start : start + grid.columns]
        bottom = _draw_row(row, machines, grid, y, front)
        first_band = first_band or bottom
        inside, height = _lanes(placed, grid, bottom) if arrows else _bundles(graph, machines, grid, bottom)
        front.append(_network(graph, bottom + height))
        bands.append(Box(_MARGIN, bottom, right - _MARGIN, height, "network", 8))
        front += inside
        y = bottom + height + (_GAP if start + grid.columns < len(cards) else 0)
    if not arrows:
        bands.append(Box(right - 22, first_band, 22, y - first_band, "network", 8))
    shapes += [*bands, *front, *foot.draw(_MARGIN, right, y)]
    return Drawing(right + _MARGIN, y + foot.height + _MARGIN, tuple(shapes), head.title, head.description)


def _blocks(graph: Graph, machine: Machine, *, arrows: bool) -> tuple[Block, ...]:
    """A card's parts, in the order in which a packet of a pod passes them."""
    return (
        Header(machine),
        Pods(machine, _PODS[arrows]),
        *(() if arrows else (Routes(machine, _ROUTES),)),
        Masquerade(machine, graph),
        Interface(machine),
    )


def _grid(cards: Sequence[Sequence[Block]], placed: Sequence[Lane]) -> _Grid:
    inner = max(_NARROWEST, *(block.width for blocks in cards for block in blocks))
    card = math.ceil(inner) + 2 * _PAD
    needed = math.ceil(lanes.distance(placed, len(cards))) if placed else 0
    return _Grid(_columns(len(cards)), card, max(_GAP, needed - card))


def _columns(machines: int) -> int:
    if machines <= _ARROWS:
        return machines
    if machines == 4:
        return 2
    return 3 if machines <= 9 else max(4, math.ceil(math.sqrt(machines)))


def _draw_row(
    row: Sequence[Sequence[Block]], machines: Sequence[Machine], grid: _Grid, top: float, into: list[Shape]
) -> float:
    """Draw a row of cards; where their lower edges are."""
    heights = [max(blocks[number].height for blocks in row) for number in range(len(row[0]))]
    bottom = top + _PAD + sum(heights) - _PLUG
    for column, (blocks, machine) in enumerate(zip(row, machines, strict=True)):
        x, y = grid.x(column), top + _PAD
        into.append(Box(x, top, grid.width, bottom - top, "machine", 8))
        into += _alarm(machine, Box(x, top, grid.width, bottom - top, "", 8))
        for block, height in zip(blocks, heights, strict=True):
            into += block.shapes(x + _PAD, y, grid.width - 2 * _PAD, height)
            y += height
    return bottom


def _alarm(machine: Machine, card: Box) -> Iterator[Shape]:
    """A coloured edge for a card in which something does not hold."""
    states = {machine.local.state, machine.leaving.state, *(route.evidence.state for route in machine.routes)}
    for state in (State.FAILED, State.DRIFTED):
        if state in states:
            yield Box(card.x, card.y, card.width, card.height, f"alarm {word(state)}", card.radius)
            return


def _network(graph: Graph, bottom: float) -> Shape:
    text = f"machine network {graph.machine_network}"
    return say(_MARGIN + 14, bottom - 12, text, STRONG, "network-ink")


def _lanes(placed: Sequence[Lane], grid: _Grid, top: float) -> tuple[list[Shape], float]:
    """Draw an arrow for each route in the network under the machines; how high that makes it."""
    middles = [grid.x(column) + grid.width / 2 for column in range(grid.columns)]
    first = top + _PLUG + 36
    height = first + lanes.PITCH * lanes.rows(placed) + 12 - top
    return list(lanes.draw(placed, middles, top + _PLUG, first)), height


def _bundles(graph: Graph, machines: Sequence[Machine], grid: _Grid, top: float) -> tuple[list[Shape], float]:
    """Draw two arrows for each machine into the network under its row; how high that makes it."""
    shapes: list[Shape] = []
    for column, machine in enumerate(machines):
        x = grid.x(column) + _PAD + 10
        shapes += bundle.draw(graph, machine, x, x + grid.width / 2 - _PAD, top + _PLUG)
    return shapes, _PLUG + bundle.HEIGHT + 30
