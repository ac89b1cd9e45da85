"""Who a machine is: its name large, its role below it."""

from __future__ import annotations

from collections.abc import Iterator

from podnet.draw.graph import DrawnMachine
from podnet.draw.measure import NAME, SMALL, text_width, wrapped
from podnet.draw.shapes import Block, Shape, text


def header_block(machine: DrawnMachine) -> Block:
    """Draw who the machine is. Its name is wrapped at a width that it seldom needs."""
    wanted = min(text_width(machine.name, NAME), 270)

    def draw(x: float, y: float, width: float, height: float) -> Iterator[Shape]:
        for number, line in enumerate(wrapped(machine.name, NAME, width)):
            yield text(x, y + 15 + 19 * number, line, NAME)
        yield text(x, y + height - 12, machine.role, SMALL, "muted")

    # As many lines as the name can need in the least width that a card has.
    return Block(wanted, 26 + 19 * len(wrapped(machine.name, NAME, wanted)), draw)
