"""``podnet draw``: the picture of a stack's pod network."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from podnet.cli.live import look
from podnet.draw.graph import graph
from podnet.draw.html import page
from podnet.draw.mermaid import flowchart
from podnet.draw.svg import picture
from podnet.exit_codes import DONE
from podnet.files import read_text, write_whole
from podnet.model import Cluster
from podnet.planning import ClusterPlan, plan
from podnet.verify.report import Report, load

_FORMATS: Final[Mapping[str, Callable[[ClusterPlan, Report | None], str]]] = {
    "svg": lambda plan, report: picture(graph(plan, report)),
    "mermaid": lambda plan, report: flowchart(graph(plan, report)),
    "html": page,
}


def add_draw(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command to a parser."""
    parser = commands.add_parser(
        "draw",
        parents=[common],
        help="draw the pod network, as planned or as it is",
        description="From the plan alone, which needs no host, cluster or secret; or with what a verification saw. "
        "Exit code 0: drawn, whatever was seen. 2: it could not be drawn.",
    )
    parser.add_argument("--format", choices=list(_FORMATS), default="svg", help="html holds matrix and tables too")
    parser.add_argument("--output", metavar="FILE", type=Path, help="where to write it (default: standard output)")
    seen = parser.add_mutually_exclusive_group()
    seen.add_argument("--live", action="store_true", help="verify the cluster, and draw what was seen")
    seen.add_argument("--report", metavar="FILE", help="draw what is in this report: verify --format json (- is stdin)")
    parser.set_defaults(run=_run)


def _run(cluster: Cluster, chosen: argparse.Namespace) -> int:
    report = look(cluster) if chosen.live else load(read_text(chosen.report, "the report")) if chosen.report else None
    text = _FORMATS[chosen.format](plan(cluster), report)
    if chosen.output:
        write_whole(chosen.output, text)
    else:
        # As bytes: the picture says that it is UTF-8, whatever the terminal's locale is.
        sys.stdout.buffer.write(text.encode())
    return DONE
