"""How podnet writes command lines.

What they do stands in podnet/host, and for nodes in podnet/scripts/podnet-node, where it can be read and checked.
What is made here are their command lines: a subcommand and its quoted arguments. A failed command's line is shown by
the engine, so it is short, and secrets come on standard input.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Final

_UNPREPARED: Final = "is not set: run make up, or put the output of make -s env into this shell"
_HOST: Final = f'PYTHONPATH="${{PODNET_ROOT:?{_UNPREPARED}}}" "$PODNET_PYTHON" -P -m podnet.host'
"""-P: podnet is imported from PODNET_ROOT alone, wherever the engine runs the line."""

_NODE: Final = "sudo /usr/local/lib/podnet/podnet-node"


@dataclass(frozen=True, slots=True)
class Command:
    """What a command resource runs.

    create: idempotent: it runs again whenever an input changes.
    delete: undoes create; None where whatever create made goes away with its machine.
    stdin: the content for create.
    """

    create: str
    delete: str | None = None
    stdin: str | None = None


def on_host(subcommand: str, *arguments: object) -> str:
    """The command line for a subcommand of podnet.host."""
    return _line(_HOST, subcommand, *arguments)


def on_node(subcommand: str, *arguments: object) -> str:
    """The command line for a subcommand of podnet-node, as root."""
    return _line(_NODE, subcommand, *arguments)


def _line(program: str, subcommand: str, *arguments: object) -> str:
    return " ".join([program, subcommand, *(shlex.quote(str(argument)) for argument in arguments)])
