"""Other programs, run for what they do and not for what they say."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from podnet.errors import PodnetError

_LAST_LINES: Final = 12


def is_root() -> bool:
    """Whether this very process is root's."""
    return os.geteuid() == 0


def root_command() -> list[str]:
    """The words before a command that needs root."""
    return [] if is_root() else ["sudo"]


def give_back(path: Path) -> None:
    """Make what a command of root's left the user's own."""
    if not is_root():
        run(["sudo", "chown", "--recursive", f"{os.getuid()}:{os.getgid()}", str(path)])


def run(command: Sequence[str], *, env: Mapping[str, str] | None = None) -> None:
    """Run a program quietly; PodnetError with its last lines where it fails."""
    done = subprocess.run(
        command, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env
    )  # fmt: skip
    if done.returncode:
        tail = "\n".join(f"  {line}" for line in done.stdout.splitlines()[-_LAST_LINES:])
        raise PodnetError(f"'{' '.join(command)}' failed with exit status {done.returncode}:\n{tail}")
