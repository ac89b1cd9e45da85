"""``podnet verify``: prove the network of a stack that is up."""

from __future__ import annotations

import argparse
import fnmatch
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from podnet.cli import table
from podnet.cli.files import write_whole
from podnet.cli.live import look
from podnet.errors import PodnetError
from podnet.model import Cluster
from podnet.verify.junit import junit
from podnet.verify.markdown import markdown
from podnet.verify.report import Report, dump

_TEXTS: Final[dict[str, Callable[[Report], str]]] = {"json": dump, "junit": junit, "markdown": markdown}


def add_verify(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command to a parser."""
    parser = commands.add_parser(
        "verify",
        parents=[common],
        help="prove that every pod and node reaches every pod without NAT",
        description="Exit code 0: all holds. 1: something does not. 2: it could not be looked at.",
    )
    parser.add_argument("--only", metavar="ID-PATTERN", default="*", help="checks whose id matches, as in 'pod-to-*'")
    parser.add_argument("--format", choices=["table", *_TEXTS, "summary"], default="table")
    parser.add_argument("--report", metavar="FILE", type=Path, help="write the report to a file too, as JSON")
    parser.set_defaults(run=_run)


def _run(cluster: Cluster, chosen: argparse.Namespace) -> int:
    only: str = chosen.only
    report = look(cluster, lambda identity: matches(identity, only))
    if not report.results:
        raise PodnetError(f"no check has an id like {only!r}")
    if chosen.report:
        write_whole(chosen.report, dump(report))
    _show(report, chosen.format)
    return 1 if report.failed else 0


def matches(identity: str, pattern: str) -> bool:
    """Whether an id is meant by a pattern of the shell's kind; the beginning of an id is enough."""
    return fnmatch.fnmatchcase(identity, pattern) or fnmatch.fnmatchcase(identity, f"{pattern}*")


def _show(report: Report, form: str) -> None:
    if form in _TEXTS:
        sys.stdout.write(_TEXTS[form](report))
        return
    table.show(report, sys.stderr if form == "summary" else sys.stdout)
    if form == "summary":
        # What the stack's outputs are made of.
        pods = [{"name": pod.name, "node": pod.node, "address": pod.address} for pod in report.workload]
        print(json.dumps({"verdict": report.verdict, "pods": pods}))
