"""A change that takes more than one deployment: a node that takes over what another one still holds.

The engine creates before it deletes. A worker that comes with the address, the pod subnet or the host of one that goes
would meet it there: two machines with one address, two routes to one subnet. And the network is proved before a node
goes, when that node's routes are of before. So where anything else changes too, a first deployment takes away what
goes; another one leaves out who waits for a node that moves; the last one is as the config says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import yaml

from podnet.addressing import AddressError, overlap, parse_address, parse_network
from podnet.commands import vagrant
from podnet.config import dump
from podnet.errors import PodnetError
from podnet.lifecycle.state import inputs_of
from podnet.model import Cluster, Node, Role
from podnet.planning import holdings

_MACHINE: Final = "podnet:machine:Machine"

_WAY_OUT: Final = (
    "Change it in two steps, with an address and a subnet in between that nobody holds; or take the stack down and up."
)


@dataclass(frozen=True, slots=True)
class Wait:
    """A node that has to wait for another one. what: what it takes over, in words."""

    node: str
    other: str
    what: str

    def __str__(self) -> str:
        return f"{self.node} takes {self.what} of {self.other}"


def held(state: Mapping[str, Any]) -> dict[str, Mapping[str, str]]:
    """Read what each node of a stack holds from its state (``pulumi stack export``): a node's name to its holdings.

    Nothing where the state does not say it of every node: an earlier podnet wrote it, or it was cut off in the writing.
    """
    resources = state.get("deployment", {}).get("resources") or []
    machines = [each for each in resources if each.get("type") == _MACHINE]
    if not all(each.get("outputs") for each in machines):
        return {}
    return {str(each["urn"]).rpartition("::")[2]: each["outputs"] for each in machines}


def waits(cluster: Cluster, before: Mapping[str, Mapping[str, str]]) -> list[Wait]:
    """Find every node of a cluster that takes over what another one, which goes or moves, holds until then."""
    return [wait for node in cluster.nodes for wait in _waits(node, cluster, before)]


def goes(cluster: Cluster, before: Iterable[str]) -> Callable[[str], bool]:
    """Give the test whether a resource goes with a node that the cluster no longer has, by the resource's name."""
    stays = {node.name for node in cluster.nodes}
    known = sorted(stays | set(before), key=len, reverse=True)

    def test(resource: str) -> bool:
        holder, route, peer = resource.partition("-route-to-")
        # Of two nodes whose names begin alike the longer name is meant.
        owner = holder if route else next((name for name in known if resource.startswith(f"{name}-")), "")
        return any(name in known and name not in stays for name in (owner, peer))

    return test


def made_again(cluster: Cluster, state: Mapping[str, Any]) -> list[str]:
    """Name the machines that a change makes again: another address, gateway, memory or number of CPUs."""
    kept = {f"{node.name}-vm": vagrant.made_with(cluster, node) for node in cluster.nodes}
    inputs = {name: inputs_of(state, name) for name in kept}
    return [name for name, made_with in kept.items() if inputs[name] and inputs[name].get("triggers") != made_with]


def _waits(node: Node, cluster: Cluster, before: Mapping[str, Mapping[str, str]]) -> Iterator[Wait]:
    stays = {each.name for each in cluster.nodes}
    wanted = holdings(node)
    for name, other in before.items():
        if name == node.name:
            continue
        for key in ("address", "host"):
            if wanted[key] and wanted[key] == other.get(key):
                yield Wait(node.name, name, f"the {key} {wanted[key]}")
        # Nodes that stay may exchange subnets: each is drained and joins again.
        if name not in stays and _overlap(wanted["podSubnet"], other.get("podSubnet", "")):
            yield Wait(node.name, name, f"the pod subnet {wanted['podSubnet']}")


def _overlap(one: str, other: str) -> bool:
    try:
        return overlap(parse_network(one), parse_network(other))
    except AddressError:
        return False  # of a stack that another version made


@dataclass(frozen=True, slots=True)
class Stage:
    """A deployment before the one that the config describes. cluster: what it makes. why: a sentence."""

    cluster: Cluster
    why: str

    def __str__(self) -> str:
        names = ", ".join(node.name for node in self.cluster.nodes)
        return f"in steps, for {self.why}: first a cluster of {names}"


def first(cluster: Cluster, before: Mapping[str, Mapping[str, str]]) -> Stage | None:
    """Give what has to be deployed before a cluster can be; None where it can be now.

    Raises PodnetError where there is no cluster in between.
    """
    stays = [node for node in cluster.nodes if node.name in before]
    goes_too = [name for name in before if name not in {node.name for node in cluster.nodes}]
    found = waits(cluster, before)
    why = [str(wait) for wait in found]
    if goes_too:
        changed = [node.name for node in stays if holdings(node) != before[node.name]]
        why += [f"{name} changes while {', '.join(goes_too)} is still there" for name in changed]
        kept = tuple(_as_held(node, before[node.name]) for node in stays)
    else:
        late = {wait.node for wait in found}
        kept = tuple(node for node in cluster.nodes if node.name not in late)
    if not why:
        return None
    missing = [role for role in Role if role not in [node.role for node in kept]]
    if missing:
        lines = "\n".join(f"  - {each}" for each in why)
        raise PodnetError(
            f"this change cannot be made while the cluster is up, for there would be no {missing[0]} meanwhile:\n"
            f"{lines}\n{_WAY_OUT}"
        )
    return Stage(replace(cluster, nodes=kept), "; ".join(why))


def _as_held(node: Node, held_by_it: Mapping[str, str]) -> Node:
    """A node where and with the pods that it has now. A host's login is the config's, for no other is known."""
    return replace(
        node, addresses=(parse_address(held_by_it["address"]),), pod_subnets=(parse_network(held_by_it["podSubnet"]),)
    )


def described(stage: Stage, stack_file: str) -> str:
    """Give the text of a stack's file with the nodes of a stage; the rest as it stands."""
    document = yaml.safe_load(stack_file)
    document["config"]["podnet:nodes"] = dump(stage.cluster)["nodes"]
    return str(yaml.safe_dump(document, sort_keys=False))
