"""Every remote command can be undone: what it makes, it has a delete for.

What podnet's own words are undone by is a table. Of any other command nobody can say what undoes it, but a delete that
does nothing does not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from podnet_policy import shell
from podnet_policy.resource import REMOTE_COMMAND, UNKNOWN, Resource
from podnet_policy.shell import Command, UnreadableError

_NODE: Final = "/usr/local/lib/podnet/podnet-node"

NOTHING_TO_UNDO: Final = {
    "admin-conf": "prints a file, and makes nothing",
}
"""The words of podnet-node that need no delete, each with its reason. A new one has to be argued for here."""

UNDONE_BY: Final = {
    "cni-conf": ("cni-conf-remove", 2),
    "join": ("kubeadm-reset", 0),
    "join-ticket": ("join-ticket-remove", 1),
    "kubeadm-init": ("kubeadm-reset", 0),
    "masquerade": ("masquerade-remove", 0),
    "register": ("unregister", 1),
    "route": ("route-remove", 1),
}
"""For every other word of podnet-node the one that undoes it, and how many of its arguments that takes."""

_COPIES: Final = ("command:remote:CopyFile", "command:remote:CopyToRemote")

_ALWAYS: Final = frozenset({"true", ":", "echo", "printf"})
"""Commands that do nothing but print, and succeed."""

_CHANGE_NOTHING: Final = _ALWAYS | {
    "false", "test", "[", "cd", "pwd", "set", "export", "wait", "sleep", "cat", "ls", "stat", "id", "whoami", "uname",
    "grep", "head", "tail", "which", "type",
}  # fmt: skip
_END: Final = frozenset({"exit", "return"})
_RUN_THE_REST: Final = frozenset({"sudo", "env", "command", "exec", "nice", "nohup", "setsid", "time", "doas", "eval"})
_OPTION_WITH_VALUE: Final = frozenset({"-u", "--user", "-g", "--group", "-C", "-D", "-h", "-p"})
_SHELLS: Final = frozenset({"sh", "bash", "dash"})
_BRANCHES: Final = frozenset({"!", "if", "then", "elif", "else", "fi", "do", "done", "while", "until"})
_RESERVED: Final = _BRANCHES | {"{", "}"}
_NOWHERE: Final = re.compile(r"/dev/(?:null|stdout|stderr|fd/\d)|\d|-")
_ASSIGNMENT: Final = re.compile(r"\w+=.*", re.DOTALL)


def check(resource: Resource) -> list[str]:
    """Find a command that leaves something behind on a machine that stays."""
    if resource.type in _COPIES:
        return ["a copied file is never deleted again: write it with a remote Command that has a delete"]
    if resource.type != REMOTE_COMMAND or resource.inputs.get("create") is None:
        return []
    if resource.inputs.get("delete") is UNKNOWN:
        return []
    problem = _problem(resource.text("create").strip(), resource.text("delete").strip())
    return [problem] if problem else []


def _problem(create: str, delete: str) -> str:
    word, *arguments = _word(create) or [""]
    name = word or "the command"
    if word in NOTHING_TO_UNDO:
        return ""
    if does_nothing(delete) or delete == create:
        said = f"a delete that undoes nothing ({delete})" if delete else "no delete"
        return f"{name} has {said}: what it makes stays when the resource is gone"
    if not word:
        return ""
    undone_by, count = UNDONE_BY.get(word, ("", 0))
    wanted = [undone_by, *arguments[:count]]
    if not undone_by:
        return f"{word} is no word of which the policy pack knows what undoes it (podnet_policy/commands.py)"
    return "" if _word(delete) == wanted else f"{word} is undone by podnet-node's {' '.join(wanted)}, not by its delete"


def does_nothing(line: str) -> bool:
    """Whether a command line changes nothing on the machine that it runs on, whatever is there."""
    try:
        commands = shell.read(line).commands
    except UnreadableError:
        return True  # a shell runs no such line
    succeeded: bool | None = True  # None: nobody can say
    straight = True  # whatever comes next is run
    for command in commands:
        if (command.joined_by, succeeded) in (("&&", False), ("||", True)):
            continue
        straight &= not _BRANCHES & set(command.words[:1])
        sure = straight and (command.joined_by not in ("&&", "||") or succeeded is not None)
        words = _without_prefix(command.words)
        if _acts(command, words):
            return False
        if words and words[0] in _END and sure:
            return True
        succeeded = _status(words) if straight else None
    return True


def _status(words: Sequence[str]) -> bool | None:
    if not words or words[0] in _ALWAYS:
        return True
    return False if words[0] == "false" else None


def _acts(command: Command, words: Sequence[str]) -> bool:
    if not all(_NOWHERE.fullmatch(path) for path in command.writes):
        return True
    if any("$(" in word or "`" in word for word in words):
        return True
    if not words or words[0] in _END:
        return False
    if words[0] in _SHELLS and "-c" in words[:-1]:
        return not does_nothing(words[words.index("-c") + 1])
    return words[0] not in _CHANGE_NOTHING


def _without_prefix(words: Sequence[str]) -> list[str]:
    """Take away what only runs the rest: reserved words, assignments, sudo and its like with their options."""
    left = list(words)
    options = False
    while left:
        name = left[0].rpartition("/")[2]
        if options and left[0].startswith("-"):
            del left[: 2 if left[0] in _OPTION_WITH_VALUE else 1]
        elif name in _RUN_THE_REST:
            options = True
            del left[0]
        elif name in _RESERVED or _ASSIGNMENT.fullmatch(left[0]):
            del left[0]
        else:
            return [name, *left[1:]]
    return []


def _word(line: str) -> list[str]:
    """Give the word of podnet-node that a line calls, and its arguments; nothing for any other, and for more in it."""
    try:
        script = shell.read(line)
    except UnreadableError:
        return []
    if len(script.commands) != 1 or script.commands[0].writes or script.documents or "\n" in line:
        return []
    words = script.commands[0].words
    plain = not any("$(" in word or "`" in word for word in words)
    return words[2:] if words[:2] == ["sudo", _NODE] and plain else []
