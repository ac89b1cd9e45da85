"""The folder of what is ready: every artifact is there whole, or not at all.

An artifact is made in a temporary folder beside its place. When all its files are on the disk, manifest.json is
written, and the folder is renamed into place. Only a folder with a manifest that fits its files is ever used.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from podnet.steps import say

MANIFEST: Final = "manifest.json"
_TEMPORARY: Final = ".tmp-"
_POLL: Final = 0.2
_MANY_FILES: Final = 500


def key8(*parts: object) -> str:
    """Eight hexadecimal digits that change with any of the parts."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=repr).encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class Store:
    """The artifacts under one folder."""

    root: Path

    def place(self, name: str, version: str, key: str) -> Path:
        """Where an artifact belongs."""
        return self.root / f"{name}-{version}-{key}"

    @property
    def logs(self) -> Path:
        """Where the output of builds is kept."""
        return self.root / "logs"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the store for making things. Who holds it already is said, once.

        The kernel lets go of the lock when its holder dies, however it dies.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / "lock").open("a+") as file:
            told = False
            while not _try_lock(file.fileno()):
                if not told:
                    file.seek(0)
                    holder = file.read().strip() or "unknown"
                    say(f"another podnet (process {holder}) is making the toolchain; waiting for it")
                    told = True
                time.sleep(_POLL)
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield

    def sweep(self) -> None:
        """Remove what interrupted runs have left. Only for the holder of the lock."""
        for path in self.root.glob(f"{_TEMPORARY}*"):
            shutil.rmtree(path, ignore_errors=True)

    @contextmanager
    def work(self) -> Iterator[Path]:
        """Give a temporary folder on the same file system, gone afterwards."""
        folder = Path(tempfile.mkdtemp(prefix=_TEMPORARY, dir=self.root))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def publish(self, made: Path, place: Path, about: Mapping[str, Any]) -> None:
        """Move a finished folder into place, its manifest first."""
        files = _checksums(made)
        _write(made / MANIFEST, json.dumps({**about, "files": files}, indent=1, sort_keys=True) + "\n")
        _sync(made, files)
        damaged = self.root / f"{_TEMPORARY}damaged-{place.name}-{os.getpid()}"
        if place.exists():  # Damaged, or it would not have been made again.
            place.rename(damaged)
        made.rename(place)
        _sync_path(self.root)
        shutil.rmtree(damaged, ignore_errors=True)


def manifest(place: Path) -> dict[str, Any] | None:
    """Read the manifest of an artifact; None if it is not there, or does not fit the files beside it."""
    try:
        content = json.loads((place / MANIFEST).read_text())
        files: dict[str, dict[str, Any]] = content["files"]
        fits = all((place / name).stat().st_size == entry["size"] for name, entry in files.items())
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return content if fits else None


def damaged_files(place: Path) -> list[str]:
    """List the files whose content is not what it was when the artifact was made."""
    content = manifest(place) or {"files": {MANIFEST: {"sha256": ""}}}
    return [name for name, entry in content["files"].items() if _sha256(place / name) != entry["sha256"]]


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _checksums(folder: Path) -> dict[str, dict[str, Any]]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {str(path.relative_to(folder)): {"sha256": _sha256(path), "size": path.stat().st_size} for path in paths}


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return "unreadable"


def _write(path: Path, text: str) -> None:
    path.write_text(text)
    _sync_path(path)


def _sync(folder: Path, files: Mapping[str, Any]) -> None:
    if len(files) > _MANY_FILES:  # A Go tree: thousands of single syncs take longer than one of everything.
        os.sync()
        return
    for name in files:
        _sync_path(folder / name)
    for path in [folder, *(path for path in folder.rglob("*") if path.is_dir())]:
        _sync_path(path)


def _sync_path(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
