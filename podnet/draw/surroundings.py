"""What stands around the machines: the title above; the way to the outside and the legend below."""

from __future__ import annotations

from collections.abc import Iterator

from podnet.draw import labels
from podnet.draw.evidence import State
from podnet.draw.graph import Graph
from podnet.draw.labels import Code
from podnet.draw.measure import CODE, SMALL, STRONG, TEXT, TITLE, text_width
from podnet.draw.shapes import ArrowHead, Block, Box, Line, Shape, Span, Text, spans, spans_width, status, text
from podnet.draw.style import css_class
from podnet.text import counted


def title(graph: Graph) -> str:
    """The picture's name."""
    return f"Pod network of {graph.name}"


def description(graph: Graph) -> str:
    """The picture in a few words, where it is read out."""
    machines = "; ".join(f"{machine.name}: {machine.role}, {machine.address}" for machine in graph.machines)
    return f"{_summary(graph)}; {labels.verdict(graph)}. {machines}."


def _summary(graph: Graph) -> str:
    return f"{len(graph.machines)} machines, {len(graph.routes)} routes, pods in {graph.pod_subnet} without NAT"


def title_block(graph: Graph) -> Block:
    """Draw what it is, and what came of looking at it."""
    found = [(graph.state, labels.verdict(graph), STRONG)]
    if graph.unplanned:
        first = graph.unplanned[0]
        more = f"{counted(len(graph.unplanned), 'pod')} not on a planned machine: {first.name} on {first.node}"
        found.append((State.DRIFTED, more[:90], TEXT))
    widest = max(text_width(words, TEXT) for words in (_summary(graph), *(words for _, words, _ in found))) + 18

    def draw(x: float, y: float, _width: float, _height: float) -> Iterator[Shape]:
        yield text(x, y + 18, title(graph), TITLE)
        yield text(x, y + 41, _summary(graph), TEXT, "muted")
        for number, (state, words, font) in enumerate(found):
            yield from status(x, y + 61 + 20 * number, state, words, font)

    return Block(max(text_width(title(graph), TITLE), widest), 66 + 20 * len(found), draw)


def outside_block(graph: Graph) -> Block:
    """Draw the gateway, which begins a little above, the outside behind it, and what the states mean."""
    gateway = (Span("gateway", STRONG), Span("  ", SMALL), Span(graph.gateway, CODE))
    outside = ((Span("outside", STRONG),), spans(labels.OUTSIDE), spans("tried at ", Code(graph.outside)))
    box = max(map(spans_width, (*outside, gateway))) + 28
    state = graph.leaving.state
    states = tuple(State)[1:] if graph.verdict else (State.PLANNED,)

    def draw(left: float, y: float, width: float, _height: float) -> Iterator[Shape]:
        x = left + width - 14 - box
        middle = x + box / 2
        yield Line(((middle, y + 14), (middle, y + 42)), f"route {css_class(state)}")
        yield ArrowHead((middle, y + 48), "down", f"head {css_class(state)}")
        if state is not State.PLANNED:
            yield from status(middle + 10, y + 34, state, state)
        yield Box(x, y - 16, box, 30, "interface")
        yield Text(middle, y + 3.5, gateway, anchor="middle")
        yield Box(x, y + 48, box, 68, "outside", 10)
        for number, line in enumerate(outside):
            yield Text(middle, y + 68 + 18 * number, line, "muted" if number else "ink", "middle")
        for number, each in enumerate(states):
            line_y = y + 40 + 20 * number
            yield Line(((left, line_y - 4), (left + 34, line_y - 4)), f"route {css_class(each)}")
            yield from status(left + 43, line_y, each, f"{each}: {labels.MEANINGS[each]}")

    return Block(box, 14 + 34 + 68, draw)
