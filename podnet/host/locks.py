"""Locks between runs: what a killed run has started goes on alone, and another run must not meddle."""

from __future__ import annotations

import fcntl
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from podnet.errors import PodnetError


@contextmanager
def locked(path: Path, *, seconds: float, busy: str, waiting: str = "") -> Iterator[None]:
    """Hold a lock, which programs that are started meanwhile do not get; PodnetError where it is not let go in time.

    busy: the error. waiting: what is said where it has to be waited for.
    """
    deadline = time.monotonic() + seconds
    with path.open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise PodnetError(busy) from None
                if waiting:
                    print(waiting, file=sys.stderr, flush=True)
                    waiting = ""
                time.sleep(0.05)
        yield
