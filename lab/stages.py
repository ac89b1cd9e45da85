"""A change that takes two deployments: a node that takes over what another one still holds.

The engine creates before it deletes. A worker that comes with the address, the pod subnet or the host of one that goes
would meet it there: two machines with one address, two routes to one subnet. So a first deployment leaves the nodes
out that wait for something, which takes away what goes, and a second one adds them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import yaml

from podnet.addressing import AddressError, overlap, parse_network
from podnet.config import dump
from podnet.errors import PodnetError
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
    """Read what each node of a stack holds from its state (``pulumi stack export``): a node's name to its holdings."""
    resources = state.get("deployment", {}).get("resources") or []
    machines = (each for each in resources if each.get("type") == _MACHINE and each.get("outputs"))
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


def left_for_later(cluster: Cluster, found: Sequence[Wait]) -> tuple[str, ...]:
    """Name the nodes that the first deployment leaves out. PodnetError where there is no cluster without them."""
    late = tuple(dict.fromkeys(wait.node for wait in found))
    rest = [node.role for node in cluster.nodes if node.name not in late]
    missing = [role for role in Role if role not in rest]
    if late and missing:
        lines = "\n".join(f"  - {wait}" for wait in found)
        raise PodnetError(
            f"this change cannot be made while the cluster is up, for there would be no {missing[0]} meanwhile:\n"
            f"{lines}\n{_WAY_OUT}"
        )
    return late


def without(late: Sequence[str], cluster: Cluster, stack_file: str) -> str:
    """Give the text of a stack's file without some nodes; every other node as planned, and the rest as it stands."""
    document = yaml.safe_load(stack_file)
    described = replace(cluster, nodes=tuple(node for node in cluster.nodes if node.name not in late))
    document["config"]["podnet:nodes"] = dump(described)["nodes"]
    return str(yaml.safe_dump(document, sort_keys=False))
