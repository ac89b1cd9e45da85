"""A report in a terminal: the matrix, and everything about what does not hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from podnet.text import counted
from podnet.verify.check_matrix import CheckCell, check_matrix
from podnet.verify.report import Report, Result

_WIDTH: Final = 240
"""Columns where there is no terminal to ask: an id stands in one line, to be found there."""

_LONGEST_SEEN: Final = 60
_LONGEST_WHY: Final = 100


def show(report: Report, stream: TextIO) -> None:
    """Write a report; in colour only where the stream is a terminal."""
    console = Console(file=stream, width=None if stream.isatty() else _WIDTH)
    console.print(_matrix(report.results))
    if report.failed:
        # Many checks fail of one thing: it is said once.
        hints = list(dict.fromkeys(result.hint for result in report.failed if result.hint))
        console.print(_failures(report.failed, hints))
        for number, hint in enumerate(hints, 1):
            count = sum(result.hint == hint for result in report.failed)
            console.print(Text(f"look at {number} ({counted(count, 'check')}): {hint}"), soft_wrap=True)
    if report.untried:
        console.print(_untried(report.untried))
    style = "red" if report.failed else "yellow" if report.untried else "green"
    console.print(Text(f"{report.verdict}, in {report.seconds} s", style=style))


def _matrix(results: Sequence[Result]) -> Table:
    matrix = check_matrix(results)
    table = Table("check", *matrix.columns, title="checks that hold, by source", title_justify="left")
    for kind, cells in matrix.rows:
        table.add_row(kind, *(Text(str(cell), style=_style(cell)) for cell in cells))
    return table


def _style(cell: CheckCell) -> str:
    return "bold red" if cell.failed else "bold yellow" if cell.untried else ""


def _untried(results: Sequence[Result]) -> Table:
    table = Table("check", title="not tried", title_justify="left")
    table.add_column("why", max_width=_LONGEST_WHY)
    for result in results:
        table.add_row(Text(result.id), Text(result.untried))
    return table


def _failures(failed: Sequence[Result], hints: Sequence[str]) -> Table:
    table = Table("does not hold", "expected", title="failed", title_justify="left")
    table.add_column("seen", max_width=_LONGEST_SEEN)
    table.add_column("ms", justify="right")
    table.add_column("look at", justify="right")
    for result in failed:
        number = str(hints.index(result.hint) + 1) if result.hint else ""
        milliseconds = f"{result.milliseconds:g}" if result.milliseconds else ""
        table.add_row(Text(result.id), Text(result.expected), Text(result.seen), milliseconds, number)
    return table
