"""What was found wrong, and how a value is shown to the person who wrote it."""

from __future__ import annotations

import re
from datetime import date
from typing import Final, TypeVar

from podnet.errors import ConfigError, Problem

_T = TypeVar("_T")

_LONGEST: Final = 60
"""Characters of a value that an error shows."""

_MANY_DIGITS: Final = 10**20
"""From here on a number is called huge; Python itself refuses to write out one of more than 4,300 digits."""


class Findings:
    """The problems found so far, and the places whose value is refused and therefore unknown."""

    def __init__(self) -> None:
        self._problems: list[Problem] = []
        self._refused: set[str] = set()

    def add(self, where: str, found: str, expected: str) -> None:
        """Note a problem, unless it only follows from a value that is refused already."""
        if not self.refused(where):
            self._problems.append(Problem(where, found, expected))

    def refuse(self, where: str, found: str, expected: str) -> None:
        """Note a problem with a value that nothing more can be said about, nor about anything in it."""
        self.add(where, found, expected)
        self._refused.add(where)

    def leave_out(self, where: str) -> None:
        """Say no more about a value: a problem elsewhere tells already why it is not known."""
        self._refused.add(where)

    def refused(self, where: str) -> bool:
        """Tell whether this value, or one that it is a part of, is refused."""
        return any(where == start or where.startswith((f"{start}.", f"{start}[")) for start in self._refused)

    def raise_if_any(self) -> None:
        """Raise ConfigError with all problems, ordered by place; return where there are none."""
        if self._problems:
            raise ConfigError(sorted(self._problems, key=lambda problem: _natural(problem.where)))


def known(value: _T | None) -> _T:
    """Give a value that no check has found missing: what is None has a problem, and a problem ends in ConfigError."""
    if value is None:
        raise AssertionError("a value is missing, but no problem was noted for it")
    return value


def place(*path: str | int) -> str:
    """Name a place in the config as its user would: ``podnet:nodes[1].address``."""
    first, *rest = path
    return f"podnet:{plain(first)}" + "".join(
        f"[{part}]" if isinstance(part, int) else f".{plain(part)}" for part in rest
    )


def shown(value: object) -> str:
    """Show a value in one short line, without control characters."""
    match value:
        case None:
            return "nothing"
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
    """Order nodes[2] before nodes[10]."""
    return [(int(part[:18]), "") if part.isdecimal() else (0, part) for part in re.split(r"([0-9]+)", where)]
