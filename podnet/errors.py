"""The errors that podnet raises on purpose: each is a sentence for a person, never a traceback."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class PodnetError(Exception):
    """Something that the user can understand and act on. Its text is shown as it is."""


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
