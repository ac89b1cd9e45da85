"""How the pods of a machine leave the cluster."""

from __future__ import annotations

from collections.abc import Iterator

from podnet.draw import labels
from podnet.draw.card.spine import BESIDE, WIDEST, status_label, way
from podnet.draw.evidence import State
from podnet.draw.graph import DrawnMachine, Graph
from podnet.draw.measure import STRONG
from podnet.draw.shapes import Block, Shape, Text, spans, spans_width, text


def masquerade_block(graph: Graph, machine: DrawnMachine) -> Block:
    """Draw the rule in words, with what the outside saw."""
    lines = [spans(*label) for label in labels.masquerade(graph, machine)]
    needed = 10 + 18 + 16 * len(lines) + 8

    def draw(x: float, y: float, width: float, height: float) -> Iterator[Shape]:
        yield way(x, y, height)
        # At the bottom: it is the last thing before the interface.
        line = y + height - needed + 10 + 11
        yield text(x + BESIDE, line, "masquerade", STRONG)
        if machine.leaving.state is not State.PLANNED:
            yield status_label(x + width - 10, line, machine.leaving)
        for number, label in enumerate(lines):
            yield Text(x + BESIDE, line + 18 + 16 * number, label, "muted")

    return Block(min(BESIDE + max(map(spans_width, lines)), WIDEST), needed, draw)
