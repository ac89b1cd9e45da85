"""The official releases: where they are published, and which of them are pinned by a checksum."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from podnet.errors import PodnetError

DEFAULT_FILE: Final = Path(__file__).with_name("releases.toml")
_CHECKSUMS: Final = "sha256"
_PULUMI_SPELLING: Final = {"amd64": "x64"}


@dataclass(frozen=True, slots=True)
class ReleaseFile:
    """One published file. url is where it is fetched from, which a mirror may change; pin_name never changes.

    members: what is taken out of it; none means that the file itself is the binary. tree: all of it is kept.
    """

    url: str
    pin_name: str
    sha256: str | None
    members: tuple[str, ...]
    tree: bool = False

    @property
    def file_name(self) -> str:
        """The last part of its address."""
        return self.url.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class Releases:
    """The content of releases.toml, for one architecture."""

    table: Mapping[str, Any]
    arch: str
    environ: Mapping[str, str]

    def files(self, name: str, version: str) -> tuple[ReleaseFile, ...]:
        """List the files that make up a release, pinned or not; none where it is published nowhere."""
        entry = self.table.get(name)
        if entry is None:
            return ()
        return tuple(self._file(name, entry, version, file) for file in entry.get("files", [""]))

    def pinned(self, name: str, version: str) -> tuple[ReleaseFile, ...]:
        """List the same, but none unless every one has a checksum: half a release is no release."""
        files = self.files(name, version)
        return files if all(file.sha256 for file in files) else ()

    def _file(self, name: str, entry: Mapping[str, Any], version: str, file: str) -> ReleaseFile:
        words = {"version": version, "arch": self.arch, "x64": _PULUMI_SPELLING.get(self.arch, self.arch), "file": file}
        path = str(entry["path"]).format(**words)
        pin_name = _without_scheme(f"{entry['base']}/{path}")
        return ReleaseFile(
            url=f"{self._base(name, str(entry['base']))}/{path}",
            pin_name=pin_name,
            sha256=self.table.get(_CHECKSUMS, {}).get(pin_name),
            members=tuple(str(member).format(**words) for member in entry.get("members", [])),
            tree=bool(entry.get("tree", False)),
        )

    def _base(self, name: str, official: str) -> str:
        # A mirror of one project is named whole; a mirror of all keeps host and path, as `wget -x` lays them out.
        variable = "PODNET_BASE_" + name.upper().replace("-", "_")
        if own := self.environ.get(variable):
            return own.rstrip("/")
        if mirror := self.environ.get("PODNET_MIRROR"):
            return f"{mirror.rstrip('/')}/{_without_scheme(official)}"
        return official


def load(arch: str, environ: Mapping[str, str], file: Path = DEFAULT_FILE) -> Releases:
    """Read releases.toml."""
    try:
        return Releases(tomllib.loads(file.read_text()), arch, environ)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise PodnetError(f"the list of releases cannot be read: {file}: {error}") from error


def record_pin(file: Path, pin_name: str, sha256: str) -> str:
    """Add a checksum to the end of releases.toml, where the table of checksums is. Returns the line."""
    line = f'"{pin_name}" = "{sha256}"'
    text = file.read_text()
    file.write_text(text if text.endswith("\n") else text + "\n")
    with file.open("a") as stream:
        stream.write(line + "\n")
    return line


def _without_scheme(url: str) -> str:
    parts = urlsplit(url)
    return parts.netloc + parts.path
