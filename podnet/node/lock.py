"""One run at a time."""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from podnet.node.check import Unseen

_SAYS_SO: Final = 2.0
"""Seconds after which a run says what it waits for."""


@contextmanager
def locked(path: str, timeout: float, holder: str) -> Iterator[None]:
    """Wait until nobody else has a lock. holder: who it may be. Raises Unseen where it takes longer than so many s."""
    os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120  # pathlib is slow to import
    with open(path, "w") as lock:  # noqa: PTH123
        begun = time.monotonic()
        said = False
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                waited = time.monotonic() - begun
            if waited > timeout:
                raise Unseen(f"{path} has been held for {timeout:.0f} s by {holder}: end that one, and repeat this")
            if waited > _SAYS_SO and not said:
                print(f"waiting for {holder}", file=sys.stderr, flush=True)
                said = True
            time.sleep(0.1)
        yield
