"""What to look at where a probe failed: the route, rule or setting that is wrong, as found on the nodes on its way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from netaddr import IPNetwork

from podnet.addressing import AddressError, family_of, network_of, overlap, parse_address, parse_network, within
from podnet.node import cni
from podnet.node.iproute import KernelRoute
from podnet.node.routes import missing
from podnet.node.spec import ROUTE_PROTOCOL, SYSCTLS, Route
from podnet.parse.netfilter import Effect
from podnet.planning import ClusterPlan, NodePlan
from podnet.text import few
from podnet.verify.check import Check, EndpointKind, PathKind
from podnet.verify.facts import Facts, NodeFacts
from podnet.verify.firewall import Finding, Flow, findings
from podnet.verify.node_state import uplink_to, what_sets_it
from podnet.verify.report import Result


@dataclass(frozen=True, slots=True)
class _Way:
    """The nodes that a check's packets pass, and the way back: here the source's, there the destination's."""

    plan: ClusterPlan
    check: Check
    here: NodePlan
    there: NodePlan | None
    facts: Facts

    def seen(self, each: NodePlan) -> NodeFacts | None:
        return self.facts.nodes.get(each.node.name)

    @property
    def nodes(self) -> list[NodePlan]:
        return [self.here] if self.there in (None, self.here) else [self.here, self.there]

    @property
    def towards_pod(self) -> bool:
        return self.there is not None and self.check.destination.kind is not EndpointKind.NODE

    @property
    def from_pod(self) -> bool:
        return self.check.source.kind is not EndpointKind.NODE


def hint(check: Check, result: Result, plan: ClusterPlan, facts: Facts) -> str:
    """What to look at where a check does not hold, the likeliest first; empty where it holds or was not tried."""
    if result.passed or result.untried:
        return ""
    # The workload may still be on a node that the plan no longer has: it is moved when that node is taken away.
    there = next((each for each in plan.nodes if each.node.name == check.destination.node), None)
    way = _Way(plan, check, plan.of(check.source.node), there, facts)
    found = list(dict.fromkeys(_found(way)))
    return "; ".join(found) if found else _nothing_found(way)


def _found(way: _Way) -> Iterator[str]:
    path = way.check.scenario.path
    yield from _unseen(way)
    if path is PathKind.HAIRPIN:
        yield from _hairpin(way)
    if path is PathKind.EGRESS:
        yield from _masquerade(way)
    if path in (PathKind.MTU, PathKind.OVER_MTU, PathKind.BULK):
        yield from _mtu(way)
    yield from _routes(way)
    yield from _sysctls(way)
    yield from _rules(way)
    yield from _bridges(way)
    if path is PathKind.DNS:
        yield "the cluster's DNS: kubectl -n kube-system get pods -l k8s-app=kube-dns -o wide"


def _unseen(way: _Way) -> Iterator[str]:
    for each in way.nodes:
        node = way.seen(each)
        for part, why in (node.unseen if node else {"facts": "it gave no answer"}).items():
            yield f"{each.node.name}: {part} could not be seen ({why})"


def _hairpin(way: _Way) -> Iterator[str]:
    """A bridge sends nothing back to the port it came from, unless the port is told to."""
    node, bridge = way.seen(way.here), way.plan.cluster.cni.bridge
    off = [port.name for port in (node.ports if node else None) or () if port.bridge == bridge and not port.hairpin]
    if off:
        conf = cni.path(way.plan.cluster.cni)
        mode = "true" if way.plan.cluster.cni.hairpin_mode else "false"
        yield (
            f"{way.here.node.name}: {bridge}'s port has hairpin off ({few(off)}: bridge -details link show; "
            f"hairpinMode is {mode} in the plan's {conf.rpartition('/')[2]})"
        )


def _masquerade(way: _Way) -> Iterator[str]:
    node, name = way.seen(way.here), way.here.node.name
    if node is None:
        return
    if node.tables is not None and not any((one.tool, one.name) == ("nft", "podnet") for one in node.tables):
        yield f"{name} has no table ip podnet, which masquerades (nft list table ip podnet); {_service(node)}"
    outside = parse_address(way.check.destination.address)
    if node.routes is not None and not any(within(outside, _to(route)) for route in node.routes):
        yield f"{name} has no route to {outside} (ip route get {outside})"


def _service(node: NodeFacts) -> str:
    return f"podnet-network.service is {node.service}"


def _mtu(way: _Way) -> Iterator[str]:
    wanted = way.plan.cluster.cni.mtu
    for each in way.nodes:
        node = way.seen(each)
        if node is None:
            continue
        names = {way.plan.cluster.cni.bridge, *(uplink_to(peer, node) for peer in each.peers)}
        for interface in node.interfaces or ():
            too_small = interface.name in names and interface.mtu < wanted
            if too_small or (interface.name == way.plan.cluster.cni.bridge and interface.mtu != wanted):
                yield f"{each.node.name}: {interface.name} has MTU {interface.mtu}, the plan says {wanted} (ip link)"


