"""What a bare machine lacks for a stack: Pulumi and its plugins, the node bundle, the box. It is made once."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from images.box import build as box_build
from images.bundle import build as bundle_build
from podnet.files import link
from podnet.lifecycle.places import ROOT, Places, prepare
from podnet.program import root_command, run
from podnet.steps import step
from toolchain import ensure
from toolchain.plugins import install_plugins
from toolchain.toolchain import Toolchain

FOR_PLANS: Final = ("pulumi", "pulumi-kubernetes")
"""The programs that a preview needs."""


@dataclass(frozen=True, slots=True)
class Prerequisites:
    """What has been made. toolchain: the folder of programs. box: Vagrant's name for it. bundle: its folder."""

    toolchain: Path | None = None
    box: str | None = None
    bundle: Path | None = None


NOTHING: Final = Prerequisites()


def for_plans(places: Places, python: Path) -> Prerequisites:
    """Make what a preview needs. python: the interpreter of podnet's own environment."""
    return Prerequisites(_programs(places, python, FOR_PLANS).path)


def for_stack(places: Places, python: Path, *, bundle: bool = False, box: bool = False) -> Prerequisites:
    """Make the programs and, where they are needed, the node bundle and the box; else those are used if they exist."""
    toolchain = _programs(places, python)
    cache = places.box_cache
    found = (bundle_build.build if bundle else bundle_build.find)(cache, toolchain.bin)
    if found is None:
        return Prerequisites(toolchain.path)
    if not box:
        there = box_build.find(cache, found)
        return Prerequisites(toolchain.path, there.name if there else None, found.folder)
    made = box_build.build(cache, found, toolchain.bin)
    _add_to_vagrant(places, made)
    return Prerequisites(toolchain.path, made.name, found.folder)


def _programs(places: Places, python: Path, names: tuple[str, ...] = ()) -> Toolchain:
    """Make the folders, the programs (all that are usual where none are named) and the plugins."""
    prepare(places)
    toolchain = ensure(names or None)
    plugins = install_plugins(places.pulumi_home)
    if plugins.is_somebodys:
        print(plugins.describe(), file=sys.stderr)
    _link_policy_environment(python)
    return toolchain


def _link_policy_environment(python: Path) -> None:
    """Let the policy pack run in podnet's own environment: the engine wants it as a folder of the pack.

    An environment that a user has made there stays.
    """
    folder = ROOT / "policy" / "venv"
    if folder.exists() and not folder.is_symlink():
        return
    with contextlib.suppress(OSError):  # a checkout that cannot be written: only the pack needs it
        link(folder, python.parent.parent)


def _add_to_vagrant(places: Places, box: box_build.Box) -> None:
    boxes = places.vagrant_home / "boxes"
    if (boxes / box.name).exists():
        return
    with step("box: adding it to Vagrant"):
        _remove_older(boxes)
        run(
            ["vagrant", "box", "add", "--provider", "lxc", "--name", box.name, str(box.file)],
            env={**os.environ, "VAGRANT_HOME": str(places.vagrant_home), "VAGRANT_CWD": "/"},
        )


def _remove_older(boxes: Path) -> None:
    """Boxes of earlier recipes go, but for those that a container of any stack still lies on."""
    containers = Path("/var/lib/lxc").glob("podnet-*/config")
    configs = [path.read_text() for path in containers if os.access(path, os.R_OK)]
    for older in boxes.glob("podnet-*"):
        if not any(f"/{older.name}/" in config for config in configs):
            run([*root_command(), "rm", "--recursive", "--force", str(older)])
