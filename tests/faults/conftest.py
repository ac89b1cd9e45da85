"""A stack on real boxes whose network is proved again after each fault, and the figures of what happened."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, Clone, clone

__all__ = ["clone"]

PASSED = re.compile(r"passed: all \d+ checks hold")

Timed = Callable[[str], "contextmanager[None]"]


def is_green(clone: Clone) -> bool:
    """Whether every check holds now."""
    return bool(PASSED.search(clone.run("make verify", check=False).stdout))


def assert_green(clone: Clone) -> None:
    """Every check holds now; otherwise say which does not."""
    done = clone.run("make verify", check=False)
    if not PASSED.search(done.stdout):
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
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            session = int((folder / "stat").read_text().rpartition(")")[2].split()[3])
        except (OSError, ValueError):
            continue
        if session == process.pid:
            try:
                os.kill(int(folder.name), signal.SIGKILL)
            except ProcessLookupError:
                continue
    process.wait()


def kill_vagrant(folder: Path, node: str) -> int:
    """SIGKILL to every Vagrant that makes a node in a stack's folder; how many there were."""
    killed = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_text(errors="replace").split("\0")
            if words[2:6] == ["up", "--provider", "lxc", node] and (process / "cwd").resolve() == folder.resolve():
                os.kill(int(process.name), signal.SIGKILL)
                killed += 1
        except OSError:
            continue
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
