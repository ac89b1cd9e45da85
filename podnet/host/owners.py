"""Whose a bridge is, and with it everything that a stack of one name has on this host: one folder of stacks owns it.

The mark is there before anything else, goes with the bridge, and outlives a reboot of the host as the containers do.
Only root can look.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

from podnet.host import containers, files
from podnet.host.environment import ROOT, stacks

_MARKS: Final = Path("/var/lib/podnet-host")


class Owner(NamedTuple):
    """Somebody's folder of stacks."""

    user: str
    folder: str


def of(bridge: str) -> Owner | None:
    """Whose a bridge is; None where it is nobody's."""
    mark = _MARKS / bridge
    if mark.is_file():
        user, _, folder = mark.read_text().strip().partition(" ")
        return Owner(user, folder)
    # Where somebody has removed the mark, the containers say where their keys are.
    made = (containers.made_for(container) for container in containers.on_bridge(bridge))
    return next((Owner(_user(stack), str(Path(stack).parent)) for stack in made if stack), None)


def refusal(bridge: str) -> str:
    """What there is to say of somebody else's bridge; empty for one's own or nobody's."""
    owner = of(bridge)
    if owner is None or owner.folder == stacks():
        return ""
    whose = f"{bridge} on this host belongs to {owner.user}, whose "
    if Path(owner.folder).is_dir():
        return (
            f"{whose}stacks are in {owner.folder}; nothing of it was touched. "
            "Take it down there, or give this stack another name (STACK=NAME)"
        )
    return (
        f"{whose}folder {owner.folder} is gone; nothing of it was touched. "
        f"What is left of it goes away with: sudo {ROOT}/podnet/scripts/podnet-host clear {bridge}"
    )


def refusal_of_container(bridge: str, stack: str, container: str) -> str:
    """The same of a container. It may be another stack's, whose name and node's name come to the same."""
    found = containers.made_for(container)
    if found is None:
        return refusal(bridge)
    if found == f"{stacks()}/{stack}":
        return ""
    return f"the container {container} was made for another stack, in {found}; nothing of it was touched"


def mark(bridge: str) -> None:
    """Note that a bridge is this user's, for everybody to read."""
    if not (_MARKS / bridge).exists():
        _MARKS.mkdir(exist_ok=True)
        _MARKS.chmod(0o755)
        files.write(_MARKS / bridge, f"{_user(stacks())} {stacks()}\n", mode=0o644)


def unmark(bridge: str) -> None:
    """Let go of a bridge."""
    files.remove(_MARKS / bridge)
    files.remove_if_empty(_MARKS)


def _user(path: str) -> str:
    try:
        return Path(path).owner()
    except (OSError, KeyError):
        return "somebody"
