"""The errors that podnet raises on purpose: each is a sentence for a person, never a traceback."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_KLOG: Final = re.compile(r"[IWEF]\d{4} \d\d:\d\d:\d\d")
"""How a line of Kubernetes' log begins: kubectl says the same again in words."""

_LINES: Final = 3
_LONGEST: Final = 300
"""Characters of a line."""


def last_words(text: str, status: int = 0) -> str:
    """What a program that failed said at its end, in one line: the last line alone often hides why.

    status: its exit code, for one that said nothing.
    """
    said = [shortened(line) for line in text.splitlines() if line.strip()]
    lines = [line for line in said if not _KLOG.match(line)] or said
    return "; ".join(lines[-_LINES:]) or f"it said nothing (exit code {status})"


def shortened(text: str) -> str:
    """The text in one line, with its end left out where it is very long."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]} ..."


class PodnetError(Exception):
    """Something that the user can understand and act on. Its text is shown as it is."""


class RefusedError(PodnetError, ValueError):
    """A value that cannot be taken.

    found: what stands there. expected: what would have been right.
    """

    def __init__(self, found: str, expected: str) -> None:
        self.found = found
        self.expected = expected
        super().__init__(f"{found}; expected {expected}")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with the config.

    where: the path of the value, as the user wrote it (``nodes[1].address``).
    found: what stands there.
    expected: what would have been right.
    """

    where: str
    found: str
    expected: str

    def __str__(self) -> str:
        return f"{self.where}: {self.found}; expected {self.expected}"


class ConfigError(PodnetError):
    """All that is wrong with a config, at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        head = f"the config has {count} problem{'s' if count != 1 else ''}:"
        super().__init__("\n".join([head, *(f"  - {problem}" for problem in self.problems)]))
