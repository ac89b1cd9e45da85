"""Whether the disk has room for what is about to be made, before an hour is spent on finding out."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from podnet.errors import PodnetError
from toolchain.recipes import Artifact

GB: Final = 1_000_000_000
_DOWNLOAD: Final = 300_000_000
"""More than any release takes, packed and unpacked."""

_LINKING: Final = 0.15
"""The part of a cold build's disk that is needed even with full caches: what is linked, and its temporary files."""


def needed(to_build: Iterable[Artifact], downloads: int, go_cache: Path) -> int:
    """Count the bytes that making these takes: a cold build of each, less what Go's caches already hold."""
    cold = int(sum(artifact.cold_gb for artifact in to_build) * GB)
    left = max(cold - used_by(go_cache), int(cold * _LINKING))
    return left + downloads * _DOWNLOAD


def require(folder: Path, size: int) -> None:
    """Refuse to begin where the file system of folder has less than size bytes free."""
    free = free_bytes(folder)
    if free < size:
        raise PodnetError(
            f"the toolchain needs about {size / GB:.1f} GB of disk, and {folder} has {free / GB:.1f} GB free; "
            f"free some space, or put podnet's cache on another disk with PODNET_CACHE"
        )


def free_bytes(folder: Path) -> int:
    """Count what an ordinary user may still write to the file system of a folder, which need not exist yet."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    found = os.statvfs(existing)
    return found.f_bavail * found.f_frsize


def used_by(folder: Path) -> int:
    """Count the bytes on disk under a folder."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(root, name)).st_blocks * 512  # noqa: PTH118 - 100,000 files
            except OSError:
                continue  # Another program's temporary file, gone in the meantime.
    return total
