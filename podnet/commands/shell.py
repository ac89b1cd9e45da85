"""How podnet writes shell."""

from __future__ import annotations

import shlex
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """What a command resource runs.

    create: idempotent: it runs again whenever an input changes, unless update is given.
    delete: undoes create; None where whatever create made goes away with its machine.
    stdin: the content for create and update. Scripts and secrets travel here: a command line is shown when it fails.
    """

    create: str
    delete: str | None = None
    update: str | None = None
    stdin: str | None = None


def quote(value: object) -> str:
    """A value as one word of a POSIX shell."""
    return shlex.quote(str(value))


def as_root(script: str) -> str:
    """Run a script as root on a node; it ends at the first failure."""
    return f"sudo sh -euc {quote(script)}"


def host_root() -> str:
    """The words before a command that needs root on the host: none for root, else sudo that never asks."""
    return '$([ "$(id -u)" = 0 ] || echo "sudo -n")'


def write_file(path: str, mode: str = "0644") -> str:
    """Write standard input to a file, so that at any time it is the old one or the new one, whole and on disk."""
    folder = quote(path.rpartition("/")[0])
    pending = quote(path + ".podnet-new")
    return (
        f"mkdir -p {folder}\ncat > {pending}\nchmod {mode} {pending}\nsync {pending}\n"
        f"mv -f {pending} {quote(path)}\nsync {folder}"
    )