def _routes(way: _Way) -> Iterator[str]:
    """The route there, and the one back: an answer has to find its way too."""
    if way.there is None or way.there == way.here:
        return
    ends = []
    if way.towards_pod:
        ends.append((way.here, way.there))
    if way.from_pod:
        ends.append((way.there, way.here))
    for at, to in ends:
        node = way.seen(at)
        for route in at.routes_to(to.node.name):
            if node is not None and node.routes is not None:
                yield from _of_route(route, node)


def _of_route(route: Route, node: NodeFacts) -> Iterator[str]:
    right = [one for one in node.routes or () if one.destination == route.destination and one.gateway == route.gateway]
    if not right:
        yield f"{missing(route)}; {what_sets_it(node)}"
    for other in node.routes or ():
        theirs, ours = _to(other), parse_network(route.destination)
        if theirs.prefixlen >= ours.prefixlen and other not in right and overlap(theirs, ours):
            yield f"{route.node} has the route {other} in the way (ip route; podnet's are proto {ROUTE_PROTOCOL})"


def _to(route: KernelRoute) -> IPNetwork:
    return parse_network(route.destination)


def _sysctls(way: _Way) -> Iterator[str]:
    for each in way.nodes:
        node = way.seen(each)
        for name, value in (node.sysctls if node else {}).items():
            if value != "1" and name in SYSCTLS:
                yield f"{each.node.name}: {name} is {value or 'absent'}"


def _rules(way: _Way) -> Iterator[str]:
    """Rules that meet just these two addresses; of a Service only where its pods are is known."""
    for each in way.nodes:
        node = way.seen(each)
        if node is None or not node.tables:
            continue
        for number, flow in enumerate(_flows(way, each, node)):
            for found in findings(node.tables, [flow]):
                # Answers pass no rule for translation; to the outside pods are translated, and rightly so.
                if found.effect is Effect.DROP or (number == 0 and way.there is not None):
                    yield rule_hint(each, found, way.plan)


def _flows(way: _Way, each: NodePlan, node: NodeFacts) -> list[Flow]:
    """There, then back: packets that a node forwards, which it does for its pods, not for itself."""
    source, destination = _network(way.check.source.address), _network(way.check.destination.address)
    if way.check.destination.kind is EndpointKind.SERVICE and way.there is not None:
        destination = way.there.node.pod_subnet
    has_pod = way.from_pod if each == way.here else way.towards_pod
    if source is None or destination is None or not has_pod or way.check.destination.is_node(each.node.name):
        return []
    bridge = way.plan.cluster.cni.bridge
    uplink = bridge if way.there == way.here else _uplink(each, node)
    there, back = ((bridge, uplink), (uplink, bridge)) if each == way.here else ((uplink, bridge), (bridge, uplink))
    return [Flow(source, destination, *there), Flow(destination, source, *back)]


def _uplink(each: NodePlan, node: NodeFacts) -> str:
    """The interface to every other node: they share one network."""
    return uplink_to(each.peers[0], node) if each.peers else ""


def rule_hint(each: NodePlan, found: Finding, plan: ClusterPlan) -> str:
    """What to say of a rule that pod to pod should not meet."""
    masq = f" (ipMasq is true in {cni.path(plan.cluster.cni).rpartition('/')[2]})" if plan.cluster.cni.ip_masq else ""
    return f"{each.node.name} {found}{masq if found.effect is Effect.TRANSLATE else ''}"


def _bridges(way: _Way) -> Iterator[str]:
    name = way.plan.cluster.cni.bridge
    for each in way.nodes:
        node = way.seen(each)
        if node is None or node.interfaces is None:
            continue
        bridge = node.interface(name)
        if bridge is None or not bridge.up:
            yield f"{each.node.name}: {name} is {'down' if bridge else 'absent'} (ip link show {name})"
        held = [str(one) for one in bridge.addresses] if bridge else []
        for address in each.spec.bridge_addresses if bridge and bridge.up else ():
            if address not in held:
                yield f"{each.node.name}: {name} has not the address {address} (ip address show {name})"


def _network(text: str) -> IPNetwork | None:
    try:
        address = parse_address(text)
    except AddressError:
        return None
    return network_of(address, family_of(address).bits)


def _nothing_found(way: _Way) -> str:
    names = " and ".join(each.node.name for each in way.nodes)
    target = way.check.destination.address or way.check.source.address
    return (
        f"routes, rules, sysctls and bridge of {names} are as planned; "
        f"follow it on {way.nodes[-1].node.name}: tcpdump -n -i any host {target}"
    )
