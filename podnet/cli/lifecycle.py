"""``podnet up``, ``down``, ``halt``, ``preview`` and the like: a stack's life on this machine, as make calls it."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from podnet.cli.exit_codes import DONE

if TYPE_CHECKING:
    from podnet.lifecycle.lab import Lab


def add_lifecycle(commands: Any, stack: argparse.ArgumentParser) -> None:
    """Add the commands to a parser."""
    pulumi = "What follows -- goes to pulumi: -- --diff"
    up = commands.add_parser(
        "up", parents=[stack], help="bring up machines, cluster, pod network and nginx, and verify them", epilog=pulumi
    )
    up.add_argument("--replace", nargs="*", default=[], metavar="NODE", help="replace these machines")
    up.set_defaults(run=lambda chosen: _lab(chosen).up(chosen.pulumi, chosen.replace), passes_on=True)
    preview = commands.add_parser(
        "preview", parents=[stack], help="show what up would do; needs no root, machine or cluster", epilog=pulumi
    )
    preview.set_defaults(run=lambda chosen: _lab(chosen).preview(chosen.pulumi), passes_on=True)
    comment = commands.add_parser(
        "preview-comment", parents=[stack], help="say as Markdown what this checkout changes, as for a pull request"
    )
    comment.add_argument("--base", default="origin/main", help="what to compare with (a git revision)")
    comment.add_argument("--output", metavar="FILE", type=Path, help="where to write it (default: standard output)")
    comment.set_defaults(run=_preview_comment)
    conformance = commands.add_parser(
        "conformance", parents=[stack], help="run Kubernetes' own network tests on a stack that is up"
    )
    conformance.add_argument("--quick", action="store_true", help="the tests that say most, in a minute or two")
    conformance.set_defaults(run=lambda chosen: _lab(chosen).conformance(quick=chosen.quick))
    for name, run, text in (
        ("down", lambda chosen: _lab(chosen).down(), "take all of it away again"),
        ("halt", _halt, "stop the machines; up starts them again"),
        ("env", _env, "print what puts pulumi, kubectl and vagrant into a shell"),
        ("prepare", _prepare, "make the toolchain, the node bundle and the box, and nothing else"),
    ):
        commands.add_parser(name, parents=[stack], help=text).set_defaults(run=run)


def _lab(chosen: argparse.Namespace) -> Lab:
    # What only reads a cluster does not wait until the engine's modules have loaded.
    from podnet.lifecycle import environment  # noqa: PLC0415
    from podnet.lifecycle.lab import Lab  # noqa: PLC0415

    return Lab(chosen.stack, environment.places(os.environ), Path(sys.executable))


def _preview_comment(chosen: argparse.Namespace) -> int:
    _lab(chosen).preview_comment(chosen.base, chosen.output)
    return DONE


def _halt(chosen: argparse.Namespace) -> int:
    _lab(chosen).halt()
    return DONE


def _env(chosen: argparse.Namespace) -> int:
    print(_lab(chosen).env(), end="")
    return DONE


def _prepare(chosen: argparse.Namespace) -> int:
    _lab(chosen).prepare()
    return DONE
