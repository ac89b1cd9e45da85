"""What a person sees while things are made: simple lines, and on a terminal something that moves."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import Progress as Bar
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

from podnet.steps import duration


class Progress(Protocol):
    """Where progress goes."""

    def say(self, line: str) -> None:
        """Say one thing."""

    def step(self, what: str) -> Iterator[None]:
        """Say that something is being done, and then how long it took; used through `running`."""


class Lines:
    """Two plain lines for each step: for a log, or a pipe."""

    def say(self, line: str) -> None:
        """Print one line at once."""
        print(line, file=sys.stderr, flush=True)

    def step(self, what: str) -> Iterator[None]:
        """Print a line before, and one with the time after."""
        self.say(f"{what} ...")
        start = time.monotonic()
        yield
        self.say(f"{what}: {duration(time.monotonic() - start)}")


class Terminal:
    """A line for each step that counts the seconds while it runs."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)

    def say(self, line: str) -> None:
        """Print one line, as it is."""
        self._console.print(line, markup=False)

    def step(self, what: str) -> Iterator[None]:
        """Show a spinner with the time, then leave one line."""
        start = time.monotonic()
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
        with Bar(*columns, console=self._console, transient=True) as bar:
            bar.add_task(what, total=None)
            yield
        self.say(f"{what} ... {duration(time.monotonic() - start)}")


@contextmanager
def running(progress: Progress, what: str) -> Iterator[None]:
    """One step of a progress. A failure leaves no line of its own: its error says enough."""
    yield from progress.step(what)


def for_this_terminal() -> Progress:
    """Choose the progress that fits where stderr goes."""
    return Terminal() if sys.stderr.isatty() else Lines()
