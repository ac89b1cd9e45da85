"""What is ready for use."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from podnet.errors import PodnetError
from toolchain.recipes import Artifact
from toolchain.store import Store, key8


@dataclass(frozen=True, slots=True)
class Toolchain:
    """Artifacts that are ready. path is one folder for PATH, of links to what a person or Pulumi runs."""

    folders: Mapping[str, Path]
    owners: Mapping[str, str]
    path: Path

    def bin(self, name: str) -> Path:
        """Where a program lies."""
        owner = self.owners.get(name)
        if owner is None:
            raise PodnetError(f"the toolchain was not asked for {name!r}; it has {', '.join(sorted(self.owners))}")
        return self.folders[owner] / "bin" / name

    def folder(self, artifact: str) -> Path:
        """Return the folder of an artifact: its bin/, and share/ where there is more."""
        try:
            return self.folders[artifact]
        except KeyError:
            raise PodnetError(f"the toolchain was not asked for {artifact!r}") from None


def assemble(found: Mapping[str, Path], artifacts: Mapping[str, Artifact], store: Store) -> Toolchain:
    """Make the folder of links. It is named after what it links to, so its content never changes."""
    chosen = [artifact for artifact in artifacts.values() if artifact.name in found]
    links = {name: found[artifact.name] / "bin" / name for artifact in chosen for name in artifact.on_path}
    path = store.root / f"bin-{key8(sorted((name, str(target)) for name, target in links.items()))}"
    if not _is_current(path, links):
        _link(path, links, store)
    owners = {name: artifact.name for artifact in chosen for name in artifact.binaries}
    return Toolchain(dict(found), owners, path)


def _is_current(path: Path, links: Mapping[str, Path]) -> bool:
    return path.is_dir() and all((path / name).exists() for name in links)


def _link(path: Path, links: Mapping[str, Path], store: Store) -> None:
    store.root.mkdir(parents=True, exist_ok=True)
    with store.work() as work:
        fresh = work / "bin"
        fresh.mkdir()
        for name, target in links.items():
            (fresh / name).symlink_to(os.path.relpath(target, path))
        try:
            fresh.rename(path)
        except OSError:  # There is one already: another run's, which is the same, or one that lost its links.
            if not _is_current(path, links):
                shutil.rmtree(path, ignore_errors=True)
                fresh.rename(path)
