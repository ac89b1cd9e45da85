"""Pulumi's plugins, laid out where the engine looks for them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from podnet import versions
from podnet.errors import PodnetError
from podnet.files import link, write_whole
from toolchain import catalog as catalogs
from toolchain.catalog import Catalog
from toolchain.settings import Settings, from_environ
from toolchain.store import Store, manifest

_MADE_BY_PODNET: Final = "podnet.json"
_COMMAND: Final = "pulumi-resource-command"
_LAUNCHER: Final = b"#!/bin/sh\n# podnet's stand-in for Pulumi's command provider"
"""How the launchers of the stand-in began that podnet wrote while it was a Python program."""

_WORDS: Final = {
    "official": "the official release",
    "placed": "the one that somebody has put into podnet's own Pulumi home",
    "user": "the one that is installed in your Pulumi home",
    "stand-in": "podnet's own stand-in (lab/go/pulumi-command), as the official one could not be had",
}


@dataclass(frozen=True, slots=True)
class Plugins:
    """Which plugins are in use. command_source: official, placed, user or stand-in."""

    kubernetes: Path
    command: Path
    command_source: str

    @property
    def is_somebodys(self) -> bool:
        """Whether the command provider is neither pinned nor made by podnet: a user wants to know that it is in use."""
        return self.command_source in ("placed", "user")

    def describe(self) -> str:
        """One line about the plugin that there may be two of."""
        return f"Pulumi command provider {versions.PULUMI_COMMAND}: {_WORDS[self.command_source]}"


def install_plugins(pulumi_home: Path, *, settings: Settings | None = None, catalog: Catalog | None = None) -> Plugins:
    """Lay out plugins/ in a PULUMI_HOME. Both plugins must have been ensured before.

    Doing it again changes nothing that is right already.
    """
    settings = settings or from_environ(os.environ)
    catalog = catalog or catalogs.default(settings)
    kubernetes, _ = _in_store("pulumi-kubernetes", settings, catalog)
    command, source = _find_command(pulumi_home, settings, catalog)
    home = pulumi_home.absolute()
    target = _folder(home, "command", versions.PULUMI_COMMAND) / _COMMAND
    if command != target:
        link(target, command)
    _write_as_needed(target.with_name(_MADE_BY_PODNET), json.dumps({"source": source}) + "\n", 0o644)
    kubernetes_target = _folder(home, "kubernetes", versions.PULUMI_KUBERNETES) / "pulumi-resource-kubernetes"
    link(kubernetes_target, kubernetes)
    return Plugins(kubernetes_target, target, source)


def _find_command(pulumi_home: Path, settings: Settings, catalog: Catalog) -> tuple[Path, str]:
    in_store, is_official = _in_store("pulumi-command", settings, catalog)
    if is_official:
        return in_store, "official"
    placed = _folder(pulumi_home.absolute(), "command", versions.PULUMI_COMMAND) / _COMMAND
    if _is_placed(placed):
        return placed, "placed"
    mine = _user_home(settings.environ)
    installed = _folder(mine, "command", versions.PULUMI_COMMAND) / _COMMAND
    # What is left of podnet's own work in a home that it lays out is no finding.
    is_ours = mine == pulumi_home.absolute() or installed.with_name(_MADE_BY_PODNET).exists()
    if not is_ours and os.access(installed, os.X_OK):
        return installed, "user"
    return in_store, "stand-in"


def _is_placed(target: Path) -> bool:
    """Whether a program lies there that podnet did not put there: it makes links, and once made launchers."""
    if target.is_symlink() or not os.access(target, os.X_OK):
        return False
    with target.open("rb") as stream:
        return stream.read(len(_LAUNCHER)) != _LAUNCHER


def _in_store(artifact: str, settings: Settings, catalog: Catalog) -> tuple[Path, bool]:
    """Find a plugin, and whether it is the official release."""
    wanted = catalog.artifacts[artifact]
    place = catalog.find(wanted, Store(settings.toolchain), settings)
    if place is None:
        raise PodnetError(f"Pulumi's plugin {wanted.title} is not there yet: python -m lab.toolchain makes it")
    return place / "bin" / wanted.binaries[0], (manifest(place) or {}).get("source") == "official"


def _user_home(environ: Mapping[str, str]) -> Path:
    own = environ.get("PULUMI_HOME")
    return (Path(own) if own else Path(environ.get("HOME") or Path.home()) / ".pulumi").absolute()


def _folder(home: Path, name: str, version: str) -> Path:
    return home / "plugins" / f"resource-{name}-v{version}"


def _write_as_needed(target: Path, text: str, mode: int) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if not (target.is_file() and target.read_text() == text):
        write_whole(target, text, mode)
