"""A report in a terminal: the matrix, and everything about what does not hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from podnet.verify.matrix import matrix
from podnet.verify.report import Report, Result

_WIDTH = 160
"""Columns where there is no terminal to ask."""


def show(report: Report, stream: TextIO) -> None:
    """Write a report; in colour only where the stream is a terminal."""
    console = Console(file=stream, width=None if stream.isatty() else _WIDTH)
    console.print(_matrix(report.results))
    if report.failed:
        console.print(_failures(report.failed))
    style = "red" if report.failed else "green"
    console.print(Text(f"{report.verdict}, in {report.seconds} s", style=style))


def _matrix(results: Sequence[Result]) -> Table:
    grid = matrix(results)
    table = Table("check", *grid.columns, title="checks that hold, by source", title_justify="left")
    for kind, cells in grid.rows:
        table.add_row(kind, *(Text(str(cell), style="bold red" if cell.failed else "") for cell in cells))
    return table


def _failures(failed: Sequence[Result]) -> Table:
    table = Table("does not hold", "expected", "seen", "ms", title="failed", title_justify="left", show_lines=True)
    for result in failed:
        hint = f"\nlook at: {result.hint}" if result.hint else ""
        what = Text(result.id + hint)
        table.add_row(what, Text(result.expected), Text(result.seen), f"{result.milliseconds:g}")
    return table
