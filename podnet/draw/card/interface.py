"""The interface that a machine has in the machines' network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from podnet.draw.card.block import SPINE, WIDEST
from podnet.draw.graph import Machine
from podnet.draw.measure import shortened
from podnet.draw.shapes import (
    CODE,
    SMALL,
    STRONG,
    Box,
    Head,
    Shape,
    Text,
    Words,
    width_of,
)


@dataclass(frozen=True, slots=True)
class Interface:
    """The interface that the machine has in the machines' network."""

    machine: Machine

    @property
    def _words(self) -> tuple[Words, ...]:
        if self.machine.interface:
            name = shortened(self.machine.interface, STRONG, 200)
            return (Words(name, STRONG), Words("  ", SMALL), Words(self.machine.address, CODE))
        return (Words("the interface that holds ", SMALL), Words(self.machine.address, CODE))

    @property
    def width(self) -> float:
        """The name and the address."""
        return min(width_of(self._words) + 24, WIDEST)

    @property
    def height(self) -> float:
        """One line in a box."""
        return 30

    def shapes(self, x: float, y: float, width: float, height: float) -> Iterator[Shape]:
        """The interface, which reaches out of the card."""
        yield Head((x + SPINE, y), "down", "wire-head")
        yield Box(x, y, width, height, "interface")
        yield Text(x + width / 2, y + 19.5, self._words, anchor="middle")
