"""A stack on real boxes whose network is proved again after each fault, and the figures of what happened."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, Clone, clone

__all__ = ["clone"]


def is_green(clone: Clone) -> bool:
    """Whether every check holds now."""
    return clone.passed(clone.run("make verify", check=False).stdout)


def assert_green(clone: Clone) -> None:
    """Every check holds now; otherwise say which does not."""
    done = clone.run("make verify", check=False)
    if not clone.passed(done.stdout):
        pytest.fail(f"not green (exit code {done.returncode})\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}")


def until(true: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Wait for something; a bound so generous that only what never happens reaches it."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            pytest.fail(f"after {seconds:.0f} s still not: {what}")
        time.sleep(0.25)


def kill_session(process: subprocess.Popen[str]) -> None:
    """SIGKILL to every process of a session: the engine puts its plugins into process groups of their own."""
    _kill(lambda found: int((found / "stat").read_text().rpartition(")")[2].split()[3]) == process.pid)
    process.wait()


def kill_vagrant(folder: Path, node: str) -> int:
    """SIGKILL to every Vagrant that makes a node in a stack's folder; how many there were."""
    words = ["up", "--provider", "lxc", node]

    def makes_it(found: Path) -> bool:
        line = (found / "cmdline").read_text(errors="replace").split("\0")
        there = (found / "environ").read_bytes().split(b"\0")
        return line[2:6] == words and f"VAGRANT_CWD={folder}".encode() in there

    return _kill(makes_it)


def _kill(chosen: Callable[[Path], bool]) -> int:
    """SIGKILL to every process that is chosen by its folder in /proc; how many there were."""
    killed = 0
    for found in Path("/proc").glob("[0-9]*"):
        try:
            if chosen(found):
                os.kill(int(found.name), signal.SIGKILL)
                killed += 1
        except (OSError, ValueError):
            continue  # it has ended meanwhile
    return killed


@pytest.fixture(scope="session")
def figures() -> Iterator[dict[str, float]]:
    """Collect how long things took, for the README; no test asserts on it."""
    found: dict[str, float] = {}
    yield found
    file = ROOT / "reports/faults.json"
    file.parent.mkdir(exist_ok=True)
    before = json.loads(file.read_text()) if file.exists() else {}  # of other selections
    file.write_text(json.dumps(before | found, indent=2) + "\n")
    print(f"\nfaults, in seconds: {json.dumps(found, indent=2)}")


@contextmanager
def timed(figures: dict[str, float], name: str) -> Iterator[None]:
    """Note how long a block took."""
    start = time.monotonic()
    yield
    figures[name] = round(time.monotonic() - start, 1)
