"""What a drawing is made of: boxes, lines, texts and signs with their places, in pixels from the top left.

A layout makes them, :mod:`podnet.draw.svg` writes them; between the two a test can measure every one.
``kind`` is the class of the style (:mod:`podnet.draw.style`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from podnet.draw.evidence import State
from podnet.draw.labels import Code
from podnet.draw.measure import CODE, SMALL, TEXT, Font, text_width
from podnet.draw.style import css_class

SIGN: Final = 17
"""The room of a sign before its text."""

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
class ArrowHead:
    """An arrow's head with its tip at a point."""

    tip: Point
    towards: Literal["up", "down"]
    kind: str


@dataclass(frozen=True, slots=True)
class Sign:
    """The sign of a state, around a point: each state has a shape of its own, not only a colour."""

    x: float
    y: float
    state: State


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a text in one font."""

    text: str
    font: Font


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text. x: where its anchor is. y: of its baseline."""

    x: float
    y: float
    spans: tuple[Span, ...]
    kind: str = "ink"
    anchor: Anchor = "start"


@dataclass(frozen=True, slots=True)
class Group:
    """Shapes that belong together. title: what is said where somebody points at them."""

    shapes: tuple[Shape, ...]
    title: str = ""


Shape = Box | Line | ArrowHead | Sign | Text | Group


@dataclass(frozen=True, slots=True)
class Drawing:
    """A finished layout. title and description are for those who cannot see it."""

    width: float
    height: float
    shapes: tuple[Shape, ...]
    title: str
    description: str


Draw = Callable[[float, float, float, float], Iterator[Shape]]
"""Draws into a place: its left and upper edge, its width and height."""


@dataclass(frozen=True, slots=True)
class Block:
    """A part of the picture: the width that it wants, the least height that it needs, and how it is drawn."""

    width: float
    height: float
    draw: Draw


def text(x: float, y: float, words: str, font: Font = TEXT, kind: str = "ink", *, anchor: Anchor = "start") -> Text:
    """Make a line of text in one font."""
    return Text(x, y, (Span(words, font),), kind, anchor)


def spans(*pieces: str) -> tuple[Span, ...]:
    """A label's pieces, each in its font."""
    return tuple(Span(piece, CODE if isinstance(piece, Code) else SMALL) for piece in pieces)


def spans_width(row: tuple[Span, ...]) -> float:
    """Pixels that spans in a row take, at most."""
    return sum(text_width(span.text, span.font) for span in row)


def status(x: float, y: float, state: State, words: str, font: Font = SMALL) -> Iterator[Shape]:
    """A state's sign, in the middle of a text's height, and words in its colour beside it."""
    yield Sign(x + 5, y - 4, state)
    yield text(x + SIGN, y, words, font, f"status {css_class(state)}")
