"""Other programs, run to their end: what they say, or a PodnetError with what they said last."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from podnet.errors import PodnetError

_LAST_LINES: Final = 40
"""Enough for every problem of a config, which a program of podnet's own may say."""


def is_root() -> bool:
    """Whether this very process is root's."""
    return os.geteuid() == 0


def root_command() -> list[str]:
    """What stands before a command that needs root."""
    return [] if is_root() else ["sudo"]


def give_back(path: Path) -> None:
    """Make what a command of root's left the user's own."""
    if not is_root():
        run(["sudo", "chown", "--recursive", f"{os.getuid()}:{os.getgid()}", str(path)])


def run(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str = "",
    timeout: float | None = None,
    pass_fds: Sequence[int] = (),
) -> str:
    """Run a program quietly; its standard output. timeout: seconds. pass_fds: file descriptors that it gets too.

    Raises PodnetError where it fails, with its last lines: of standard error, or of standard output where it said
    nothing there.
    """
    line = " ".join(command)
    try:
        done = subprocess.run(
            command, check=False, text=True, errors="replace", input=stdin, capture_output=True, env=env, cwd=cwd,
            timeout=timeout, pass_fds=pass_fds,
        )  # fmt: skip
    except OSError as error:
        raise PodnetError(f"'{line}' cannot be run: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise PodnetError(f"'{line}' has not ended within {timeout:.0f} s") from None
    if done.returncode:
        said = done.stderr.strip() or done.stdout.strip()
        tail = "\n".join(f"  {each}" for each in said.splitlines()[-_LAST_LINES:])
        raise PodnetError(f"'{line}' failed with exit status {done.returncode}:\n{tail}")
    return done.stdout
