"""Routes where they are too many for an arrow each: all that leave a machine as one, all that come to it as another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from podnet.draw.evidence import worst
from podnet.draw.graph import DrawnMachine, DrawnRoute, Graph
from podnet.draw.shapes import ArrowHead, Line, Shape, status
from podnet.draw.style import css_class

HEIGHT: Final = 26
"""Of the arrows, below a machine's interface."""


def draw(graph: Graph, machine: DrawnMachine, left: float, middle: float, top: float) -> Iterator[Shape]:
    """Draw a machine's two arrows. left, middle: where they begin. top: where the interface ends."""
    yield from _arrow("out", machine.routes, left, top)
    yield from _arrow("in", [route for route in graph.routes if route.peer == machine.name], middle, top)


def _arrow(way: str, routes: Sequence[DrawnRoute], x: float, top: float) -> Iterator[Shape]:
    state = worst(route.evidence.state for route in routes)
    tip, tail = (top + HEIGHT, top) if way == "out" else (top, top + HEIGHT)
    back = -6 if way == "out" else 6
    yield Line(((x, tail), (x, tip + back)), f"route {css_class(state)}")
    yield ArrowHead((x, tip), "down" if way == "out" else "up", f"head {css_class(state)}")
    count = sum(route.evidence.state is state for route in routes)
    yield from status(
        x + 10, top + 19, state, f"{len(routes)} {way}: {'' if count == len(routes) else f'{count} '}{state}"
    )
