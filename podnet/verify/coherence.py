"""What must be true of the nodes and of the API server beside what probes can show: the plan is what is there.

Each is a Result like a probe's. An id names a node, or for a route its two: ``node-state/route: node1 -> node2``.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from netaddr import IPAddress, IPNetwork

from podnet.addressing import (
    AddressError,
    everything,
    family_of,
    host,
    network_of,
    parse_address,
    parse_network,
    within,
)
from podnet.model import MachineProvider
from podnet.parse.iproute import KernelRoute
from podnet.parse.netfilter import Addresses, Effect, Side
from podnet.planning import ClusterPlan, NodePlan, Route
from podnet.render import cni
from podnet.verify.check import Endpoint, EndpointKind, PathKind, Scenario
from podnet.verify.facts import CONFS, MARK, SYSCTLS, Facts, NodeFacts
from podnet.verify.firewall import Flow, findings
from podnet.verify.report import Result, SeenRoute

_CONF_ENDINGS: Final = (".conf", ".conflist", ".json")
"""What containerd takes for a conf (go-cni); it sorts the names and loads the first."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of one expectation. hint: what to look at where it does not hold."""

    text: str
    passed: bool
    hint: str = ""


def check(plan: ClusterPlan, facts: Facts) -> list[Result]:
    """Every check, node by node. What was not seen does not hold."""
    return [result for each in plan.nodes for result in _of_node(plan, each, facts)]


def routes(facts: Facts) -> tuple[SeenRoute, ...]:
    """Every route with podnet's mark, as the kernels have them."""
    return tuple(
        SeenRoute(name, str(route.destination), str(route.gateway or ""), route.device or "")
        for name, node in facts.nodes.items()
        for route in node.marked_routes
    )


def _of_node(plan: ClusterPlan, each: NodePlan, facts: Facts) -> Iterator[Result]:
    name = each.node.name
    node = facts.nodes.get(name) or _nothing(name)

    def result(action: str, expected: str, seen: Seen, peer: str = "") -> Result:
        return Result(
            scenario=Scenario(PathKind.NODE_STATE),
            action=action,
            source=_end(name),
            destination=_end(peer) if peer else None,
            expected=expected,
            seen=seen.text,
            passed=seen.passed,
            hint="" if seen.passed else seen.hint,
        )

    yield result("internal-ip", str(each.node.address), _internal_ip(each, facts))
    yield result("pod-cidr", str(each.node.pod_subnet), _pod_cidr(each, facts))
    yield result("pod-addresses", f"each once, in {each.node.pod_subnet}", _pod_addresses(each, facts))
    for route in each.routes:
        yield result("route", f"{route.destination} via {route.gateway}", _route(route, node), route.peer)
    leaving = _leaving(plan, facts)
    yield result("no-other-route", f"none but the plan's {len(each.routes)}", _other_routes(plan, each, node, leaving))
    if plan.cluster.provider is MachineProvider.LXC:  # elsewhere podnet does not set it
        yield result("default-route", f"via {plan.cluster.gateway}", _default_route(plan, node))
    yield result("bridge", _bridge_expected(plan, each), _bridge(plan, each, node))
    yield result("cni-conf", f"{_conf_name(plan)} first, as planned", _cni_conf(plan, each, node))
    for sysctl in SYSCTLS:
        yield result(sysctl.rpartition(".")[2].replace("_", "-"), "1", _sysctl(sysctl, node))
    yield result("masquerade", "pods to the outside only", _masquerade(each, node, leaving))
    yield result("no-nat-no-drop", "no rule for pod to pod", _rules(plan, each, node))


def _end(node: str) -> Endpoint:
    return Endpoint(EndpointKind.NODE, node, node, "")


def _nothing(name: str) -> NodeFacts:
    return NodeFacts(name, None, None, None, None, None, dict.fromkeys(SYSCTLS), "unknown", {})


def _unseen(node: NodeFacts, part: str) -> Seen:
    return Seen(f"nothing: {node.unseen.get(part, 'the node gave no answer')}", passed=False)


