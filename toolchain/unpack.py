"""Taking binaries out of a release."""

from __future__ import annotations

import gzip
import shutil
import tarfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Any, Final

from toolchain.download import DownloadError
from toolchain.releases import ReleaseFile

_EXECUTABLE: Final = 0o755

_FILTER: Final[dict[str, Any]] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
"""Debian 12's Python 3.11.2 knows no filters yet; what is unpacked is the pinned file in any case."""


def unpack(release: ReleaseFile, archive: Path, folder: Path) -> None:
    """Put the binaries of a downloaded release into folder/bin, or all of a tree into folder."""
    try:
        if release.tree:
            with tarfile.open(archive) as tar:
                tar.extractall(folder, **_FILTER)  # noqa: S202  # a pinned file
        elif release.members:
            _members(release, archive, folder / "bin")
        else:
            _install(archive, folder / "bin" / release.file_name)
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DownloadError(f"{release.url} is no archive that can be unpacked: {error}") from error


def _members(release: ReleaseFile, archive: Path, target: Path) -> None:
    # Only files that are asked for by name come out: nothing in the archive chooses a path.
    wanted = {str(PurePosixPath(member)) for member in release.members}
    with tarfile.open(archive) as tar:
        for entry in tar:
            name = str(PurePosixPath(entry.name))
            source = tar.extractfile(entry) if name in wanted and entry.isfile() else None
            if source is None:
                continue
            wanted.discard(name)
            path = target / PurePosixPath(name).name
            path.parent.mkdir(parents=True, exist_ok=True)
            with source, path.open("wb") as sink:
                shutil.copyfileobj(source, sink)
            path.chmod(_EXECUTABLE)
    if wanted:
        raise DownloadError(f"{release.url} lacks {', '.join(sorted(wanted))}")


def _install(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(_EXECUTABLE)
