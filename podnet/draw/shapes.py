"""What a drawing is made of: boxes, lines, texts and marks with their places, in pixels from the top left.

A layout makes them, :mod:`podnet.draw.svg` writes them; between the two a test can measure every one.
``kind`` is the class of the style (:mod:`podnet.draw.style`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from podnet.draw.graph import State
from podnet.draw.measure import Font, width

TITLE: Final = Font(20, bold=True)
NAME: Final = Font(15, bold=True)
STRONG: Final = Font(12, bold=True)
TEXT: Final = Font(12)
SMALL: Final = Font(11)
CODE: Final = Font(11, mono=True)
"""The fonts of the picture; each is a class of the style too."""

Point = tuple[float, float]
Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle. radius: of its corners."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    radius: float = 4


@dataclass(frozen=True, slots=True)
class Line:
    """A line through points."""

    points: tuple[Point, ...]
    kind: str


@dataclass(frozen=True, slots=True)
class Head:
    """An arrow's head with its tip at a point."""

    tip: Point
    towards: Literal["up", "down"]
    kind: str


@dataclass(frozen=True, slots=True)
class Mark:
    """The sign of a state, around a point: each state has a shape of its own, not only a colour."""

    x: float
    y: float
    state: State


@dataclass(frozen=True, slots=True)
class Words:
    """A piece of a text in one font."""

    text: str
    font: Font


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text. x: where its anchor is. y: of its baseline."""

    x: float
    y: float
    words: tuple[Words, ...]
    kind: str = "ink"
    anchor: Anchor = "start"

    @property
    def width(self) -> float:
        """Pixels that it takes, at most."""
        return width_of(self.words)

    @property
    def left(self) -> float:
        """Where it begins, at the farthest."""
        return self.x - {"start": 0.0, "middle": 0.5, "end": 1.0}[self.anchor] * self.width

    @property
    def top(self) -> float:
        """Where its highest letters end."""
        return self.y - 0.8 * self._size

    @property
    def bottom(self) -> float:
        """Where its lowest letters end."""
        return self.y + 0.22 * self._size

    @property
    def _size(self) -> float:
        return max(words.font.size for words in self.words)


@dataclass(frozen=True, slots=True)
class Group:
    """Shapes that belong together. title: what is said where somebody points at them."""

    shapes: tuple[Shape, ...]
    title: str = ""


Shape = Box | Line | Head | Mark | Text | Group


@dataclass(frozen=True, slots=True)
class Drawing:
    """A finished layout. title and description are for those who cannot see it."""

    width: float
    height: float
    shapes: tuple[Shape, ...]
    title: str
    description: str


def say(x: float, y: float, text: str, font: Font = TEXT, kind: str = "ink", *, anchor: Anchor = "start") -> Text:
    """Make a line of text in one font."""
    return Text(x, y, (Words(text, font),), kind, anchor)


def width_of(words: tuple[Words, ...]) -> float:
    """Pixels that words in a row take, at most."""
    return sum(width(each.text, each.font) for each in words)
