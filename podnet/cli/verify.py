"""``podnet verify``: prove the network of a stack that is up."""

from __future__ import annotations

import argparse
import asyncio
import fnmatch
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from podnet.errors import PodnetError
from podnet.model import Cluster
from podnet.observe.access import Access
from podnet.observe.verification import verify
from podnet.planning import plan
from podnet.verify.report import Report, Result, dump


def add_verify(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command to a parser."""
    parser = commands.add_parser(
        "verify",
        parents=[common],
        help="prove that every pod and node reaches every pod without NAT",
        description="Exit code 0: all holds. 1: something does not. 2: it could not be looked at.",
    )
    parser.add_argument("--only", metavar="ID-PATTERN", default="*", help="checks whose id matches, as in 'pod-to-*'")
    parser.add_argument("--format", choices=["table", "json", "summary"], default="table")
    parser.set_defaults(run=_run)


def _run(cluster: Cluster, chosen: argparse.Namespace) -> int:
    console = Console(stderr=True)
    stacks = os.environ.get("PODNET_STACKS")
    if not stacks:
        raise PodnetError("PODNET_STACKS is not set: run 'eval \"$(make -s env)\"' in the checkout first")
    only: str = chosen.only
    with console.status("looking") as status:
        report = asyncio.run(
            verify(
                plan(cluster),
                Access(Path(stacks) / cluster.name),
                lambda what: status.update(what) if console.is_terminal else None,
                lambda check: fnmatch.fnmatch(check.id, only) or fnmatch.fnmatch(check.id, f"{only}*"),
            )
        )
    if not report.results:
        raise PodnetError(f"no check has an id like {only!r}")
    show(report, sys.stderr if chosen.format == "summary" else sys.stdout, chosen.format)
    if chosen.format == "summary":
        pods = [{"name": pod.name, "node": pod.node, "address": pod.address} for pod in report.pods]
        print(json.dumps({"verdict": report.verdict, "pods": pods}))
    return 1 if report.failed else 0


def show(report: Report, stream: TextIO, form: str) -> None:
    """Write a report."""
    if form == "json":
        stream.write(dump(report))
        return
    console = Console(file=stream, width=None if stream.isatty() else 160)
    console.print(_matrix(report.results))
    if report.failed:
        console.print(_failures(report.failed))
    style = "red" if report.failed else "green"
    console.print(Text(f"{report.verdict}, in {report.seconds} s", style=style))


def _matrix(results: Sequence[Result]) -> Table:
    """A row for each scenario, a column for each source: how many of its checks hold."""
    sources = list(dict.fromkeys(result.source for result in results))
    table = Table("check", *sources, title="checks that hold, by source", title_justify="left")
    rows = list(dict.fromkeys(f"{result.scenario}/{result.action}" for result in results))
    for row in rows:
        cells = []
        for source in sources:
            mine = [r for r in results if f"{r.scenario}/{r.action}" == row and r.source == source]
            passed = sum(result.passed for result in mine)
            style = "" if passed == len(mine) else "bold red"
            cells.append(Text(f"{passed}/{len(mine)}" if mine else "", style=style))
        table.add_row(row, *cells)
    return table


def _failures(failed: Sequence[Result]) -> Table:
    table = Table("does not hold", "expected", "seen", title="failed", title_justify="left")
    for result in failed:
        seen = f"{result.seen}\n{result.hint}".strip()
        table.add_row(Text(result.id), Text(result.expected), Text(seen))
    return table
