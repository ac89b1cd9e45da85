"""Foreign text in Markdown: shown as it is, and unable to become anything else than text."""

from __future__ import annotations

import re


def visible(text: str) -> str:
    """Write out what cannot be seen: control characters, and those that turn the direction of a line around."""
    return "".join(each if each.isprintable() or each in "\n\t" else f"\\u{ord(each):04x}" for each in text)


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


def _longest(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
