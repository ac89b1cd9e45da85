"""Where things are on this host, as ``make env`` says."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from podnet.errors import PodnetError

ROOT: Final = Path(__file__).resolve().parents[2]
"""The checkout that this code lies in."""


def variable(name: str) -> str:
    """A variable of the environment; PodnetError where it is not set."""
    if value := os.environ.get(name):
        return value
    raise PodnetError(f"{name} is not set: run 'eval \"$(make -s env)\"' in the checkout, or use make up")


def stack_folder(stack: str) -> Path:
    """The folder of a stack: keys, Vagrant's files, admin.conf. It is made where it is missing."""
    folder = Path(variable("PODNET_STACKS")) / stack
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def stacks() -> str:
    """The folder of all stacks of this user, whatever links lead there: it owns what they have on this host."""
    return str(stack_folder("").resolve())
