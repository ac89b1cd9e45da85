"""Routes where they are too many for an arrow each: all that leave a machine as one, all that come to it as another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from podnet.draw.graph import Graph, Machine, RouteEdge, State, worst
from podnet.draw.shapes import SMALL, Head, Line, Mark, Shape, say
from podnet.draw.style import word

HEIGHT: Final = 26
"""Of the arrows, below a machine's interface."""


def draw(graph: Graph, machine: Machine, left: float, middle: float, top: float) -> Iterator[Shape]:
    """Draw a machine's two arrows. left, middle: where they begin. top: where the interface ends."""
    yield from _arrow("out", machine.routes, left, top)
    yield from _arrow("in", [route for route in graph.routes if route.peer == machine.name], middle, top)


def _arrow(way: str, routes: Sequence[RouteEdge], x: float, top: float) -> Iterator[Shape]:
    state = worst(route.evidence.state for route in routes)
    kind = word(state)
    tip, tail = (top + HEIGHT, top) if way == "out" else (top, top + HEIGHT)
    back = -6 if way == "out" else 6
    yield Line(((x, tail), (x, tip + back)), f"route {kind}")
    yield Head((x, tip), "down" if way == "out" else "up", f"head {kind}")
    yield Mark(x + 15, top + 15, state)
    yield say(x + 26, top + 19, _said(way, routes, state), SMALL, f"said {kind}")


def _said(way: str, routes: Sequence[RouteEdge], state: State) -> str:
    count = sum(route.evidence.state is state for route in routes)
    return f"{len(routes)} {way}: {state}" if count == len(routes) else f"{len(routes)} {way}: {count} {state}"