def _leaving(plan: ClusterPlan, facts: Facts) -> dict[IPAddress, IPNetwork]:
    """The nodes that the API server still knows and the plan no longer has: address to pod subnet.

    An up proves the network before it takes a node away, so that its pods are moved first: what leads there still
    stands then, as it should, and goes with the Node.
    """
    planned = {node.name for node in plan.cluster.nodes}
    found = {}
    for node in facts.kubernetes.values():
        if node.name in planned or not node.internal_addresses:
            continue
        with suppress(AddressError):
            family = family_of(plan.cluster.pod_subnet)
            address = parse_address(node.internal_addresses[0], family)
            found[address] = parse_network(node.pod_cidr, family)
    return found


def _internal_ip(each: NodePlan, facts: Facts) -> Seen:
    known = facts.kubernetes.get(each.node.name)
    if known is None:
        return Seen("no such Node", passed=False, hint="kubectl get nodes")
    return Seen(
        ", ".join(known.internal_addresses) or "none",
        passed=known.internal_addresses == (str(each.node.address),),
        hint=f"the kubelet's node-ip on {each.node.name}: /var/lib/kubelet/kubeadm-flags.env",
    )


def _pod_cidr(each: NodePlan, facts: Facts) -> Seen:
    known = facts.kubernetes.get(each.node.name)
    if known is None:
        return Seen("no such Node", passed=False, hint="kubectl get nodes")
    return Seen(
        known.pod_cidr or "none",
        passed=known.pod_cidr == str(each.node.pod_subnet),
        hint=f"kubectl get node {each.node.name} -o jsonpath='{{.spec.podCIDR}}'",
    )


def _pod_addresses(each: NodePlan, facts: Facts) -> Seen:
    mine = [pod for pod in facts.pods if pod.node == each.node.name]
    if not mine:
        return Seen("nothing: no pod is on the node", passed=False)
    everywhere = Counter(pod.address for pod in facts.pods)
    wrong = [pod for pod in mine if everywhere[pod.address] > 1 or not _is_in(pod.address, each)]
    if not wrong:
        return Seen(f"{len(mine)} pods", passed=True)
    names = ", ".join(f"{pod.namespace}/{pod.name} has {pod.address}" for pod in wrong)
    return Seen(names, passed=False, hint=f"a pod keeps the address of the conf under which it was made: {CONFS}")


def _is_in(address: str, each: NodePlan) -> bool:
    try:
        return within(parse_address(address, family_of(each.node.pod_subnet)), each.node.pod_subnet)
    except AddressError:
        return False


def _route(route: Route, node: NodeFacts) -> Seen:
    if node.routes is None:
        return _unseen(node, "routes")
    same = [found for found in node.routes if found.destination == route.destination]
    right = [found for found in same if found.gateway == route.gateway and found.protocol == MARK]
    text = ", ".join(route_text(found) for found in same) or "no such route"
    return Seen(text, passed=same == right and len(right) == 1, hint=route_hint(route, node))


def route_text(route: KernelRoute) -> str:
    """A route in ip-route(8)'s words."""
    words = [] if route.kind == "unicast" else [route.kind]
    words.append(str(route.destination))
    for word, value in (
        ("via", route.gateway),
        ("dev", route.device),
        ("proto", route.protocol),
        ("tos", route.tos),
        ("metric", route.metric),
    ):
        words += [word, str(value)] if value else []
    return " ".join(words)


def route_hint(route: Route, node: NodeFacts) -> str:
    """What to say of a route that a node lacks."""
    text = f"{route.node} has no route {route.destination} via {route.gateway} (ip route show proto {MARK})"
    if node.timer != "active":
        return f"{text}; podnet-network.timer, which sets it, is {node.timer}"
    return f"{text}; podnet-network sets it within seconds: journalctl -u podnet-network"


def strays(plan: ClusterPlan, each: NodePlan, facts: Facts) -> list[KernelRoute]:
    """Every route of a node that podnet's network must do without: what the check names, and what a repair removes."""
    node = facts.nodes.get(each.node.name)
    return _strays(plan, each, (node.routes if node else None) or (), _leaving(plan, facts))


def _strays(
    plan: ClusterPlan, each: NodePlan, routes: Iterable[KernelRoute], leaving: Mapping[IPAddress, IPNetwork]
) -> list[KernelRoute]:
    wanted = {(route.destination, route.gateway) for route in each.routes}
    wanted |= {(destination, gateway) for gateway, destination in leaving.items()}
    found = []
    for route in routes:
        key = (route.destination, route.gateway)
        if key in wanted and _as_podnet_sets_it(route):
            wanted.remove(key)
        elif _concerns_pods(route, plan, each):
            found.append(route)
    return found


