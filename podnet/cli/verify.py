"""``podnet verify``: prove the network of a stack that is up."""

from __future__ import annotations

import argparse
import asyncio
import fnmatch
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from podnet.cli import table
from podnet.errors import PodnetError
from podnet.model import Cluster
from podnet.observe.access import Access
from podnet.observe.verification import verify
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
        description="Exit code 0: all holds. 1: something does not. 2: it could not be looked at.",
    )
    parser.add_argument("--only", metavar="ID-PATTERN", default="*", help="checks whose id matches, as in 'pod-to-*'")
    parser.add_argument("--format", choices=["table", *_TEXTS, "summary"], default="table")
    parser.add_argument("--report", metavar="FILE", type=Path, help="write the report to a file too, as JSON")
    parser.set_defaults(run=_run)


def _run(cluster: Cluster, chosen: argparse.Namespace) -> int:
    stacks = os.environ.get("PODNET_STACKS")
    if not stacks:
        raise PodnetError("PODNET_STACKS is not set: run 'eval \"$(make -s env)\"' in the checkout first")
    only: str = chosen.only
    with _progress() as progress:
        report = asyncio.run(_verify(cluster, Access(Path(stacks) / cluster.name), progress, only))
    if not report.results:
        raise PodnetError(f"no check has an id like {only!r}")
    if chosen.report:
        write_whole(chosen.report, dump(report))
    _show(report, chosen.format)
    return 1 if report.failed else 0


async def _verify(cluster: Cluster, access: Access, progress: _Display, only: str) -> Report:
    """Verify, and take everything away again on SIGTERM too, as asyncio does on Ctrl-C."""
    task = asyncio.current_task()
    assert task is not None  # noqa: S101  # a coroutine runs in one
    ended: list[int] = []

    def end() -> None:
        if not ended:  # a second one must not keep the first from taking away
            task.cancel()
        ended.append(signal.SIGTERM)

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end)
    try:
        return await verify(plan(cluster), access, progress, lambda identity: matches(identity, only))
    except asyncio.CancelledError:
        if ended:
            progress.warn("ended")
            raise SystemExit(128 + signal.SIGTERM) from None
        raise


def matches(identity: str, pattern: str) -> bool:
    """Whether an id is meant by a pattern of the shell's kind; the beginning of an id is enough."""
    return fnmatch.fnmatchcase(identity, pattern) or fnmatch.fnmatchcase(identity, f"{pattern}*")


def write_whole(path: Path, text: str) -> None:
    """Write a file such that at any time it is the old one or the new one, whole. PodnetError where it cannot be."""
    pending = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with pending.open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        pending.replace(path)
    except OSError as error:
        pending.unlink(missing_ok=True)
        raise PodnetError(f"the report cannot be written to {path}: {error.strerror}") from None


def _show(report: Report, form: str) -> None:
    if form in _TEXTS:
        sys.stdout.write(_TEXTS[form](report))
        return
    table.show(report, sys.stderr if form == "summary" else sys.stdout)
    if form == "summary":
        # What the stack's outputs are made of.
        pods = [{"name": pod.name, "node": pod.node, "address": pod.address} for pod in report.workload]
        print(json.dumps({"verdict": report.verdict, "pods": pods}))


class _Display:
    """The progress in a terminal; elsewhere only warnings are shown."""

    def __init__(self, console: Console, bar: Progress) -> None:
        self._console = console
        self._bar = bar
        self._task = bar.add_task("", total=None)

    def wait(self, what: str) -> None:
        self._bar.update(self._task, description=f"waiting for {what}")

    def count(self, made: int, total: int) -> None:
        what = f"waiting for the probes: {made} of {total} made"
        self._bar.update(self._task, description=what, completed=made, total=total)

    def warn(self, what: str) -> None:
        self._console.print(f"podnet: {what}", markup=False, highlight=False, soft_wrap=True)


@contextmanager
def _progress() -> Iterator[_Display]:
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        yield _Display(console, bar)
