"""A difference as lists of sentences: who gains and loses which route, which node and setting changes how.

Every value stands in a code span: it is shown as it is, and is no Markdown, no mention and no link.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from podnet.markdown import code
from podnet.model import Node
from podnet.review.difference import Change, Difference, RouteChange

_MOST: Final = 12
"""Phrases in one line; a cluster of a hundred nodes has a hundred routes in every table."""


def nodes(found: Difference) -> list[str]:
    """A line for each node that is added, removed or changed."""
    return [
        *(f"{code(node.name)} is added: {_about(node)}" for node in found.added),
        *(f"{code(node.name)} is removed: {_about(node)}" for node in found.removed),
        *(f"{code(node.name)}: {_changes(node.changes)}" for node in found.changed),
    ]


def settings(found: Difference) -> list[str]:
    """A line for each setting of the cluster that changes."""
    return [_change(change) for change in found.settings]


def routes(found: Difference) -> list[str]:
    """A line for each change of a route table; nodes with the same change share one."""
    fresh, gone = {node.name for node in found.added}, {node.name for node in found.removed}
    lines: dict[str, list[str]] = {}
    for node in dict.fromkeys(change.node for change in found.routes):
        mine = [change for change in found.routes if change.node == node]
        if node in gone:
            sentence = f"goes away, and its {_count(mine)} with it"
        elif node in fresh:
            sentence = f"is new, and gets {_count(mine)}: {_list([_to(change) for change in mine])}"
        else:
            sentence = _list([_route(change) for change in mine])
        lines.setdefault(sentence, []).append(node)
    return [f"{_names(names)} {sentence}" for sentence, names in lines.items()]


def _list(phrases: Sequence[str]) -> str:
    more = [f"and {len(phrases) - _MOST} more"] if len(phrases) > _MOST else []
    return "; ".join([*phrases[:_MOST], *more])


def _names(names: Sequence[str]) -> str:
    shown = [code(name) for name in names]
    if len(shown) == 1:
        return shown[0]
    return f"{', '.join(shown[:-1])} and {shown[-1]}: each"


def _count(changes: Sequence[RouteChange]) -> str:
    return f"{len(changes)} route{'s' if len(changes) != 1 else ''}"


def _route(change: RouteChange) -> str:
    old, new = change.before, change.after
    if old and new:
        way = f"via {code(new.gateway)} instead of {code(old.gateway)}"
        return f"reaches {code(new.destination)} ({code(new.peer)}) {way}"
    if new:
        return f"gains {_to(change)}"
    return f"loses {_to(change)}"


def _to(change: RouteChange) -> str:
    route = change.after or change.before
    return f"{code(route.destination)} via {code(route.gateway)} ({code(route.peer)})" if route else ""


def _about(node: Node) -> str:
    return f"{node.role}, address {code(node.address)}, pods in {code(node.pod_subnet)}"


def _changes(changes: Sequence[Change]) -> str:
    return ", ".join(_change(change) for change in changes)


def _change(change: Change) -> str:
    return " ".join(_parts(change))


def _parts(change: Change) -> Iterator[str]:
    yield code(change.what)
    if change.before is None:
        yield f"is set to {code(change.after)}"
    elif change.after is None:
        yield f"is no longer {code(change.before)}"
    else:
        yield f"{code(change.before)} → {code(change.after)}"
