"""What can be made, and what identifies each way of making it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from podnet.errors import PodnetError
from toolchain import recipes, releases
from toolchain.build import sources
from toolchain.recipes import Artifact
from toolchain.releases import ReleaseFile, Releases
from toolchain.settings import Settings
from toolchain.store import Store, key8, manifest

_GROUPS: Final = Path(__file__).parent / "go"


@dataclass(frozen=True, slots=True)
class Catalog:
    """The artifacts, their releases, and the folder of their Go modules."""

    artifacts: Mapping[str, Artifact]
    releases: Releases
    groups: Path

    def select(self, names: Iterable[str]) -> list[Artifact]:
        """Find the artifacts of these names, which may be names of binaries, in the order of the catalog."""
        wanted = {self._owner(name) for name in names}
        return [artifact for artifact in self.artifacts.values() if artifact.name in wanted]

    def usual(self) -> list[str]:
        """Name all that is made without being asked for."""
        return [artifact.name for artifact in self.artifacts.values() if not artifact.on_request]

    def pinned(self, artifact: Artifact) -> tuple[ReleaseFile, ...]:
        """Return the artifact's release, if every file of it has a checksum."""
        return self.releases.pinned(artifact.name, artifact.version)

    def places(self, artifact: Artifact, store: Store, settings: Settings) -> dict[str, Path]:
        """Where the artifact belongs, for each source that it can come from under these settings.

        The keys cover all that decides what comes out: the checksums of a release; the recipe, go.mod (which also
        says which Go), go.sum and own code of a build.
        """
        places: dict[str, Path] = {}
        if settings.source != "build" and (pinned := self.pinned(artifact)):
            key = key8("official", settings.arch, artifact.name, artifact.version, [file.sha256 for file in pinned])
            places["official"] = store.place(artifact.name, artifact.version, key)
        if settings.source != "official" and artifact.steps:
            files = [path for group in artifact.groups for path in sources(self.groups / group)]
            content = [(path.parent.name, path.name, path.read_text()) for path in files]
            recipe = asdict(artifact)
            for detail in ("cold_gb", "on_path", "on_request"):
                recipe.pop(detail)  # These change nothing about what is made.
            places["build"] = store.place(
                artifact.name, artifact.version, key8("build", settings.arch, recipe, content)
            )
        return places

    def find(self, artifact: Artifact, store: Store, settings: Settings) -> Path | None:
        """Find the artifact in the store, from whichever source."""
        places = self.places(artifact, store, settings).values()
        return next((place for place in places if manifest(place)), None)

    def _owner(self, name: str) -> str:
        if name in self.artifacts:
            return name
        for artifact in self.artifacts.values():
            if name in artifact.binaries:
                return artifact.name
        known = ", ".join(self.artifacts)
        raise PodnetError(f"the toolchain has no {name!r}; it has {known}, and the programs in them")


def default(settings: Settings) -> Catalog:
    """Return the catalog of podnet itself."""
    return Catalog(recipes.artifacts(), releases.load(settings.arch, settings.environ), _GROUPS)
