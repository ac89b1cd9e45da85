"""What the parts of a card have in common: their measures, and the packets' way down its left side."""

from __future__ import annotations

from typing import Final

from podnet.draw.evidence import Evidence
from podnet.draw.measure import SMALL, text_width
from podnet.draw.shapes import SIGN, Group, Line, status

WIDEST: Final = 352
"""No part asks for more: what may be longer (names) is wrapped or shortened."""

SPINE: Final = 10
"""Where the way of the packets runs, from the left of a part."""

BESIDE: Final = 26
"""Where what is beside the spine begins."""


def way(x: float, y: float, height: float) -> Line:
    """The piece of the packets' way beside a part."""
    return Line(((x + SPINE, y), (x + SPINE, y + height)), "wire")


def status_label(right: float, y: float, evidence: Evidence) -> Group:
    """The sign and the word of a state, ending at the right; whoever points at it sees why."""
    start = right - text_width(evidence.state, SMALL) - SIGN
    return Group(tuple(status(start, y, evidence.state, evidence.state)), "\n".join(evidence.details))