def _as_podnet_sets_it(route: KernelRoute) -> bool:
    return route.selector == f"{route.destination} proto {MARK} via {route.gateway} dev {route.device}"


def _concerns_pods(route: KernelRoute, plan: ClusterPlan, each: NodePlan) -> bool:
    """Whether a route is podnet's by its mark, or leads to pods and is not the bridge's own.

    One that leads to more than pods, as the default route does, is no matter: the longest prefix wins.
    """
    own = (route.device, route.destination, route.gateway) == (plan.cluster.cni.bridge, each.net_conf.subnet, None)
    return route.protocol == MARK or (within(route.destination, plan.cluster.pod_subnet) and not own)


def _other_routes(plan: ClusterPlan, each: NodePlan, node: NodeFacts, leaving: Mapping[IPAddress, IPNetwork]) -> Seen:
    if node.routes is None:
        return _unseen(node, "routes")
    other = _strays(plan, each, node.routes, leaving)
    text = ", ".join(route_text(route) for route in other) or "none"
    hint = f"ls /etc/podnet/routes.d on {each.node.name}: a file for every route that is to be there"
    return Seen(text, passed=not other, hint=hint)


def _default_route(plan: ClusterPlan, node: NodeFacts) -> Seen:
    if node.routes is None:
        return _unseen(node, "routes")
    default = everything(family_of(plan.cluster.gateway))
    # The kernel lists the one that it uses first: the one with the least metric.
    found = [route for route in node.routes if route.destination == default]
    text = ", ".join(route_text(route) for route in found) or "no default route"
    hint = f"{node.node}: ip route show default; /run/podnet/default-route has the one that it got when it was started"
    return Seen(text, passed=bool(found) and found[0].gateway == plan.cluster.gateway, hint=hint)


def _bridge_expected(plan: ClusterPlan, each: NodePlan) -> str:
    options = plan.cluster.cni
    return f"{options.bridge} up, {each.net_conf.gateway}/{each.net_conf.subnet.prefixlen}, MTU {options.mtu}"


def _bridge(plan: ClusterPlan, each: NodePlan, node: NodeFacts) -> Seen:
    if node.interfaces is None:
        return _unseen(node, "interfaces")
    name = plan.cluster.cni.bridge
    bridge = node.interface(name)
    hint = f"ip address show dev {name}"
    if bridge is None:
        return Seen(f"no {name}", passed=False, hint=f"the first pod on {each.node.name} makes it: {CONFS}")
    family = family_of(each.net_conf.subnet)
    held = [one for one in bridge.addresses if one.address.version == family.value]
    addresses = " ".join(f"{one.address}/{one.network.prefixlen}" for one in held) or "no address"
    text = f"{name} {'up' if bridge.up else 'down'}, {addresses}, MTU {bridge.mtu}"
    right = [(one.address, one.network) for one in held] == [(each.net_conf.gateway, each.net_conf.subnet)]
    return Seen(text, passed=bridge.up and right and bridge.mtu == plan.cluster.cni.mtu, hint=hint)


def _conf_name(plan: ClusterPlan) -> str:
    return cni.path(plan.cluster.cni).rpartition("/")[2]


def _cni_conf(plan: ClusterPlan, each: NodePlan, node: NodeFacts) -> Seen:
    if node.confs is None:
        return _unseen(node, "confs")
    ours = _conf_name(plan)
    loaded = sorted(name for name in node.confs if name.endswith(_CONF_ENDINGS))
    if ours not in loaded:
        return Seen(f"no {ours}", passed=False, hint=f"ls {CONFS}")
    before = loaded[: loaded.index(ours)]
    if before:
        hint = f"containerd loads {before[0]} and never {ours}: remove it from {CONFS}"
        return Seen(f"{', '.join(before)} before {ours}", passed=False, hint=hint)
    same = [name for name in loaded[1:] if _network_of(node.confs[name]) == plan.cluster.cni.network]
    if same:
        hint = f"two confs of one network share its leases and caches: remove {same[0]} from {CONFS}"
        return Seen(f"{', '.join(same)} names the network {plan.cluster.cni.network} too", passed=False, hint=hint)
    if _json(node.confs[ours]) != _json(cni.net_conf(each.net_conf, plan.cluster.cni)):
        hint = f"{CONFS}/{ours} was changed on the node; make up writes the plan's again"
        return Seen(f"{ours} first, with another content", passed=False, hint=hint)
    return Seen(f"{ours} first, as planned", passed=True)


