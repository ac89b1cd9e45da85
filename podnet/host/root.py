"""What needs root: as root at once, else by sudo, which is not to ask for a password here."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, ParamSpec

from podnet.errors import PodnetError
from podnet.host import environment
from podnet.host.locks import locked
from podnet.host.programs import answer

SUBCOMMAND: Final = "as-root"
"""The subcommand by which sudo runs a function."""

_LOCK: Final = Path("/run/podnet-host.lock")
_SECONDS: Final = 60

_P = ParamSpec("_P")
_functions: dict[str, Callable[..., str | None]] = {}


def as_root(function: Callable[_P, str | None]) -> Callable[_P, str]:
    """Let a function run as root, for one stack at a time. Its arguments and its result are texts.

    It must not call another such function: the host is locked already.
    """
    _functions[function.__name__] = function

    @functools.wraps(function)
    def call(*arguments: _P.args, **_: _P.kwargs) -> str:
        run = call_by_name if os.geteuid() == 0 else _call_by_sudo
        return run(function.__name__, *map(str, arguments))

    return call


def call_by_name(name: str, *arguments: str) -> str:
    """Call such a function, in a process that is root's."""
    busy = f"another run of podnet has been busy with this host for {_SECONDS} s: repeat this"
    with locked(_LOCK, seconds=_SECONDS, busy=busy):
        return _functions[name](*arguments) or ""


def command(*words: str) -> list[str]:
    """The command line of a program that needs root; PodnetError where sudo gives none without a password."""
    if os.geteuid() == 0:
        return list(words)
    if answer(["sudo", "-n", "true"]) is None:
        raise PodnetError(
            "this needs root, and sudo wants to be asked first: run 'sudo -v' in this terminal, and try again"
        )
    return ["sudo", "-n", *words]


def _call_by_sudo(name: str, *arguments: str) -> str:
    environ = [f"PYTHONPATH={environment.ROOT}", f"PODNET_STACKS={environment.stacks()}"]
    # -B: nothing of root's is left in the user's checkout.
    python = command("env", *environ, sys.executable, "-BP", "-m", "podnet.host", SUBCOMMAND, name, *arguments)
    done = subprocess.run(python, check=False, text=True, stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode:
        raise PodnetError(done.stderr.strip())
    print(done.stderr, end="", file=sys.stderr)
    return done.stdout
