"""Every remote command can be undone: what it makes, it has a delete for."""

from __future__ import annotations

import shlex
from typing import Final

from podnet_policy.resource import REMOTE_COMMAND, UNKNOWN, Resource

_NODE: Final = "/usr/local/lib/podnet/podnet-node"

NOTHING_TO_UNDO: Final = {
    "admin-conf": "prints a file, and makes nothing",
}
"""The words of podnet-node that need no delete, each with its reason. A new one has to be argued for here."""

_NO_DELETE: Final = ("", ":", "true", "exit 0", "sudo true")
_COPIES: Final = ("command:remote:CopyFile", "command:remote:CopyToRemote")


def check(resource: Resource) -> list[str]:
    """Find a command that leaves something behind on a machine that stays."""
    if resource.type in _COPIES:
        return ["a copied file is never deleted again: write it with a remote Command that has a delete"]
    if resource.type != REMOTE_COMMAND or resource.inputs.get("create") is None:
        return []
    if resource.inputs.get("delete") is UNKNOWN:
        return []
    word = _word(resource.text("create"))
    if resource.text("delete").strip() not in _NO_DELETE or word in NOTHING_TO_UNDO:
        return []
    return [f"{word or 'the command'} has no delete: what it makes stays when the resource is gone"]


def _word(create: str) -> str:
    """Give the word of podnet-node that a command line calls; empty for every other, and for one with more in it."""
    try:
        # punctuation_chars: `word; rm -rf /` and `word | tee FILE` are not the word alone.
        lexer = shlex.shlex(create, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words = list(lexer)
    except ValueError:
        return ""
    if words[:2] != ["sudo", _NODE] or len(words) < 3 or any(set(word) <= set("();<>|&") for word in words):
        return ""
    return "" if "$(" in create or "`" in create or "\n" in create else words[2]
