"""Every remote command can be undone: what it makes, it has a delete for."""

from __future__ import annotations

import re
from typing import Final

from podnet_policy.resource import REMOTE_COMMAND, UNKNOWN, Resource

NOTHING_TO_UNDO: Final = {
    "podnet:kubeadm:Kubeconfig": "prints a file, and makes nothing",
}
"""The kinds whose commands need no delete, each with its reason. A new one has to be argued for here."""

_COPIES: Final = ("command:remote:CopyFile", "command:remote:CopyToRemote")
_NOTHING: Final = re.compile(r"(?:sudo\s+(?:-n\s+)?)?(?:true|:|exit(?:\s+0)?|(?:echo|printf)\b[^;&|<>$`\n]*)?")
"""A command line that changes nothing: one that only prints or succeeds."""


def check(resource: Resource) -> list[str]:
    """Find a command that leaves something behind on a machine that stays."""
    if resource.type in _COPIES:
        return ["a copied file is never deleted again: write it with a remote Command that has a delete"]
    if resource.type != REMOTE_COMMAND or resource.inputs.get("create") is None or resource.kind in NOTHING_TO_UNDO:
        return []
    delete = resource.text("delete").strip()
    if resource.inputs.get("delete") is UNKNOWN or not (
        _NOTHING.fullmatch(delete) or delete == resource.text("create").strip()
    ):
        return []
    said = f"a delete that undoes nothing ({delete})" if delete else "no delete"
    return [f"the command has {said}: what it makes stays when the resource is gone"]
