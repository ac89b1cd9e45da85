"""How wide a text is, before anybody has drawn it.

Nobody knows which font the reader has. The widths are those of DejaVu Sans, the widest of the fonts that the picture
asks for; in any other a text only gets shorter, and stays in its box.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Font:
    """A face and a size in pixels. name: of its class in the style; the common one has none."""

    name: str
    size: float
    bold: bool = False
    mono: bool = False


TITLE: Final = Font("title", 20, bold=True)
NAME: Final = Font("name", 15, bold=True)
STRONG: Final = Font("strong", 12, bold=True)
TEXT: Final = Font("", 12)
SMALL: Final = Font("small", 11)
CODE: Final = Font("code", 11, mono=True)

_MONO: Final = 0.61
"""Of the size; DejaVu Sans Mono and Menlo have 0.602, all others that are asked for have less."""

_UNKNOWN: Final = 1.2
"""A character that is not in the table, as from a name in a report: no letter in use is wider than this."""

_REGULAR: Final = {
    0.28: "ijl'", 0.3: "IJ", 0.32: ",. ·", 0.34: "/:;\\|", 0.36: "f", 0.37: "-", 0.4: "t()[]", 0.42: "r!", 0.46: '"',
    0.5: "*_`", 0.54: "sz?", 0.56: "cL", 0.58: "kF", 0.6: "vxy", 0.62: "PaeoTY", 0.64: "0123456789bdghnpquES${}",
    0.7: "KABVXZCR", 0.76: "UNH", 0.79: "DG&OQ", 0.84: "w#+<=>^~→", 0.87: "M", 1.0: "%mW@…",
}  # fmt: skip

_BOLD: Final = {
    0.35: "ijl '", 0.38: "/\\|IJ,.·", 0.42: ":;-", 0.46: "f!()[]", 0.5: "tr_`", 0.6: '"*z?cs', 0.7: "LxvykaeoEFT$",
    0.74: "0123456789bdghnpqu{}SYZCP", 0.78: "BAKRVX", 0.84: "UGDHN#+<=>^~→", 0.88: "OQ&", 0.93: "w", 1.0: "M@…",
    1.11: "%mW",
}  # fmt: skip


def _table(groups: dict[float, str]) -> dict[str, float]:
    return {character: width for width, characters in groups.items() for character in characters}


_WIDTHS: Final = {False: _table(_REGULAR), True: _table(_BOLD)}


def text_width(text: str, font: Font) -> float:
    """Pixels that a text takes, at most."""
    if font.mono:
        return sum(_MONO if character.isascii() else _UNKNOWN for character in text) * font.size
    return sum(_WIDTHS[font.bold].get(character, _UNKNOWN) for character in text) * font.size


def shortened(text: str, font: Font, room: float) -> str:
    """A text with its middle left out where it is too wide: names differ at both their ends."""
    if text_width(text, font) <= room:
        return text
    for kept in range(len(text) - 1, 0, -1):
        tail = kept // 2
        short = f"{text[: kept - tail]}…{text[len(text) - tail :]}"
        if text_width(short, font) <= room:
            return short
    return "…"


def wrapped(text: str, font: Font, room: float) -> tuple[str, ...]:
    """A name in as many lines as it needs; broken after a hyphen where one is near, else anywhere."""
    lines = []
    while text_width(text, font) > room:
        end = next((count for count in range(len(text) - 1, 1, -1) if text_width(text[:count], font) <= room), 1)
        hyphen = text.rfind("-", end // 2, end) + 1
        lines.append(text[: hyphen or end])
        text = text[hyphen or end :]
    return (*lines, text)
