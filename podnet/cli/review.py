"""``podnet review``: what a change of the config means, as Markdown. It needs no engine and no cluster."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from podnet.config import from_stack_file
from podnet.errors import PodnetError
from podnet.exit_codes import DONE
from podnet.model import Cluster
from podnet.planning import plan
from podnet.review.markdown import Review, markdown
from podnet.review.steps import Declared, declared, steps


def add_review(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command to a parser."""
    parser = commands.add_parser(
        "review",
        parents=[common],
        help="say what a change of the config means: nodes, routes, resources, picture",
        description="Compares another version of the stack's file with the one here. make preview-comment does it all.",
    )
    parser.add_argument("--base", metavar="FILE", required=True, type=Path, help="the other Pulumi.<stack>.yaml")
    parser.add_argument("--name", metavar="TEXT", default="", help="what to call it (default: its path)")
    parser.add_argument(
        "--previews",
        metavar="FILE",
        nargs=2,
        type=Path,
        help="what pulumi preview --json printed for the other version, and for this one",
    )
    parser.set_defaults(run=_run)


def _run(cluster: Cluster, chosen: argparse.Namespace) -> int:
    before = plan(from_stack_file(chosen.base))
    previews = [_preview(path) for path in chosen.previews or ()]
    found = steps(*previews) if previews else None
    print(markdown(Review(chosen.name or str(chosen.base), before, plan(cluster), found)), end="")
    return DONE


def _preview(path: Path) -> dict[str, Declared]:
    try:
        return declared(json.loads(path.read_text()))
    except (OSError, ValueError) as error:
        raise PodnetError(f"{path} cannot be read as JSON: {error}") from None
