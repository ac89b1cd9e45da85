"""LXC containers of podnet's, as LXC keeps them on disk: Vagrant does not know those that a killed run left."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from podnet.host import files
from podnet.host.programs import answer

_LXC: Final = Path("/var/lib/lxc")
_LINK: Final = re.compile(r"^lxc\.net\.0\.link *= *(.*)$", re.MULTILINE)
_MOUNT: Final = re.compile(r"^lxc\.mount\.entry *= *(.*)/machines/[^/]*/hostname etc/hostname ", re.MULTILINE)


def on_bridge(bridge: str) -> list[str]:
    """The containers that hang on a bridge."""
    configs = sorted(_LXC.glob("podnet-*/config"))
    return [config.parent.name for config in configs if bridge in _LINK.findall(config.read_text())]


def made_for(container: str) -> str | None:
    """The folder of the stack that a container was made for; None where it never started, or is not there."""
    config = _LXC / container / "config"
    mount = _MOUNT.search(config.read_text()) if config.exists() else None
    return os.path.realpath(mount[1]) if mount else None


def destroy(container: str) -> None:
    """Stop a container and remove all of it. Root's alone."""
    if (_LXC / container).exists():
        answer(["lxc-stop", "--kill", "--name", container])
        answer(["lxc-destroy", "--force", "--name", container])
        files.remove(_LXC / container)
