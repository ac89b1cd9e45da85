"""The interface that a machine has in the machines' network."""

from __future__ import annotations

from collections.abc import Iterator

from podnet.draw import labels
from podnet.draw.card.spine import SPINE, WIDEST
from podnet.draw.graph import DrawnMachine
from podnet.draw.measure import CODE, SMALL, STRONG, shortened
from podnet.draw.shapes import ArrowHead, Block, Box, Shape, Span, Text, spans_width


def interface_block(machine: DrawnMachine) -> Block:
    """Draw the interface, which reaches out of the card."""
    name = labels.interface(machine)
    known = (Span(shortened(name, STRONG, 200), STRONG), Span("  ", SMALL))
    label = (*(known if machine.interface else (Span(f"{name} ", SMALL),)), Span(machine.address, CODE))

    def draw(x: float, y: float, width: float, height: float) -> Iterator[Shape]:
        yield ArrowHead((x + SPINE, y), "down", "wire-head")
        yield Box(x, y, width, height, "interface")
        yield Text(x + width / 2, y + 19.5, label, anchor="middle")

    return Block(min(spans_width(label) + 24, WIDEST), 30, draw)
