"""How a problem names its place, and shows a value to the person who wrote it."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from podnet.errors import Problem

_LONGEST: Final = 60
"""Characters of a value that an error shows."""

_MANY_DIGITS: Final = 10**20
"""From here on a number is called huge; Python itself refuses to write out one of more than 4,300 digits."""

Path = tuple[str | int, ...]
"""The keys and list indices that lead to a value: ``("nodes", 1, "address")``."""


NAMESPACE: Final = "podnet:"


def place(path: Path) -> str:
    """Name a place in the config as its user would: ``podnet:nodes[1].address``."""
    first, *rest = path
    return f"{NAMESPACE}{plain(first)}" + "".join(
        f"[{part}]" if isinstance(part, int) else f".{plain(part)}" for part in rest
    )


def in_order(problems: list[Problem]) -> list[Problem]:
    """Sort problems by place, nodes[2] before nodes[10]."""
    return sorted(problems, key=lambda problem: _natural(problem.where))


def shown(value: object) -> str:
    """Show a value in one short line, without control characters."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value) if abs(value) < _MANY_DIGITS else "a huge number"
        case float():
            return repr(value)
        case str():
            return repr(value if len(value) <= _LONGEST else f"{value[:_LONGEST]}...")
    return kind(value)


def plain(name: str | int) -> str:
    """Show a name: as it is, or in quotes where it has characters that no name should have."""
    text = str(name)
    return text if re.fullmatch(r"[A-Za-z0-9_.-]{1,60}", text) else shown(text)


def kind(value: object) -> str:
    """Say what kind of value this is, in a newcomer's words."""
    for types, word in _KINDS:
        if isinstance(value, types):
            return word
    return f"a value of type {type(value).__name__}"


_KINDS: Final[tuple[tuple[type | tuple[type, ...], str], ...]] = (
    (type(None), "nothing"),
    (bool, "a yes-or-no value"),
    (str, "text"),
    (int, "a whole number"),
    (float, "a number with a fraction"),
    (dict, "a mapping"),
    ((list, tuple), "a list"),
    (date, "a date"),
)
"""bool comes before int, of which it is a subclass."""


def _natural(where: str) -> list[tuple[int, str]]:
    return [(int(part[:18]), "") if part.isdecimal() else (0, part) for part in re.split(r"([0-9]+)", where)]
