"""What must be true of the nodes and of the API server beside what probes can show: the plan is what is there.

Each is a Result like a probe's. An id names a node, or for a route its two: ``node-state/route: node1 -> node2``.
What a node itself can tell is compared by :mod:`podnet.node`, which also keeps it so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace

from podnet.addressing import AddressError, family_of, host, parse_address, within
from podnet.model import Node
from podnet.node import reconcile
from podnet.node.check import Check, Seen
from podnet.node.spec import NodeSpec, Route
from podnet.planning import ClusterPlan, NodePlan
from podnet.verify.check import Endpoint, EndpointKind, PathKind, Scenario
from podnet.verify.facts import Facts, NodeFacts, nothing
from podnet.verify.firewall import Flow, findings
from podnet.verify.report import Result


def check(plan: ClusterPlan, facts: Facts) -> list[Result]:
    """Every check, node by node. What was not seen does not hold."""
    found = []
    for each in plan.nodes:
        node = facts.nodes.get(each.node.name) or nothing(each.node.name)
        found += [_result(each, one, node) for one in _of_node(plan, each, facts, node)]
    return found


def routes(plan: ClusterPlan, facts: Facts) -> tuple[Route, ...]:
    """Every route of podnet's protocol, as the kernels have them; without a peer where no node has the gateway."""
    peers = {str(address): node.name for node in plan.cluster.nodes for address in node.addresses}
    return tuple(
        Route(name, peers.get(route.gateway or "", ""), route.destination, route.gateway or "", route.device or "")
        for name, node in facts.nodes.items()
        for route in node.podnet_routes
    )


def of_node(plan: ClusterPlan, each: NodePlan, facts: NodeFacts, leaving: Iterable[Route] = ()) -> Iterator[Check]:
    """Every check that a node alone can tell, without the API server.

    leaving: routes to nodes that are being taken away, which may stand until the Node is gone.
    """
    yield from reconcile.checks(replace(each.spec, leaving=tuple(leaving)), facts.system)
    yield Check("no-nat-no-drop", "no rule for pod to pod", _rules(plan, each, facts), unseen=facts.tables is None)


def _of_node(plan: ClusterPlan, each: NodePlan, facts: Facts, node: NodeFacts) -> Iterator[Check]:
    yield Check("internal-ip", _texts(each.node.addresses), _internal_ip(each.node, facts))
    yield Check("pod-cidr", _texts(each.node.pod_subnets), _pod_cidr(each.node, facts))
    yield Check("pod-addresses", f"each once, in {_texts(each.node.pod_subnets)}", _pod_addresses(each.node, facts))
    yield from of_node(plan, each, node, _leaving(plan, each.spec, facts))


def _result(each: NodePlan, found: Check, node: NodeFacts) -> Result:
    hint = f"{found.seen.hint}; {what_sets_it(node)}" if found.name == "route" else found.seen.hint
    return Result(
        scenario=Scenario(PathKind.NODE_STATE),
        action=found.name,
        source=_end(each.node.name),
        destination=_end(found.peer) if found.peer else None,
        expected=found.expected,
        seen=found.seen.text,
        passed=found.seen.holds,
        hint="" if found.seen.holds else hint,
    )


def _end(node: str) -> Endpoint:
    return Endpoint(EndpointKind.NODE, node, node, "")


def what_sets_it(node: NodeFacts) -> str:
    """Say of a route that is missing what would set it."""
    if node.service != "active":
        return f"podnet-network.service, which sets it, is {node.service}"
    return "podnet-network.service sets it at once: journalctl -u podnet-network"


def _texts(values: Iterable[object]) -> str:
    return ", ".join(map(str, values))


