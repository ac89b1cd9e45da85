"""The checks by kind: a row for each kind of check, a column for each source, how many of its checks hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from podnet.verify.report import Result


@dataclass(frozen=True, slots=True)
class CheckCell:
    """The checks of one kind from one source. Of none: there is nothing to hold. untried: how many were not tried."""

    passed: int
    total: int
    untried: int = 0

    def __str__(self) -> str:
        return f"{self.passed}/{self.total}" if self.total else ""

    @property
    def failed(self) -> bool:
        """Whether one of them does not hold."""
        return self.passed + self.untried < self.total


@dataclass(frozen=True, slots=True)
class CheckMatrix:
    """columns: the sources. rows: a kind of check (scenario/action) and its cells."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[CheckCell, ...]], ...]


def check_matrix(results: Sequence[Result]) -> CheckMatrix:
    """Count results, kinds and sources in the order in which they come."""
    kinds: dict[str, dict[str, list[Result]]] = {}
    for result in results:
        row = kinds.setdefault(f"{result.scenario}/{result.action}", {})
        row.setdefault(result.source.name, []).append(result)
    columns = tuple(dict.fromkeys(result.source.name for result in results))
    rows = ((kind, tuple(_cell(row.get(column, ())) for column in columns)) for kind, row in kinds.items())
    return CheckMatrix(columns, tuple(rows))


def _cell(results: Sequence[Result]) -> CheckCell:
    return CheckCell(sum(each.passed for each in results), len(results), sum(bool(each.untried) for each in results))
