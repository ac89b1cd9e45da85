"""Routes as arrows: from a machine down into the machines' network, along it, and up into the next hop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from podnet.draw.card.routes import told
from podnet.draw.graph import Graph, RouteEdge
from podnet.draw.measure import width
from podnet.draw.shapes import CODE, SMALL, Box, Group, Head, Line, Mark, Point, Shape, Text, Words, say, width_of
from podnet.draw.style import word

PITCH: Final = 46
"""From one row of arrows to the next: a text above the line, and its state on it."""

_PORT: Final = 18
"""Between two arrows at one machine."""

_PORTS: Final = 10
"""Arrows at one machine, at most: more are wider than its interface, and nobody could follow them."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A route's place: between which machines (by number, left to right), and in which row, from the top.

    reaches: the arrow ends at a machine; where no machine has the next hop's address, it ends in nothing.
    """

    route: RouteEdge
    start: int
    end: int
    row: int
    reaches: bool

    @property
    def left(self) -> int:
        """The machine at its left end."""
        return min(self.start, self.end)

    @property
    def right(self) -> int:
        """The machine at its right end."""
        return max(self.start, self.end)


def lanes(graph: Graph) -> tuple[Lane, ...]:
    """Give every route a row. The short ones come first, so that the long ones pass below them and none cross."""
    numbers = {machine.name: number for number, machine in enumerate(graph.machines)}
    ends = []
    for route in graph.routes:
        start = numbers[route.node]
        beside = start + 1 if start + 1 < len(numbers) else start - 1
        # A next hop that is no machine's, or the machine's own (nobody plans either), leads nowhere.
        ends.append((start, beside if route.peer in {"", route.node} else numbers[route.peer], route))
    ends.sort(key=lambda end: (abs(end[0] - end[1]), min(end[:2])))
    placed: list[Lane] = []
    for start, end, route in ends:
        low, high = sorted((start, end))
        taken = {lane.row for lane in placed if lane.left < high and low < lane.right}
        row = next(row for row in range(len(ends)) if row not in taken)
        placed.append(Lane(route, start, end, row, reaches=route.peer not in {"", route.node}))
    return tuple(placed)


def drawable(placed: Sequence[Lane], count: int) -> bool:
    """Whether so many machines have room for these arrows: a kernel may hold any number that nobody planned."""
    return all(len(_at(placed, machine)) <= _PORTS for machine in range(count))


def rows(placed: Sequence[Lane]) -> int:
    """How many rows there are."""
    return max((lane.row + 1 for lane in placed), default=0)


def distance(placed: Sequence[Lane], count: int) -> float:
    """How far apart the middles of two machines must be for every text to have its room."""
    ports = [len(_at(placed, machine)) for machine in range(count)]
    beside = max((one + other for one, other in pairwise(ports)), default=0)
    text = max((max(width_of(_words(lane.route)), _said_width(lane.route)) for lane in placed), default=0)
    return text + _PORT * (beside / 2 + 1) + 16


def draw(placed: Sequence[Lane], middles: Sequence[float], top: float, first: float) -> Iterator[Shape]:
    """Draw the lanes. middles: of the machines. top: where their interfaces end. first: the line of the first row."""
    for lane in placed:
        y = first + PITCH * lane.row
        start = _port(placed, lane, lane.start, middles)
        end = _port(placed, lane, lane.end, middles) if lane.reaches else _nowhere(placed, lane, middles)
        yield Group(tuple(_shapes(lane, (start, top), (end, top), y)), told(lane.route))


def _shapes(lane: Lane, start: Point, end: Point, y: float) -> Iterator[Shape]:
    evidence = lane.route.evidence
    kind = word(evidence.state)
    points = (start, (start[0], y), (end[0], y))
    yield Line((*points, (end[0], end[1] + 6)) if lane.reaches else points, f"route {kind}")
    yield Box(start[0] - 3, start[1] - 1, 6, 6, f"dot {kind}", 3)
    if lane.reaches:
        yield Head(end, "up", f"head {kind}")
    else:
        yield Line(((end[0], y - 8), (end[0], y + 8)), f"route {kind}")
    middle = (start[0] + end[0]) / 2
    yield Text(middle, y - 15, _words(lane.route), anchor="middle")
    said = _said_width(lane.route)
    yield Box(middle - said / 2, y - 10, said, 20, "network", 10)
    yield Mark(middle - said / 2 + 12, y, evidence.state)
    yield say(middle - said / 2 + 24, y + 4, _said(lane.route), SMALL, f"said {kind}")


def _words(route: RouteEdge) -> tuple[Words, ...]:
    return (Words(route.destination, CODE), Words(" via ", SMALL), Words(route.gateway, CODE))


def _said(route: RouteEdge) -> str:
    note = route.evidence.note
    return f"{route.evidence.state}: {note}" if note else str(route.evidence.state)


def _said_width(route: RouteEdge) -> float:
    return width(_said(route), SMALL) + 32


def _at(placed: Sequence[Lane], machine: int) -> list[Lane]:
    """The lanes at a machine from left to right, such that a lane below another ends outside of it.

    First those that lead to the left, in the order of their rows; then the others, against it.
    """
    ends = [lane for lane in placed if machine == lane.start or (machine == lane.end and lane.reaches)]
    to_left = sorted((lane for lane in ends if lane.right == machine), key=lambda lane: lane.row)
    to_right = sorted((lane for lane in ends if lane.left == machine), key=lambda lane: -lane.row)
    return to_left + to_right


def _port(placed: Sequence[Lane], lane: Lane, machine: int, middles: Sequence[float]) -> float:
    here = _at(placed, machine)
    return middles[machine] + (here.index(lane) - (len(here) - 1) / 2) * _PORT


def _nowhere(placed: Sequence[Lane], lane: Lane, middles: Sequence[float]) -> float:
    """Where an arrow ends that reaches no machine: short of the machine beside it."""
    half = (len(_at(placed, lane.end)) / 2 + 1) * _PORT
    return middles[lane.end] - half if lane.end > lane.start else middles[lane.end] + half
