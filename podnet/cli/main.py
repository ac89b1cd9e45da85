"""The commands and their arguments."""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from podnet import config
from podnet.cli.draw import add_draw
from podnet.cli.lifecycle import add_lifecycle
from podnet.cli.review import add_review
from podnet.cli.verify import add_verify
from podnet.errors import PodnetError
from podnet.exit_codes import ERROR, INTERRUPTED
from podnet.files import read_text
from podnet.model import Cluster


def main(arguments: Sequence[str]) -> int:
    """Run one command; its exit code (exit_codes). A PodnetError is one clear text on standard error."""
    parser = argparse.ArgumentParser(
        prog="python -m podnet",
        description="A routed pod network on real machines: planned, built, proved and drawn.",
        epilog="Exit code 0: done, and it holds. 1: it does not hold, or Pulumi failed. 2: podnet could not.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    stack = argparse.ArgumentParser(add_help=False)
    stack.add_argument("--stack", default=os.environ.get("PODNET_STACK", "dev"), help="the stack (default: dev)")
    config_too = argparse.ArgumentParser(add_help=False, parents=[stack])
    config_too.add_argument("--cluster", metavar="FILE", help="the config as JSON (- is standard input)")
    add_lifecycle(commands, stack)
    add_verify(commands, config_too)
    add_draw(commands, config_too)
    add_review(commands, config_too)
    # argparse gives a list at the end nothing where an option stands before it.
    own = list(itertools.takewhile(lambda argument: argument != "--", arguments))
    chosen = parser.parse_args(own, argparse.Namespace(pulumi=list(arguments[len(own) + 1 :])))
    if chosen.pulumi and "passes_on" not in chosen:
        parser.error("only up and preview pass anything on to pulumi (what follows --)")
    try:
        return int(chosen.run(_cluster(chosen), chosen) if "cluster" in chosen else chosen.run(chosen))
    except PodnetError as error:
        print(f"podnet: {error}", file=sys.stderr)
        return ERROR
    except KeyboardInterrupt:
        print("podnet: interrupted; the same command goes on from here", file=sys.stderr)
        return INTERRUPTED


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