def _leaving(plan: ClusterPlan, spec: NodeSpec, facts: Facts) -> Iterator[Route]:
    """The routes to nodes that the API server still knows and the plan no longer has.

    An up proves the network before it takes a node away, so that its pods are moved first: what leads there still
    stands then, as it should, and goes with the Node.
    """
    planned = {node.name for node in plan.cluster.nodes}
    for node in facts.kubernetes.values():
        if node.name not in planned and node.internal_addresses:
            yield Route(spec.node, node.name, node.pod_cidr, node.internal_addresses[0])


def _internal_ip(node: Node, facts: Facts) -> Seen:
    known = facts.kubernetes.get(node.name)
    if known is None:
        return Seen("no such Node", False, "kubectl get nodes")
    hint = f"the kubelet's node-ip on {node.name}: /var/lib/kubelet/kubeadm-flags.env"
    return Seen(
        _texts(known.internal_addresses) or "none", known.internal_addresses == tuple(map(str, node.addresses)), hint
    )


def _pod_cidr(node: Node, facts: Facts) -> Seen:
    known = facts.kubernetes.get(node.name)
    if known is None:
        return Seen("no such Node", False, "kubectl get nodes")
    hint = f"kubectl get node {node.name} -o jsonpath='{{.spec.podCIDR}}'"
    return Seen(known.pod_cidr or "none", known.pod_cidr == str(node.pod_subnet), hint)


def _pod_addresses(node: Node, facts: Facts) -> Seen:
    mine = [pod for pod in facts.pods if pod.node == node.name]
    if not mine:
        return Seen("nothing: no pod is on the node", False)
    everywhere = Counter(pod.address for pod in facts.pods)
    wrong = [pod for pod in mine if everywhere[pod.address] > 1 or not _is_in(pod.address, node)]
    if not wrong:
        return Seen(f"{len(mine)} pods", True)
    names = ", ".join(f"{pod.namespace}/{pod.name} has {pod.address}" for pod in wrong)
    return Seen(names, False, "a pod keeps the address of the conf under which it was made: /etc/cni/net.d")


def _is_in(address: str, node: Node) -> bool:
    for subnet in node.pod_subnets:
        with suppress(AddressError):
            return within(parse_address(address, family_of(subnet)), subnet)
    return False


def _rules(plan: ClusterPlan, each: NodePlan, node: NodeFacts) -> Seen:
    if node.tables is None:
        return Seen(f"nothing: {node.unseen['tables']}", False)
    found = findings(node.tables, flows(plan, each, node))
    if not found:
        return Seen("none", True)
    text = "; ".join(f"{each.node.name} {one}" for one in found[:3])
    more = f"; and {len(found) - 3} more" if len(found) > 3 else ""
    shown = "nft list ruleset" if found[0].tool == "nft" else f"{found[0].tool}-save"
    return Seen(text + more, False, f"{shown} on {each.node.name}")


def flows(plan: ClusterPlan, each: NodePlan, node: NodeFacts) -> list[Flow]:
    """Every way of packets from pod to pod through a node: on it, from it and to it, a peer at a time."""
    bridge = plan.cluster.cni.bridge
    reserved = frozenset(number for other in plan.nodes for number in _no_pods(other.node))
    found = []
    for own in each.node.pod_subnets:
        found.append(Flow(own, own, bridge, bridge, reserved))
        for peer in each.peers:
            uplink = uplink_to(peer, node)
            for other in (one for one in peer.pod_subnets if family_of(one) is family_of(own)):
                found.append(Flow(own, other, bridge, uplink, reserved))
                found.append(Flow(other, own, uplink, bridge, reserved))
    return found


def _no_pods(node: Node) -> Iterator[int]:
    for subnet in node.pod_subnets:
        yield from (subnet.first, int(host(subnet, 1)), subnet.last)


def uplink_to(peer: Node, node: NodeFacts) -> str:
    """The interface by which a node reaches a peer: the one with an address in the peer's network; empty if unknown."""
    for interface in node.interfaces or ():
        for address in interface.addresses:
            if any(address.reaches(str(one)) for one in peer.addresses):
                return interface.name
    return ""
