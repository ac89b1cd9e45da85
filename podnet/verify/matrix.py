"""A report as a grid: a row for each kind of check, a column for each source, how many of its checks hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from podnet.verify.report import Result


@dataclass(frozen=True, slots=True)
class Cell:
    """The checks of one kind from one source. Of none: there is nothing to hold."""

    passed: int
    total: int

    def __str__(self) -> str:
        return f"{self.passed}/{self.total}" if self.total else ""

    @property
    def failed(self) -> bool:
        """Whether one of them does not hold."""
        return self.passed < self.total


@dataclass(frozen=True, slots=True)
class Matrix:
    """columns: the sources. rows: a kind of check (scenario/action) and its cells."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


def matrix(results: Sequence[Result]) -> Matrix:
    """Count results, kinds and sources in the order in which they come."""
    counts: dict[str, dict[str, list[bool]]] = {}
    for result in results:
        row = counts.setdefault(f"{result.scenario}/{result.action}", {})
        row.setdefault(result.source, []).append(result.passed)
    columns = tuple(dict.fromkeys(result.source for result in results))
    rows = (
        (kind, tuple(Cell(sum(row.get(column, ())), len(row.get(column, ()))) for column in columns))
        for kind, row in counts.items()
    )
    return Matrix(columns, tuple(rows))
