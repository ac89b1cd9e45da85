"""``podnet up``, ``down``, ``halt``, ``preview`` and the like: a stack's life on this machine, as make calls it.

Each command loads what it needs when it runs: what only reads a cluster does not wait for the toolchain's modules.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from podnet.exit_codes import DONE, NOT_SO

if TYPE_CHECKING:
    from podnet.lifecycle.workspace import Workspace


def add_lifecycle(commands: Any, stack: argparse.ArgumentParser) -> None:
    """Add the commands to a parser."""

    def add(name: str, run: Callable[[argparse.Namespace], int], text: str, **more: Any) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = commands.add_parser(name, parents=[stack], help=text, **more)
        parser.set_defaults(run=run)
        return parser

    pulumi = "What follows -- goes to pulumi: -- --diff"
    up = add("up", _up, "bring up machines, cluster, pod network and nginx, and verify them", epilog=pulumi)
    up.add_argument("--replace", nargs="*", default=[], metavar="NODE", help="replace these machines")
    up.set_defaults(passes_on=True)
    preview = add("preview", _preview, "show what up would do; needs no root, machine or cluster", epilog=pulumi)
    preview.set_defaults(passes_on=True)
    comment = add("preview-comment", _preview_comment, "say as Markdown what this checkout changes, for a pull request")
    comment.add_argument("--base", default="origin/main", help="what to compare with (a git revision)")
    comment.add_argument("--output", metavar="FILE", type=Path, help="where to write it (default: standard output)")
    conformance = add("conformance", _conformance, "run Kubernetes' own network tests on a stack that is up")
    conformance.add_argument("--quick", action="store_true", help="the tests that say most, in a minute or two")
    add("down", _down, "take all of it away again")
    add("halt", _halt, "stop the machines; up starts them again")
    add("env", _env, "print what puts pulumi, kubectl and vagrant into a shell")
    add("prepare", _prepare, "make the toolchain, the node bundle and the box, and nothing else")


def _workspace(chosen: argparse.Namespace) -> Workspace:
    from podnet.lifecycle.places import places
    from podnet.lifecycle.workspace import Workspace

    return Workspace(chosen.stack, places(os.environ), Path(sys.executable))


def _code(succeeded: bool) -> int:
    return DONE if succeeded else NOT_SO


def _up(chosen: argparse.Namespace) -> int:
    from podnet.lifecycle.up import up

    return _code(up(_workspace(chosen), chosen.pulumi, chosen.replace))


def _down(chosen: argparse.Namespace) -> int:
    from podnet.lifecycle.down import down

    return _code(down(_workspace(chosen)))


def _halt(chosen: argparse.Namespace) -> int:
    from podnet.lifecycle.down import halt

    halt(_workspace(chosen))
    return DONE


def _preview(chosen: argparse.Namespace) -> int:
    from podnet.lifecycle.preview import preview

    return _code(preview(_workspace(chosen), chosen.pulumi))


def _preview_comment(chosen: argparse.Namespace) -> int:
    from podnet.lifecycle.preview_comment import preview_comment

    preview_comment(_workspace(chosen), chosen.base, chosen.output)
    return DONE


def _conformance(chosen: argparse.Namespace) -> int:
    from podnet.lifecycle.conformance import conformance

    return _code(conformance(_workspace(chosen), quick=chosen.quick))


def _env(chosen: argparse.Namespace) -> int:
    from podnet.lifecycle import prerequisites
    from podnet.lifecycle.workspace import exports

    workspace = _workspace(chosen)
    # It builds no box, and only what the toolchain lacks.
    made = prerequisites.for_stack(workspace.places, workspace.python)
    print(exports(workspace.own_variables(made)), end="")
    return DONE


def _prepare(chosen: argparse.Namespace) -> int:
    from podnet.lifecycle.up import prepare

    prepare(_workspace(chosen))
    return DONE
