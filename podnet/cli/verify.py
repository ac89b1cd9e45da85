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
from podnet.cli.live import look
from podnet.draw.graph import graph
from podnet.draw.html import page
from podnet.draw.svg import picture
from podnet.errors import PodnetError
from podnet.exit_codes import DONE, NOT_SO
from podnet.files import write_whole
from podnet.model import Cluster
from podnet.planning import plan
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
        description="Exit code 0: all holds. 1: something does not, or was not tried. 2: it could not be looked at.",
    )
    parser.add_argument("--only", metavar="ID-PATTERN", default="*", help="checks whose id matches, as in 'pod-to-*'")
    parser.add_argument("--format", choices=["table", *_TEXTS, "summary"], default="table")
    parser.add_argument("--report", metavar="FILE", type=Path, help="write the report to a file too, as JSON")
    parser.add_argument("--draw", metavar="FOLDER", type=Path, help="draw what was seen: network.svg and network.html")
    parser.set_defaults(run=_run)


def _run(cluster: Cluster, chosen: argparse.Namespace) -> int:
    only: str = chosen.only
    report = look(cluster, lambda identity: matches(identity, only))
    if not report.results:
        raise PodnetError(f"no check has an id like {only!r}")
    if chosen.report:
        write_whole(chosen.report, dump(report))
    pages = _draw(cluster, report, chosen.draw) if chosen.draw else None
    _show(report, chosen.format, pages)
    return DONE if report.proved else NOT_SO


def matches(identity: str, pattern: str) -> bool:
    """Whether an id is meant by a pattern of the shell's kind; the beginning of an id is enough."""
    return fnmatch.fnmatchcase(identity, pattern) or fnmatch.fnmatchcase(identity, f"{pattern}*")


def _draw(cluster: Cluster, report: Report, folder: Path) -> Path:
    """Write the picture, and the page with it; the page's path. What failed is drawn too: then it is needed most."""
    planned = plan(cluster)
    write_whole(folder / "network.svg", picture(graph(planned, report)))
    write_whole(folder / "network.html", page(planned, report))
    return folder / "network.html"


def _show(report: Report, form: str, drawn: Path | None) -> None:
    if form in _TEXTS:
        sys.stdout.write(_TEXTS[form](report))
        return
    stream = sys.stderr if form == "summary" else sys.stdout
    table.show(report, stream)
    if drawn:
        print(f"the picture of it: {drawn}", file=stream)
    if form == "summary":
        # What the stack's outputs are made of.
        pods = [{"name": pod.name, "node": pod.node, "address": pod.address} for pod in report.workload]
        print(json.dumps({"verdict": report.verdict, "pods": pods, "picture": str(drawn or "")}))
