"""What the parts of a card have in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

from podnet.draw.graph import Evidence
from podnet.draw.measure import width
from podnet.draw.shapes import SMALL, Group, Line, Mark, Shape, say
from podnet.draw.style import word

WIDEST: Final = 352
"""No block asks for more: what may be longer (names) is wrapped or shortened."""

SPINE: Final = 10
"""Where the way of the packets runs, from the left of a block."""

BESIDE: Final = 26
"""Where what is beside the spine begins."""

MARK: Final = 18
"""The room of a mark before its text."""


class Block(Protocol):
    """A part of a card: it knows how wide and high it has to be, and cards in a row give each other the heights."""

    @property
    def width(self) -> float:
        """The width that it wants, at most WIDEST."""

    @property
    def height(self) -> float:
        """The least height that it needs."""

    def shapes(self, x: float, y: float, width: float, height: float) -> Iterator[Shape]:
        """Draw it."""


def said(right: float, y: float, evidence: Evidence) -> Group:
    """The mark and the word of a state, ending at the right."""
    start = right - width(evidence.state, SMALL) - MARK + 3
    shapes = (
        Mark(start + 5, y - 4, evidence.state),
        say(start + MARK - 3, y, evidence.state, SMALL, f"said {word(evidence.state)}"),
    )
    return Group(shapes, "\n".join(evidence.details))


def way(x: float, y: float, height: float) -> Line:
    """The piece of the packets' way beside a block."""
    return Line(((x + SPINE, y), (x + SPINE, y + height)), "wire")
