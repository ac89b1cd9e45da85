"""Making sure that what is asked for is ready: nothing is made twice, and nothing half-made is used."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from podnet.errors import PodnetError
from podnet.steps import step
from toolchain import catalog as catalogs
from toolchain import golang, space
from toolchain.build import Build
from toolchain.catalog import Catalog
from toolchain.download import Limits
from toolchain.fetcher import Fetcher
from toolchain.process import ended_by_sigterm
from toolchain.recipes import Artifact
from toolchain.releases import ReleaseFile
from toolchain.settings import Settings, from_environ
from toolchain.store import Store, key8, manifest
from toolchain.toolchain import Toolchain, assemble


def ensure(
    names: Iterable[str] | None = None,
    *,
    settings: Settings | None = None,
    catalog: Catalog | None = None,
    limits: Limits | None = None,
) -> Toolchain:
    """Make what is missing of these artifacts or binaries (None: all the usual ones), and return all of them.

    When all is there already this takes no lock, asks no host and prints nothing.
    """
    settings = settings or from_environ(os.environ)
    catalog = catalog or catalogs.default(settings)
    store = Store(settings.toolchain)
    maker = _Maker(settings, catalog, store, Fetcher(store, limits or Limits()))
    wanted = catalog.select(catalog.usual() if names is None else names)
    try:
        if maker.missing(wanted):
            with ended_by_sigterm(), store.lock():
                store.sweep()
                maker.make(maker.missing(wanted))
        return assemble({artifact: place for artifact in wanted if (place := maker.find(artifact))}, store)
    except OSError as error:
        raise PodnetError(f"the toolchain cannot be made: {error}") from error


@dataclass(frozen=True, slots=True)
class _Maker:
    settings: Settings
    catalog: Catalog
    store: Store
    fetcher: Fetcher

    def find(self, artifact: Artifact) -> Path | None:
        return self.catalog.find(artifact, self.store, self.settings)

    def missing(self, artifacts: Iterable[Artifact]) -> list[Artifact]:
        return [artifact for artifact in artifacts if self.find(artifact) is None]

    def make(self, missing: Sequence[Artifact]) -> None:
        """Take the releases that can be had, and build the rest."""
        if not missing:
            return  # Whoever held the lock has made it all.
        self.fetcher.ask(self._release(artifact) for artifact in missing)
        to_build = [artifact for artifact in missing if not self.fetcher.can_have(self._release(artifact))]
        self._check(to_build, downloads=len(missing) - len(to_build))
        for artifact in missing:
            if artifact not in to_build and not self._download(artifact):
                to_build.append(artifact)
                self._check(to_build, downloads=0)
        self._build([artifact for artifact in missing if artifact in to_build])
        self._drop_go_cache()

    def _release(self, artifact: Artifact) -> tuple[ReleaseFile, ...]:
        return () if self.settings.source == "build" else self.catalog.pinned(artifact)

    def _check(self, to_build: Sequence[Artifact], downloads: int) -> None:
        """Refuse what cannot work before any of it is begun."""
        for artifact in to_build:
            why = "its release is not pinned, or could not be had"
            if self.settings.source == "official":
                raise PodnetError(f"{artifact.title}: {why}, and the source `official` forbids building it")
            if not artifact.steps:
                raise PodnetError(f"{artifact.title}: {why}, and it cannot be built")
        space.require(self.settings.toolchain, space.needed(to_build, downloads, self.settings.go_cache))

    def _download(self, artifact: Artifact) -> bool:
        place = self.catalog.places(artifact, self.store, self.settings)["official"]
        return self.fetcher.get(artifact.title, self._release(artifact), place, _about(artifact))

    def _build(self, artifacts: Sequence[Artifact]) -> None:
        if not artifacts:
            return
        groups = [group for artifact in artifacts for group in artifact.groups]
        needed = golang.needed_version(self.catalog.groups, groups)
        go = golang.resolve(needed, self.settings, self.store, self._official_go)
        for artifact in artifacts:
            place = self.catalog.places(artifact, self.store, self.settings)["build"]
            log = self.store.logs / f"{artifact.name}-{artifact.version}.log"
            with self.store.work() as work, step(f"{artifact.title}: building from Go modules"):
                made = Build(artifact, self.catalog.groups, work, log, go, self.settings).make()
                self.store.publish(made, place, {**_about(artifact), "source": "build", "from": f"go{go.version}"})

    def _official_go(self) -> Path | None:
        release = self.catalog.releases.pinned("go", golang.OFFICIAL)
        place = self.store.place("go", golang.OFFICIAL, key8("go", [file.sha256 for file in release]))
        if manifest(place):
            return place
        about = {"name": "go", "version": golang.OFFICIAL}
        if self.fetcher.can_have(release) and self.fetcher.get(f"go {golang.OFFICIAL}", release, place, about):
            return place
        return None

    def _drop_go_cache(self) -> None:
        cache = self.settings.go_cache
        usual = self.catalog.select(self.catalog.usual())
        if self.settings.keep_go_cache or not cache.exists() or self.missing(usual):
            return
        with step(f"dropping Go's caches, {space.used_by(cache) / space.GB:.1f} GB"):
            shutil.rmtree(cache, ignore_errors=True)


def _about(artifact: Artifact) -> dict[str, str]:
    return {"name": artifact.name, "version": artifact.version}
