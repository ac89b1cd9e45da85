"""Files of this host."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def write(path: Path, text: str, mode: int = 0o600) -> None:
    """Write a file such that at any time it is the old one or the new one, whole, also after a power cut."""
    pending = path.with_name(f".{path.name}.new")
    with pending.open("w") as file:
        os.fchmod(file.fileno(), mode)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    pending.replace(path)


def remove(*paths: Path) -> None:
    """Remove files, and folders with what is in them; what is not there is no matter."""
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def remove_if_empty(folder: Path) -> None:
    """Remove a folder with nothing in it; another one stays."""
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
