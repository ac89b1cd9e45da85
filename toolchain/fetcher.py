"""From a pinned release to an artifact in the store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from podnet.steps import say, step
from toolchain.download import DownloadError, Limits, answering, fetch, host_of
from toolchain.releases import ReleaseFile
from toolchain.store import Store
from toolchain.unpack import unpack

Release = Sequence[ReleaseFile]


@dataclass(slots=True)
class Fetcher:
    """Downloads releases. It remembers which hosts answer: each is asked once in a run."""

    store: Store
    limits: Limits
    _asked: dict[str, bool] = field(default_factory=dict)

    def ask(self, releases: Iterable[Release]) -> None:
        """Ask the hosts of all these releases at once, and say which do not answer."""
        hosts = {host_of(file.url) for release in releases for file in release} - self._asked.keys()
        found = answering(hosts, self.limits)
        self._asked.update({host: host in found for host in hosts})
        for host in sorted(hosts - found):
            say(f"{urlsplit(host).netloc} does not answer, so its releases cannot be had")

    def can_have(self, release: Release) -> bool:
        """Whether there is such a release, and its hosts answer."""
        self.ask([release])
        return bool(release) and all(self._asked[host_of(file.url)] for file in release)

    def get(self, title: str, release: Release, place: Path, about: Mapping[str, Any]) -> bool:
        """Bring a release into the store. If that fails it says why, and nothing of it is kept."""
        try:
            with self.store.work() as work, step(f"{title}: downloading the release"):
                tree = work / "out"
                tree.mkdir()
                for file in release:
                    fetch(file.url, work / "download", file.sha256 or "not pinned", self.limits)
                    unpack(file, work / "download", tree)
                origin = {"source": "official", "from": [file.url for file in release]}
                self.store.publish(tree, place, {**about, **origin})
        except DownloadError as error:
            say(f"{title}: the release is not used: {error}")
            return False
        return True
