"""Files of a node that are at any time the old one or the new one, whole and on disk."""

from __future__ import annotations

import contextlib
import os


def write(path: str, text: str) -> None:
    """Write a file, and its folder where that is missing. Raises OSError where it cannot be."""
    folder, name = os.path.split(path)
    os.makedirs(folder, exist_ok=True)  # noqa: PTH103  # pathlib is slow to import
    pending = f"{folder}/.{name}.podnet-new"
    with open(pending, "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.chmod(pending, 0o644)  # noqa: PTH101
    os.replace(pending, path)  # noqa: PTH105
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def remove(*paths: str) -> None:
    """Remove files; those that are not there are gone already."""
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)  # noqa: PTH108
