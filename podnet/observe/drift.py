"""Whether a node is still as its plan says, and putting it right: what a refresh sees, and what an update then does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from podnet.commands import network
from podnet.commands.shell import Command
from podnet.errors import last_words
from podnet.node import bridge, routes
from podnet.node.check import Unseen
from podnet.node.spec import Route
from podnet.observe import advice
from podnet.observe.access import NODE_TIMEOUT, Access, CannotLookError, run
from podnet.observe.sessions import session
from podnet.planning import ClusterPlan, NodePlan
from podnet.verify import node_state
from podnet.verify.facts import WANTED, NodeFacts, read

_REPAIR_TIMEOUT: Final = 90

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
    found: list[str] = []
    foreign: list[str] = []
    for check in node_state.of_node(plan, plan.of(name), facts, leaving(plan, facts)):
        is_to_come = check.name == "bridge" and not check.unseen and _has_no_bridge(plan, facts)
        if check.seen.holds or is_to_come:
            continue
        what = f"{check.name} to {check.peer}" if check.peer else check.name
        whose = foreign if check.name in _FOREIGN else found
        whose.append(f"{what}: {check.seen.text}; expected {check.expected}")
    if facts.service != "active":
        found.append(f"podnet-network.service is {facts.service}; expected active: it keeps routes and masquerade")
    return Look(tuple(found), tuple(foreign))


def _has_no_bridge(plan: ClusterPlan, facts: NodeFacts) -> bool:
    """The plugin makes the bridge with the node's first pod."""
    return bridge.actual(plan.cluster.cni.bridge, facts.system) is None


def leaving(plan: ClusterPlan, facts: NodeFacts) -> tuple[Route, ...]:
    """Give the routes to nodes that are being taken away: the plan no longer has them, and the node still keeps them.

    What leads there goes with the resource of that route, and not before. The API server, which knows too, may be away.
    """
    planned = {node.name for node in plan.cluster.nodes}
    try:
        return tuple(route for route in routes.noted(facts.node, facts.system) if route.peer not in planned)
    except Unseen:
        return ()


async def repair(plan: ClusterPlan, name: str, access: Access) -> None:
    """Make a node as planned again; nothing happens to what is so already.

    Raises CannotLookError where the node cannot be reached or refuses.
    """
    node = plan.of(name)
    for command in repairs(node, leaving(plan, await _facts(plan, name, access))):
        line = access.ssh(node.node, command.create)
        status, _, errors = await run(line, command.stdin or "", _REPAIR_TIMEOUT)
        if status:
            why = last_words(errors, status)
            raise CannotLookError(f"node {name} ({node.node.address}) could not be repaired: {why}")


def repairs(node: NodePlan, leaving: tuple[Route, ...]) -> list[Command]:
    """Install podnet's program, then let it make the node as planned. Pure."""
    return [network.service(), network.repair(replace(node.spec, leaving=leaving))]
