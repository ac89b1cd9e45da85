"""A run's own folder for temporary files: the engine's providers write kubeconfigs there, with the keys in them.

A run that is killed leaves its folder behind, so the next one clears it. Whether a folder is still used is said by a
lock on it, which the kernel takes off when the last process that holds it has ended: the run, or an engine that
outlived it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Scratch:
    """A folder that goes with its run. lock: a file descriptor; while a process has it, the folder stays."""

    folder: Path
    lock: int


@contextmanager
def scratch(parent: Path) -> Iterator[Scratch]:
    """Give a folder (0700) in parent, gone afterwards. What killed runs have left there goes first."""
    parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _locked(parent) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # no other run clears what this one has not locked yet
        for left in parent.iterdir():
            _remove_unused(left)
        folder = Path(tempfile.mkdtemp(dir=parent))
        lock = os.open(folder, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield Scratch(folder, lock)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _remove_unused(folder: Path) -> None:
    with _locked(folder) as descriptor:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
