"""``python -m lab``: what the Makefile calls."""

from __future__ import annotations

import argparse
import itertools
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from lab import environment
from podnet.errors import PodnetError

COMMANDS: Final = ("up", "down", "halt", "preview", "preview-comment", "conformance", "env", "prepare")


def main() -> int:
    """Run one command; the exit code. A PodnetError is one clear text on standard error."""
    parser = argparse.ArgumentParser(
        prog="python -m lab",
        description="podnet's embedded default: real boxes here.",
        epilog="What follows -- goes to pulumi: python -m lab preview --stack dev -- --diff",
    )
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--stack", default="dev", help="the stack (default: dev)")
    parser.add_argument("--replace", nargs="*", default=[], metavar="NODE", help="up: make these machines anew")
    parser.add_argument("--quick", action="store_true", help="conformance: the tests that say most, in a minute or two")
    parser.add_argument("--base", default="origin/main", help="what preview-comment compares with (a git revision)")
    parser.add_argument("--output", metavar="FILE", help="where preview-comment writes (default: standard output)")
    # argparse gives a list at the end nothing where an option stands before it.
    own = list(itertools.takewhile(lambda word: word != "--", sys.argv[1:]))
    rest = sys.argv[len(own) + 2 :]
    arguments = parser.parse_args(own)
    try:
        return _run(arguments, rest)
    except PodnetError as error:
        print(f"podnet: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("podnet: interrupted; the same command goes on from here", file=sys.stderr)
        return 130


def _run(arguments: argparse.Namespace, rest: Sequence[str]) -> int:
    from lab.lab import Lab  # noqa: PLC0415  # the arguments are checked before the engine's modules load

    lab = Lab(arguments.stack, environment.places(os.environ), Path(sys.executable))
    match arguments.command:
        case "up":
            return lab.up(rest, arguments.replace)
        case "down":
            return lab.down()
        case "halt":
            lab.halt()
        case "preview":
            return lab.preview(rest)
        case "conformance":
            return lab.conformance(quick=arguments.quick)
        case "preview-comment":
            lab.preview_comment(arguments.base, Path(arguments.output) if arguments.output else None)
        case "env":
            print(lab.env(), end="")
        case "prepare":
            lab.prepare()
    return 0


if __name__ == "__main__":
    sys.exit(main())
