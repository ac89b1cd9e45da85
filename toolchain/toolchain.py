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
    """Programs that are ready, by name. path: one folder for PATH, of links to what a person or Pulumi runs."""

    programs: Mapping[str, Path]
    path: Path

    def bin(self, name: str) -> Path:
        """Where a program lies."""
        try:
            return self.programs[name]
        except KeyError:
            known = ", ".join(sorted(self.programs))
            raise PodnetError(f"the toolchain was not asked for {name!r}; it has {known}") from None


def assemble(found: Mapping[Artifact, Path], store: Store) -> Toolchain:
    """Make the folder of links. It is named after what it links to, so its content never changes."""
    links = {name: place / "bin" / name for artifact, place in found.items() for name in artifact.on_path}
    path = store.root / f"bin-{key8(sorted((name, str(target)) for name, target in links.items()))}"
    if not _is_current(path, links):
        _link(path, links, store)
    return Toolchain(
        {name: place / "bin" / name for artifact, place in found.items() for name in artifact.binaries}, path
    )


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
