"""A verification at the command line: with its progress in the terminal, and nothing left behind when it is ended."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from podnet.errors import PodnetError
from podnet.model import Cluster
from podnet.observe.access import Access
from podnet.observe.verification import verify
from podnet.planning import plan
from podnet.verify.report import Report


def look(cluster: Cluster, choose: Callable[[str], bool] = lambda _: True) -> Report:
    """Verify a cluster that is up. choose: which checks to make, by id.

    Raises PodnetError where it cannot be looked at.
    """
    stacks = os.environ.get("PODNET_STACKS")
    if not stacks:
        raise PodnetError("PODNET_STACKS is not set: run 'eval \"$(make -s env)\"' in the checkout first")
    with _progress() as progress:
        return asyncio.run(_verify(cluster, Access(Path(stacks) / cluster.name), progress, choose))


async def _verify(cluster: Cluster, access: Access, progress: _Display, choose: Callable[[str], bool]) -> Report:
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
        return await verify(plan(cluster), access, progress, choose)
    except asyncio.CancelledError:
        if ended:
            progress.warn("ended")
            raise SystemExit(128 + signal.SIGTERM) from None
        raise


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
