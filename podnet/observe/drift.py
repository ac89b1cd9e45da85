"""Whether a node is still as its plan says, and putting it right: what a refresh sees, and what an update then does."""

from __future__ import annotations

from typing import Final

from podnet.commands import network
from podnet.commands.shell import Command
from podnet.errors import last_words
from podnet.observe import advice
from podnet.observe.access import NODE_TIMEOUT, Access, CannotLookError, run
from podnet.observe.sessions import session
from podnet.planning import ClusterPlan, NodePlan
from podnet.verify import coherence
from podnet.verify.facts import WANTED, Facts, NodeFacts, read

_REPAIR_TIMEOUT: Final = 90
_OF_THE_API: Final = ("internal-ip", "pod-cidr", "pod-addresses")
"""What only the API server tells; it may be away while a node is looked at."""


async def look(plan: ClusterPlan, name: str, access: Access) -> list[str]:
    """Say everything on a node that is not as planned, a sentence each; empty where all is.

    Raises CannotLookError where the node cannot be asked.
    """
    node = plan.of(name).node
    try:
        async with session(node, access) as agent:
            answer = await agent.ask({"do": "look", **WANTED}, NODE_TIMEOUT)
    except CannotLookError as error:
        raise CannotLookError(f"{error}. {advice.for_lost(node)}") from None
    return words(plan, name, read(name, answer))


def words(plan: ClusterPlan, name: str, facts: NodeFacts) -> list[str]:
    """Say what of a node's facts is not as planned. Pure."""
    results = coherence.check(plan, Facts({name: facts}, {}, ()))
    found = []
    for result in results:
        if result.source != name or result.passed or result.action in _OF_THE_API:
            continue
        if result.action == "bridge" and facts.interface(plan.cluster.cni.bridge) is None:
            continue  # the plugin makes the bridge with the node's first pod
        what = result.action if not result.destination else f"{result.action} to {result.destination}"
        found.append(f"{what}: {result.seen}; expected {result.expected}")
    if facts.timer != "active":
        found.append(f"podnet-network.timer is {facts.timer}; expected active: it heals routes and masquerade")
    return found


async def repair(plan: ClusterPlan, name: str, access: Access) -> None:
    """Make a node as planned again; nothing happens to what is so already.

    Raises CannotLookError where the node cannot be reached or refuses.
    """
    node = plan.of(name)
    for command in repairs(plan, node):
        line = access.ssh(node.node, command.create)
        status, _, errors = await run(line, command.stdin or "", _REPAIR_TIMEOUT)
        if status:
            why = last_words(errors, status)
            raise CannotLookError(f"node {name} ({node.node.address}) could not be repaired: {why}")


def repairs(plan: ClusterPlan, node: NodePlan) -> list[Command]:
    """Every command that makes a node's share of the network, in the order of its resources; strays go first."""
    options = plan.cluster.cni
    return [
        network.service(),
        network.tidy(plan.cluster.pod_subnet, options),
        network.conf(node.net_conf, options),
        network.masquerade(node.masquerade),
        *(network.route(route) for route in node.routes),
    ]
