"""What differs between two plans: nodes, settings and, node by node, routes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields

from podnet import config
from podnet.model import Cluster, Node
from podnet.node.spec import Route
from podnet.planning import ClusterPlan


@dataclass(frozen=True, slots=True)
class Change:
    """One value that changes. what: its name, as in the config. None: it is not there."""

    what: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class NodeChange:
    """A node that stays, with what changes about it."""

    name: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class RouteChange:
    """One route of one node. before, after: None where the node does not have it."""

    node: str
    before: Route | None
    after: Route | None


@dataclass(frozen=True, slots=True)
class Difference:
    """All that differs. added and removed: nodes. settings: values of the config that belong to no node."""

    added: tuple[Node, ...]
    removed: tuple[Node, ...]
    changed: tuple[NodeChange, ...]
    settings: tuple[Change, ...]
    routes: tuple[RouteChange, ...]

    @property
    def empty(self) -> bool:
        """Whether the two plans are the same."""
        return not any(getattr(self, each.name) for each in fields(self))


def difference(before: ClusterPlan | None, after: ClusterPlan) -> Difference:
    """Compare two plans; before is None for a stack that is new."""
    old = {node.node.name: node.node for node in before.nodes} if before else {}
    new = {node.node.name: node.node for node in after.nodes}
    return Difference(
        added=tuple(node for name, node in new.items() if name not in old),
        removed=tuple(node for name, node in old.items() if name not in new),
        changed=tuple(_changed(before.cluster if before else None, after.cluster)),
        settings=tuple(_changes(_settings(before.cluster), _settings(after.cluster))) if before else (),
        routes=tuple(_routes(before, after)),
    )


def _changed(before: Cluster | None, after: Cluster) -> Iterator[NodeChange]:
    old = _nodes(before) if before else {}
    for name, node in _nodes(after).items():
        if changes := tuple(_changes(old.get(name, node), node)):
            yield NodeChange(name, changes)


def _nodes(cluster: Cluster) -> dict[str, dict[str, str]]:
    """Each node's values as in the config, by name."""
    listed = config.dump(cluster)["nodes"]
    assert isinstance(listed, list)  # noqa: S101  # dump's own promise
    return {node["name"]: dict(_flat(node)) for node in listed}


def _settings(cluster: Cluster) -> dict[str, str]:
    return dict(_flat({key: value for key, value in config.dump(cluster).items() if key != "nodes"}))


def _changes(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Change]:
    for key in dict.fromkeys([*old, *new]):
        if old.get(key) != new.get(key):
            yield Change(key, old.get(key), new.get(key))


def _flat(values: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every value with its path, as the config would write it."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value if isinstance(value, str) else json.dumps(value)


def _routes(before: ClusterPlan | None, after: ClusterPlan) -> Iterator[RouteChange]:
    """A route is the same where node and destination are: another gateway for it is a change, not two."""
    old, new = (_by_destination(plan) for plan in (before, after))
    for key in dict.fromkeys([*old, *new]):
        was, is_ = old.get(key), new.get(key)
        if was is None or is_ is None or was.gateway != is_.gateway:
            yield RouteChange(key[0], was, is_)


def _by_destination(plan: ClusterPlan | None) -> dict[tuple[str, str], Route]:
    return {(route.node, route.destination): route for route in plan.routes} if plan else {}
