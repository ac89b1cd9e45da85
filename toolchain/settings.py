"""What the environment decides: where the cache is, and where binaries may come from."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from podnet.errors import PodnetError

SOURCES: Final = ("auto", "official", "build")
"""auto: the official release where it is pinned and its host answers, else a build from Go modules."""

_ARCHITECTURES: Final = {"x86_64": "amd64"}
"""What can be made to the end: podnet's images and boxes are x86-64 ones."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What one run goes by. environ is kept for proxies, PATH and the like."""

    cache: Path
    environ: Mapping[str, str]
    arch: str = "amd64"
    source: str = "auto"
    keep_go_cache: bool = False

    @property
    def toolchain(self) -> Path:
        """The folder of everything that is ready."""
        return self.cache / "toolchain"

    @property
    def go_cache(self) -> Path:
        """The folder of Go's build cache and module cache: large, and dropped when all is made."""
        return self.cache / "go"


def from_environ(environ: Mapping[str, str], source: str | None = None) -> Settings:
    """Read the settings. An explicit source wins over PODNET_SOURCE."""
    chosen = source or environ.get("PODNET_SOURCE") or "auto"
    if chosen not in SOURCES:
        raise PodnetError(f"PODNET_SOURCE is {chosen!r}; expected one of {', '.join(SOURCES)}")
    return Settings(
        cache=cache_folder(environ),
        environ=dict(environ),
        arch=_architecture(),
        source=chosen,
        keep_go_cache=environ.get("PODNET_KEEP_GO_CACHE", "") not in ("", "0"),
    )


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Find podnet's cache: PODNET_CACHE, else podnet's folder in XDG_CACHE_HOME, else in ~/.cache."""
    if own := environ.get("PODNET_CACHE"):
        return Path(own).expanduser().absolute()
    if shared := environ.get("XDG_CACHE_HOME"):
        return Path(shared).expanduser().absolute() / "podnet"
    return Path(environ.get("HOME") or Path.home()) / ".cache" / "podnet"


def _architecture() -> str:
    system, machine = platform.system(), platform.machine()
    if system != "Linux" or machine not in _ARCHITECTURES:
        raise PodnetError(
            f"podnet's programs, images and boxes are made for Linux on {' or '.join(_ARCHITECTURES)}; "
            f"this is {system} on {machine}"
        )
    return _ARCHITECTURES[machine]
