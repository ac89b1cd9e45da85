"""Progress: a line for each step, with how long it took."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


def duration(seconds: float) -> str:
    """A duration as a person says it: ``0.4 s``, ``12 s``, ``3 min 45 s``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def say(line: str) -> None:
    """Say one thing, at once."""
    print(line, flush=True, file=sys.stderr)


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say what is being done, then how long it took. A failure is left to whoever reports it."""
    say(f"{what} ...")
    start = time.monotonic()
    yield
    say(f"{what}: {duration(time.monotonic() - start)}")
