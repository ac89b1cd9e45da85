"""Whether a node is still as its plan says, and putting it right: what a refresh sees, and what an update then does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from podnet.commands import network
from podnet.commands.shell import Command
from podnet.errors import last_words
from podnet.observe import advice
from podnet.observe.access import NODE_TIMEOUT, Access, CannotLookError, run
from podnet.observe.sessions import session
from podnet.parse.kubernetes import KubernetesNode
from podnet.planning import ClusterPlan, NodePlan
from podnet.verify import coherence
from podnet.verify.facts import WANTED, Facts, NodeFacts, read

_REPAIR_TIMEOUT: Final = 90
_OF_THE_API: Final = ("internal-ip", "pod-cidr", "pod-addresses")
"""What only the API server tells; it may be away while a node is looked at."""


_FOREIGN: Final = ("no-nat-no-drop",)
"""What others have put on a node and podnet cannot take away: a firewall's rule may be there for a reason."""


@dataclass(frozen=True, slots=True)
class Look:
    """What on a node is not as planned, a sentence each. drift: what a repair puts right. foreign: what is others'."""

    drift: tuple[str, ...]
    foreign: tuple[str, ...]


async def look(plan: ClusterPlan, name: str, access: Access) -> Look:
    """Look at a node. Raises CannotLookError where it cannot be asked."""
    return compare(plan, name, await _facts(plan, name, access))


async def _facts(plan: ClusterPlan, name: str, access: Access) -> NodeFacts:
    node = plan.of(name).node
    try:
        async with session(node, access) as agent:
            answer = await agent.ask({"do": "look", **WANTED}, NODE_TIMEOUT)
    except CannotLookError as error:
        raise CannotLookError(f"{error}. {advice.for_lost(node)}") from None
    return read(name, answer)


def compare(plan: ClusterPlan, name: str, facts: NodeFacts) -> Look:
    """Say what of a node's facts is not as planned. Pure."""
    results = coherence.check(plan, _of_one(plan, facts))
    found: list[str] = []
    foreign: list[str] = []
    for result in results:
        if result.source.node != name or result.passed or result.action in _OF_THE_API:
            continue
        if result.action == "bridge" and facts.interface(plan.cluster.cni.bridge) is None:
            continue  # the plugin makes the bridge with the node's first pod
        what = result.action if not result.destination else f"{result.action} to {result.destination.node}"
        whose = foreign if result.action in _FOREIGN else found
        whose.append(f"{what}: {result.seen}; expected {result.expected}")
    if facts.timer != "active":
        found.append(f"podnet-network.timer is {facts.timer}; expected active: it heals routes and masquerade")
    return Look(tuple(found), tuple(foreign))


def _of_one(plan: ClusterPlan, facts: NodeFacts) -> Facts:
    """What is known without the API server, which may be away.

    A node that the plan no longer has and podnet-network keeps a route to is one that is being taken away: what leads
    there goes with the resource of that route, and not before.
    """
    planned = {node.name for node in plan.cluster.nodes}
    leaving = {}
    for peer, line in facts.kept.items():
        destination, _, gateway = line.strip().partition(" via ")
        if peer not in planned and not peer.startswith("."):  # a file that is being written
            leaving[peer] = KubernetesNode(peer, (gateway,), destination)
    return Facts({facts.node: facts}, leaving, ())


async def repair(plan: ClusterPlan, name: str, access: Access) -> None:
    """Make a node as planned again; nothing happens to what is so already.

    Raises CannotLookError where the node cannot be reached or refuses.
    """
    node = plan.of(name)
    for command in repairs(plan, node, await _facts(plan, name, access)):
        line = access.ssh(node.node, command.create)
        status, _, errors = await run(line, command.stdin or "", _REPAIR_TIMEOUT)
        if status:
            why = last_words(errors, status)
            raise CannotLookError(f"node {name} ({node.node.address}) could not be repaired: {why}")


def repairs(plan: ClusterPlan, node: NodePlan, facts: NodeFacts) -> list[Command]:
    """Every command that makes a node's share of the network, in the order of its resources; strays go first. Pure."""
    options = plan.cluster.cni
    strays = [route.selector for route in coherence.strays(plan, node, _of_one(plan, facts))]
    return [
        network.service(),
        network.tidy(node.net_conf, options, strays),
        network.conf(node.net_conf, options),
        network.masquerade(node.masquerade),
        *(network.route(route) for route in node.routes),
    ]
