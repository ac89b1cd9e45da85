"""Other programs of this host. What they print on standard error is shown as it comes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import IO

from podnet.errors import PodnetError


def run(command: Sequence[str], *, env: Mapping[str, str] | None = None, stdin: str | IO[bytes] = "") -> None:
    """Run a program for what it does; PodnetError where it fails.

    What it prints goes to standard error: on standard output stands what a subcommand says, and nothing else.
    """
    if isinstance(stdin, str):
        done = subprocess.run(command, check=False, env=env, stdout=sys.stderr, input=stdin.encode())
    else:
        done = subprocess.run(command, check=False, env=env, stdout=sys.stderr, stdin=stdin)
    _require_success(command, done.returncode)


def output(command: Sequence[str], *, env: Mapping[str, str] | None = None) -> str:
    """What a program prints; PodnetError where it fails."""
    done = subprocess.run(command, check=False, env=env, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    _require_success(command, done.returncode)
    return done.stdout


def answer(command: Sequence[str]) -> str | None:
    """What a program prints; None where it fails or is missing, which is an answer too and is not shown."""
    try:
        done = subprocess.run(command, check=False, text=True, stdin=subprocess.DEVNULL, capture_output=True)
    except FileNotFoundError:
        return None
    return None if done.returncode else done.stdout


def _require_success(command: Sequence[str], status: int) -> None:
    if status:
        raise PodnetError(f"{' '.join(command)} failed (exit code {status})")
