"""Foreign text in Markdown: shown as it is, and unable to become anything else than text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from podnet.text import visible

_MARKUP: Final = re.compile(r"([\\`*_|<>\[\]])")


def escaped(text: str) -> str:
    """The text in one line as it is, whatever is in it: rules of iptables hold most of Markdown's signs."""
    return _MARKUP.sub(r"\\\1", visible(" ".join(text.split())))


def code(value: object) -> str:
    """A code span; also inside of a table, where a pipe would end the cell."""
    text = visible(str(value).replace("\n", " ").replace("\t", " ")).replace("|", "\\|")
    if not text.strip():
        return "(empty)"
    fence = "`" * (_longest(text) + 1)
    # A space inside keeps a backtick at the end apart from the fence; Markdown takes one from each side away.
    space = " " if text.startswith(("`", " ")) or text.endswith(("`", " ")) else ""
    return f"{fence}{space}{text}{space}{fence}"


def block(text: str, language: str = "") -> str:
    """A fenced code block, whose fence is longer than any in the text."""
    fence = "`" * max(3, _longest(text) + 1)
    return f"{fence}{language}\n{visible(text).rstrip()}\n{fence}"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The lines of a table (GitHub's Markdown has them)."""
    yield _row(columns)
    yield "|" + " --- |" * len(columns)
    yield from map(_row, rows)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(map(escaped, cells)) + " |"


def _longest(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
