"""Adding the checksum of a release to releases.toml: for a maintainer, on a machine that reaches the project's host."""

from __future__ import annotations

import tempfile
from pathlib import Path

from podnet.errors import PodnetError
from podnet.steps import step
from toolchain import golang
from toolchain.catalog import Catalog
from toolchain.download import Limits, compare, sha256_of_download
from toolchain.releases import DEFAULT_FILE, record_pin


def pin(name: str, catalog: Catalog, limits: Limits, file: Path = DEFAULT_FILE) -> list[str]:
    """Download every file of a release, and record the checksums that are missing. Returns the lines.

    A checksum that is recorded already is compared, and never replaced: a published file that changes is news.
    """
    releases = catalog.releases.files(name, _version(name, catalog))
    if not releases:
        raise PodnetError(f"releases.toml does not say where {name!r} is published")
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for release in releases:
            with step(f"downloading {release.url}"):
                found = sha256_of_download(release.url, Path(folder) / "download", limits)
            if release.sha256 is None:
                lines.append(record_pin(file, release.pin_name, found))
            else:
                compare(release.url, found, release.sha256)
    return lines


def _version(name: str, catalog: Catalog) -> str:
    if name == "go":
        return golang.OFFICIAL
    return catalog.select([name])[0].version
