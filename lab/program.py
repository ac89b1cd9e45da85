"""Other programs, run for what they do and not for what they say."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence

from podnet.errors import PodnetError

_LAST_LINES = 12


def run(command: Sequence[str], *, env: Mapping[str, str] | None = None) -> None:
    """Run a program quietly; PodnetError with its last lines where it fails."""
    done = subprocess.run(
        command, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env
    )  # fmt: skip
    if done.returncode:
        tail = "\n".join(f"  {line}" for line in done.stdout.splitlines()[-_LAST_LINES:])
        raise PodnetError(f"'{' '.join(command)}' failed with exit status {done.returncode}:\n{tail}")
