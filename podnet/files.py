"""Files that a command reads, and files and links that are at any time the old one or the new one, whole."""

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


def write_whole(path: Path, text: str, mode: int | None = None) -> None:
    """Write a file, as UTF-8, such that at any time it is the old one or the new one, whole.

    mode: its permissions (else as the umask says); no other can ever be seen on it.

    Raises PodnetError where it cannot be written.
    """
    pending = _beside(path)
    try:
        descriptor = os.open(pending, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666 if mode is None else mode)
        with os.fdopen(descriptor, "wb") as file:
            if mode is not None:
                os.fchmod(descriptor, mode)
            file.write(text.encode())
            file.flush()
            os.fsync(descriptor)
        pending.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            pending.unlink()
        raise PodnetError(f"{path} cannot be written: {error.strerror or error}") from None


def link(path: Path, target: Path) -> None:
    """Make a symbolic link, and its folder, in place of whatever file or link is there.

    Raises OSError where it cannot be made.
    """
    if path.is_symlink() and path.readlink() == target:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    pending = _beside(path)
    pending.unlink(missing_ok=True)
    pending.symlink_to(target)
    pending.replace(path)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}")
