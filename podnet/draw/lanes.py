"""Routes as arrows: from a machine down into the machines' network, along it, and up into the next hop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from podnet.draw import labels
from podnet.draw.graph import DrawnRoute, Graph
from podnet.draw.measure import SMALL, text_width
from podnet.draw.shapes import SIGN, ArrowHead, Box, Group, Line, Point, Shape, Text, spans, spans_width, status
from podnet.draw.style import css_class

PITCH: Final = 46
"""From one row of arrows to the next: a text above the line, and its state on it."""

_PORT: Final = 18
"""Between two arrows at one machine."""

_PORTS: Final = 10
"""Arrows at one machine, at most: more are wider than its interface, and nobody could follow them."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A route's place: between which machines (by number, left to right), and in which row, from the top."""

    route: DrawnRoute
    start: int
    end: int
    row: int

    @property
    def left(self) -> int:
        """The machine at its left end."""
        return min(self.start, self.end)

    @property
    def right(self) -> int:
        """The machine at its right end."""
        return max(self.start, self.end)


def lanes(graph: Graph) -> tuple[Lane, ...]:
    """Give every route a row; none, where there is no room for an arrow each.

    The short ones come first, so that the long ones pass below them and none cross.
    """
    if len(graph.machines) > labels.ARROWS:
        return ()
    numbers = {machine.name: number for number, machine in enumerate(graph.machines)}
    ends = []
    for route in graph.routes:
        start = numbers[route.node]
        beside = start + 1 if start + 1 < len(numbers) else start - 1
        # Where it reaches no machine, the arrow ends in nothing.
        ends.append((start, numbers[route.peer] if route.reaches else beside, route))
    ends.sort(key=lambda end: (abs(end[0] - end[1]), min(end[:2])))
    placed: list[Lane] = []
    for start, end, route in ends:
        low, high = sorted((start, end))
        taken = {lane.row for lane in placed if lane.left < high and low < lane.right}
        row = next(row for row in range(len(ends)) if row not in taken)
        placed.append(Lane(route, start, end, row))
    # A kernel may hold any number of routes that nobody planned.
    return tuple(placed) if all(len(_at(placed, number)) <= _PORTS for number in numbers.values()) else ()


def rows(placed: Sequence[Lane]) -> int:
    """How many rows there are."""
    return max((lane.row + 1 for lane in placed), default=0)


def distance(placed: Sequence[Lane], count: int) -> float:
    """How far apart the middles of two machines must be for every text to have its room."""
    ports = [len(_at(placed, machine)) for machine in range(count)]
    beside = max((one + other for one, other in pairwise(ports)), default=0)
    widths = [max(spans_width(spans(*labels.route(lane.route))), _status_width(lane.route)) for lane in placed]
    return max(widths, default=0) + _PORT * (beside / 2 + 1) + 16


def draw(placed: Sequence[Lane], middles: Sequence[float], top: float, first: float) -> Iterator[Shape]:
    """Draw the lanes. middles: of the machines. top: where their interfaces end. first: the line of the first row."""
    for lane in placed:
        y = first + PITCH * lane.row
        start = _port(placed, lane, lane.start, middles)
        end = _port(placed, lane, lane.end, middles) if lane.route.reaches else _nowhere(placed, lane, middles)
        yield Group(tuple(_shapes(lane, (start, top), (end, top), y)), labels.route_tooltip(lane.route))


def _shapes(lane: Lane, start: Point, end: Point, y: float) -> Iterator[Shape]:
    evidence = lane.route.evidence
    kind = css_class(evidence.state)
    points = (start, (start[0], y), (end[0], y))
    yield Line((*points, (end[0], end[1] + 6)) if lane.route.reaches else points, f"route {kind}")
    yield Box(start[0] - 3, start[1] - 1, 6, 6, f"dot {kind}", 3)
    if lane.route.reaches:
        yield ArrowHead(end, "up", f"head {kind}")
    else:
        yield Line(((end[0], y - 8), (end[0], y + 8)), f"route {kind}")
    middle = (start[0] + end[0]) / 2
    yield Text(middle, y - 15, spans(*labels.route(lane.route)), anchor="middle")
    room = _status_width(lane.route)
    yield Box(middle - room / 2, y - 10, room, 20, "network", 10)
    yield from status(middle - room / 2 + 7, y + 4, evidence.state, str(evidence))


def _status_width(route: DrawnRoute) -> float:
    return text_width(str(route.evidence), SMALL) + SIGN + 15


def _at(placed: Sequence[Lane], machine: int) -> list[Lane]:
    """The lanes at a machine from left to right, such that a lane below another ends outside of it.

    First those that lead to the left, in the order of their rows; then the others, against it.
    """
    ends = [lane for lane in placed if machine == lane.start or (machine == lane.end and lane.route.reaches)]
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
