"""Files that a command writes."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from podnet.errors import PodnetError


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
