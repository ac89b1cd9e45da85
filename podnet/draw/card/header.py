"""Who the machine is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from podnet.draw.graph import Machine
from podnet.draw.measure import width, wrapped
from podnet.draw.shapes import (
    NAME,
    SMALL,
    Shape,
    say,
)


@dataclass(frozen=True, slots=True)
class Header:
    """Who the machine is."""

    machine: Machine

    @property
    def width(self) -> float:
        """The name, up to a width at which it is wrapped."""
        return min(width(self.machine.name, NAME), 270)

    @property
    def height(self) -> float:
        """The lines of the name, and the role."""
        # As many lines as the name can need in the least width that a card has.
        return 26 + 19 * len(wrapped(self.machine.name, NAME, self.width))

    def shapes(self, x: float, y: float, width: float, height: float) -> Iterator[Shape]:
        """The name large, the role below it."""
        for number, line in enumerate(wrapped(self.machine.name, NAME, width)):
            yield say(x, y + 15 + 19 * number, line, NAME)
        yield say(x, y + height - 12, self.machine.role, SMALL, "muted")
