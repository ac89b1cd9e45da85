"""The commands and their arguments."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from podnet import config
from podnet.cli.draw import add_draw
from podnet.cli.files import read_text
from podnet.cli.review import add_review
from podnet.cli.verify import add_verify
from podnet.errors import PodnetError
from podnet.model import Cluster


def main(arguments: Sequence[str]) -> int:
    """Run one command; its exit code. A PodnetError is one clear text on standard error, exit code 2."""
    parser = argparse.ArgumentParser(prog="python -m podnet", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--stack", default=os.environ.get("PODNET_STACK", "dev"), help="the stack (default: dev)")
    common.add_argument("--cluster", metavar="FILE", help="the config as JSON (- is standard input)")
    add_verify(commands, common)
    add_draw(commands, common)
    add_review(commands, common)
    chosen = parser.parse_args(arguments)
    try:
        return int(chosen.run(_cluster(chosen), chosen))
    except PodnetError as error:
        print(f"podnet: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("podnet: interrupted", file=sys.stderr)
        return 130


def _cluster(chosen: argparse.Namespace) -> Cluster:
    if chosen.cluster:
        return config.load(chosen.stack, _values(chosen.cluster))
    return config.from_stack_file(Path(os.environ.get("PODNET_ROOT", ".")) / f"Pulumi.{chosen.stack}.yaml")


def _values(name: str) -> dict[str, object]:
    try:
        values = json.loads(read_text(name, "the config"))
    except (ValueError, RecursionError) as error:
        raise PodnetError(f"the config {name} is not JSON: {error}") from None
    if not isinstance(values, dict):
        raise PodnetError(f"the config {name} is not a mapping; expected an object with podnet's keys")
    return values
