"""Running a program whose output goes to a log, and which never outlives this one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

from podnet.errors import PodnetError

_TAIL: Final = 15
_GRACE: Final = 5.0


def run_logged(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], log: Path) -> None:
    """Run a program at low priority, its output added to the log; PodnetError with its last lines where it fails.

    It gets a process group of its own, so that whatever it has started ends with it when this program is
    interrupted; and the kernel ends it should this program be killed outright.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as sink:
        process = subprocess.Popen(
            [*_wrapper(), *argv],
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        try:
            code = process.wait()
        except BaseException:
            _end(process)
            raise
    if code != 0:
        raise PodnetError(_failure(argv, code, log))


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """Make SIGTERM unwind the program as Ctrl-C does, so that what was begun is ended and cleaned up."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Only the main thread may set a handler; whoever runs threads decides about signals.
        return
    before = signal.signal(signal.SIGTERM, _exit)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _exit(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _wrapper() -> list[str]:
    wrapper: list[str] = []
    if shutil.which("setpriv"):
        wrapper += ["setpriv", "--pdeathsig", "KILL", "--"]
    if shutil.which("nice"):
        wrapper += ["nice", "-n", "10"]
    return wrapper


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            continue


def _failure(argv: Sequence[str], code: int, log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    if any("no space left on device" in line.lower() for line in lines[-200:]):
        return f"the disk ran full while `{argv[0]}` ran; free some space and run this again (the full log: {log})"
    tail = "\n".join(f"  {line}" for line in lines[-_TAIL:])
    how = f"was ended by signal {-code}" if code < 0 else f"failed with exit code {code}"
    return f"`{' '.join(argv[:2])}` {how}; it said last:\n{tail}\nthe full log: {log}"
