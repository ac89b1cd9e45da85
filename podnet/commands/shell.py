"""How podnet writes command lines.

The shell itself stands in two files, podnet/scripts/podnet-host and podnet-node, where it can be read and checked as
shell. What is made here are their command lines: a word and its quoted arguments. A failed command's line is shown
by the engine, so it is short, and secrets come on standard input.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Final

_UNPREPARED: Final = "is not set: run make up, or put the output of make -s env into this shell"
_HOST: Final = f'"${{PODNET_ROOT:?{_UNPREPARED}}}"/podnet/scripts/podnet-host'
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


def on_host(word: str, *arguments: object) -> str:
    """The command line for a word of podnet-host."""
    return _line(_HOST, word, *arguments)


def on_node(word: str, *arguments: object) -> str:
    """The command line for a word of podnet-node, as root."""
    return _line(_NODE, word, *arguments)


def _line(program: str, word: str, *arguments: object) -> str:
    return " ".join([program, word, *(shlex.quote(str(argument)) for argument in arguments)])
