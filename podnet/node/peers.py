"""The other nodes, as a node knows them: by name, with their addresses. How their pods are reached is not said here."""

from __future__ import annotations

from typing import Final

from podnet.node.spec import CONFIG
from podnet.node.system import System

FOLDER: Final = f"{CONFIG}/peers.d"
"""A file for every peer, with an address of it in each line."""


def noted(system: System) -> tuple[str, ...]:
    """Read the addresses of every peer that the node's resources noted."""
    files = system.folder(FOLDER) or {}
    found = (address for peer, text in files.items() if not peer.startswith(".") for address in text.split())
    return tuple(sorted(set(found)))