def _network_of(text: str) -> Any:
    document = _json(text)
    return document.get("name") if isinstance(document, Mapping) else None


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _sysctl(name: str, node: NodeFacts) -> Seen:
    value = node.sysctls.get(name)
    if value is None:
        absent = "absent: the module br_netfilter is not loaded" if name.startswith("net.bridge") else "absent"
        return Seen(absent, passed=False, hint=f"sysctl {name}; lsmod")
    return Seen(value, passed=value == "1", hint=f"{node.node}: {name} is {value} (sysctl {name})")


def _masquerade(each: NodePlan, node: NodeFacts, leaving: Mapping[IPAddress, IPNetwork]) -> Seen:
    """The table that is podnet's own: it takes this node's pods, and spares every pod and every other node."""
    if node.tables is None:
        return _unseen(node, "tables")
    hint = f"nft list table ip podnet on {each.node.name}; podnet-network sets it again"
    table = next((one for one in node.tables if (one.tool, one.family, one.name) == ("nft", "ip", "podnet")), None)
    chains = [chain for chain in table.chains.values() if chain.hook == "postrouting"] if table else []
    rules = [rule for chain in chains for rule in chain.rules if rule.effect is Effect.TRANSLATE]
    if len(rules) != 1:
        return Seen("no table ip podnet" if table is None else f"{len(rules)} rules", passed=False, hint=hint)
    peers = [network_of(route.gateway, family_of(route.gateway).bits) for route in each.routes]
    spared = {*each.masquerade.unmasqueraded, *peers}
    gone = {network_of(address, family_of(address).bits) for address in leaving} - spared
    conditions = {
        (one.side, one.negated, frozenset(one.networks) - gone)
        for one in rules[0].conditions
        if isinstance(one, Addresses)
    }
    wanted = {
        (Side.SOURCE, False, frozenset({each.masquerade.source})),
        (Side.DESTINATION, True, frozenset(spared)),
    }
    right = conditions == wanted and len(rules[0].conditions) == len(conditions)
    return Seen("as planned" if right else rules[0].text, passed=right, hint=hint)


def _rules(plan: ClusterPlan, each: NodePlan, node: NodeFacts) -> Seen:
    if node.tables is None:
        return _unseen(node, "tables")
    found = findings(node.tables, flows(plan, each, node))
    if not found:
        return Seen("none", passed=True)
    text = "; ".join(f"{each.node.name} {one}" for one in found[:3])
    more = f"; and {len(found) - 3} more" if len(found) > 3 else ""
    shown = "nft list ruleset" if found[0].tool == "nft" else f"{found[0].tool}-save"
    return Seen(text + more, passed=False, hint=f"{shown} on {each.node.name}")


def flows(plan: ClusterPlan, each: NodePlan, node: NodeFacts) -> list[Flow]:
    """Every way of packets from pod to pod through a node: on it, from it and to it, a peer at a time."""
    own, bridge = each.node.pod_subnet, plan.cluster.cni.bridge
    reserved = frozenset(number for other in plan.nodes for number in _no_pods(other))
    found = [Flow(own, own, bridge, bridge, reserved)]
    for route in each.routes:
        uplink = uplink_to(route, node)
        found.append(Flow(own, route.destination, bridge, uplink, reserved))
        found.append(Flow(route.destination, own, uplink, bridge, reserved))
    return found


def _no_pods(each: NodePlan) -> Iterable[int]:
    subnet = each.node.pod_subnet
    return (subnet.first, int(host(subnet, 1)), subnet.last)


def uplink_to(route: Route, node: NodeFacts) -> str:
    """The interface by which a node reaches a peer: the one with an address in the peer's network; empty if unknown."""
    for interface in node.interfaces or ():
        if any(within(route.gateway, address.network) for address in interface.addresses):
            return interface.name
    return ""
