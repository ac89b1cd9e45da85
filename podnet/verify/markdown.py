"""A report as Markdown, for pull requests: verdict, matrix, and what does not hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from podnet.verify.matrix import matrix
from podnet.verify.report import Report, Result

_MARKUP = re.compile(r"([\\`*_|<>\[\]])")


def markdown(report: Report) -> str:
    """Write a report as Markdown (GitHub's, which has tables)."""
    grid = matrix(report.results)
    lines = [f"**{_escaped(report.verdict)}**, in {report.seconds} s", ""]
    lines += _table(["check", *grid.columns], ([kind, *map(str, cells)] for kind, cells in grid.rows))
    if report.failed:
        lines += ["", "### Does not hold", ""]
        lines += _table(["check", "expected", "seen", "ms", "what to look at"], map(_failure, report.failed))
    if report.untried:
        lines += ["", "### Not tried", ""]
        lines += _table(["check", "expected", "why"], ([r.id, r.expected, r.untried] for r in report.untried))
    return "\n".join(lines) + "\n"


def _failure(result: Result) -> list[str]:
    return [result.id, result.expected, result.seen, f"{result.milliseconds:g}", result.hint]


def _table(head: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    yield _row(head)
    yield "|" + " --- |" * len(head)
    yield from map(_row, rows)


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(_escaped(cell) for cell in cells) + " |"


def _escaped(text: str) -> str:
    """The text as it is, whatever is in it: rules of iptables hold most of Markdown's signs."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))
