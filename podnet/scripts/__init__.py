"""Files that are the same for every cluster: the scripts that commands call, systemd units, the Vagrantfile."""

from __future__ import annotations

from importlib import resources


def text(name: str) -> str:
    """The content of one of the files."""
    return resources.files(__name__).joinpath(name).read_text()
