"""Files that a command reads and writes."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from podnet.errors import PodnetError


def read_text(name: str, what: str) -> str:
    """Read a file (- is standard input). what: it is called so in the PodnetError where it cannot be read."""
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror or str(error)) if isinstance(error, OSError) else "it is not UTF-8 text"
        raise PodnetError(f"{what} {name} cannot be read: {reason}") from None


def write_whole(path: Path, text: str) -> None:
    """Write a file, as UTF-8, such that at any time it is the old one or the new one, whole.

    Raises PodnetError where it cannot be written.
    """
    pending = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with pending.open("wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        pending.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            pending.unlink()
        raise PodnetError(f"{path} cannot be written: {error.strerror or error}") from None
