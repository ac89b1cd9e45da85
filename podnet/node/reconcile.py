"""Making a node as it should be: what does not hold is repaired, and what cannot be is said.

Each concern is on its own: what keeps one from being repaired must not keep the others from it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Final

from podnet.node import bridge, cni, masquerade, routes, sysctls
from podnet.node.check import Check, Repair, Unseen
from podnet.node.lock import locked
from podnet.node.spec import NOTHING, NodeSpec
from podnet.node.system import System

Concern = Callable[[System], Iterable[Check]]

_LOCK: Final = "/run/podnet/lock"
LOCK_TIMEOUT: Final = 60.0
"""Seconds; a run takes less than one."""


_CONCERNS: Final = (routes, bridge, cni, sysctls, masquerade)


def checks(spec: NodeSpec, system: System) -> Iterator[Check]:
    """Compare a node with all that its plan says of it; nothing is changed."""
    for concern in planned(spec):
        yield from concern(system)


def planned(spec: NodeSpec) -> tuple[Concern, ...]:
    """Give all that a plan says of a node."""
    return tuple(lambda system, each=concern: each.diff(spec, system) for concern in _CONCERNS)


def _noted_routes(system: System) -> Iterator[Check]:
    words = [*routes.noted_default(system).split(), ""]
    gateway = words[words.index("via") + 1] if "via" in words else ""
    known = replace(NOTHING, routes=routes.noted(NOTHING.node, system), gateway=gateway)
    return routes.diff(known, system)


def _noted_masquerade(system: System) -> Iterator[Check]:
    wanted = masquerade.noted(system)
    if wanted is None:
        return masquerade.removed(system)
    return iter([masquerade.compare(wanted, system)])


NOTED: Final[tuple[Concern, ...]] = (_noted_routes, _noted_masquerade, bridge.up)
"""What the service keeps, by what the node's resources noted on it."""


def apply(concerns: Iterable[Concern], system: System, *, foreign: bool = False) -> list[str]:
    """Repair what does not hold, and say what was done; what could not be done, a sentence each.

    foreign: also what somebody else has changed or added.
    """
    with locked(_LOCK, LOCK_TIMEOUT, "another podnet-node"):
        return [failure for concern in concerns for failure in _apply(concern, system, foreign=foreign)]


def _apply(concern: Concern, system: System, *, foreign: bool) -> list[str]:
    failures: dict[str, None] = {}
    for removing in (False, True):
        try:
            failing = [check for check in concern(system) if not check.seen.holds]
        except Unseen as why:
            return [*failures, str(why)]
        failures |= {check.seen.text.removeprefix("nothing: "): None for check in failing if check.unseen}
        repairs = [repair for check in failing for repair in check.seen.repairs if foreign or not repair.foreign]
        for repair in repairs:
            if repair.removes is removing:
                failures |= dict.fromkeys(_attempt(repair, system))
        if not repairs:
            break
    return list(failures)


def _attempt(repair: Repair, system: System) -> Iterator[str]:
    ran = system.run(*repair.command, stdin=repair.stdin)
    if ran.status and not (repair.gone and repair.gone in ran.errors):
        yield f"cannot {repair.does}: {ran.why}"
    else:
        print(repair.does, flush=True)


def report(failures: Iterable[str]) -> int:
    """Say what could not be done; the exit code."""
    lines = list(failures)
    for line in lines:
        print(line, file=sys.stderr)
    return 1 if lines else 0
