"""What the picture shows, as a value: the plan's machines and routes, each with what a verification saw of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from netaddr import IPNetwork

from podnet.addressing import AddressError, host, parse_address, within
from podnet.planning import ClusterPlan, NodePlan
from podnet.verify.check import EndpointKind, PathKind
from podnet.verify.report import Pod, Report, Result


class State(StrEnum):
    """How much is known of a thing; the value is the word that every picture writes beside it."""

    PLANNED = "planned"
    PASSED = "passed"
    FAILED = "failed"
    NOT_TRIED = "not tried"
    DRIFTED = "drifted"


BY_WEIGHT: Final = (State.FAILED, State.DRIFTED, State.NOT_TRIED, State.PASSED, State.PLANNED)
"""The states, the one first that has to be seen first."""


def worst(states: Iterable[State]) -> State:
    """Give the state that stands for several; planned where there are none."""
    return min(states, key=BY_WEIGHT.index, default=State.PLANNED)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A state, and why. note: a few words for the picture. details: a line for each check that does not hold."""

    state: State
    note: str = ""
    details: tuple[str, ...] = ()


PLANNED = Evidence(State.PLANNED)


@dataclass(frozen=True, slots=True)
class DrawnPod:
    """A pod. astray: its address does not lie in its node's pod subnet."""

    namespace: str
    name: str
    address: str
    astray: bool


@dataclass(frozen=True, slots=True)
class RouteEdge:
    """A route from one machine to the pods of another. peer: empty where no machine has the gateway's address."""

    node: str
    peer: str
    destination: str
    gateway: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine and everything in it.

    interface: the device that its routes leave by; empty where nobody looked. first_pod, last_pod: the addresses
    that its pods get. local: what holds between its own pods; drifted where one is astray. pods: None where nobody
    looked.
    leaving: its masquerade, and what the outside saw of its pods.
    """

    name: str
    role: str
    address: str
    interface: str
    bridge: str
    bridge_address: str
    pod_subnet: str
    first_pod: str
    last_pod: str
    pods: tuple[DrawnPod, ...] | None
    routes: tuple[RouteEdge, ...]
    local: Evidence
    leaving: Evidence


@dataclass(frozen=True, slots=True)
class Graph:
    """The whole picture.

    unmasqueraded: the destinations that see a pod under its own address, beside the machines.
    hidden_by_bridge: the CNI conf's own ipMasq is on, which hides pods from pods of other nodes.
    strays: pods on machines that the plan does not have. verdict: empty where nobody looked. state: of all checks.
    """

    name: str
    pod_subnet: str
    machine_network: str
    gateway: str
    outside: str
    unmasqueraded: tuple[str, ...]
    hidden_by_bridge: bool
    machines: tuple[Machine, ...]
    strays: tuple[Pod, ...]
    verdict: str
    state: State

    @property
    def routes(self) -> tuple[RouteEdge, ...]:
        """Every route, machine by machine."""
        return tuple(route for machine in self.machines for route in machine.routes)

    @property
    def leaving(self) -> Evidence:
        """What is known of the way to the outside, of all machines together."""
        return Evidence(worst(machine.leaving.state for machine in self.machines))


def graph(plan: ClusterPlan, report: Report | None = None) -> Graph:
    """Draw together what is planned and what was seen; without a report everything is planned."""
    cluster = plan.cluster
    names = {node.name for node in cluster.nodes}
    return Graph(
        name=cluster.name,
        pod_subnet=str(cluster.pod_subnet),
        machine_network=str(cluster.machine_network),
        gateway=str(cluster.gateway),
        outside=", ".join(_outside(report)) or str(cluster.outside),
        unmasqueraded=tuple(str(network) for network in plan.nodes[0].masquerade.unmasqueraded),
        hidden_by_bridge=cluster.cni.ip_masq,
        machines=tuple(_machine(plan, each, report) for each in plan.nodes),
        strays=tuple(pod for pod in report.pods if pod.node not in names) if report else (),
        verdict=f"{report.verdict}, in {report.seconds} s" if report else "",
        state=judge(report.results).state if report else State.PLANNED,
    )


def _outside(report: Report | None) -> Iterable[str]:
    """Where the outside was tried: it may be another address than the plan's."""
    ends = [result.destination for result in report.results] if report else []
    return dict.fromkeys(end.address for end in ends if end and end.kind is EndpointKind.OUTSIDE and end.address)


def _machine(plan: ClusterPlan, each: NodePlan, report: Report | None) -> Machine:
    node, subnet = each.node, each.net_conf.subnet
    results = report.results if report else ()
    pods = tuple(_pod(pod, subnet) for pod in report.pods if pod.node == node.name) if report else None
    return Machine(
        name=node.name,
        role=str(node.role),
        address=str(node.address),
        interface=_interface(report, node.name),
        bridge=plan.cluster.cni.bridge,
        bridge_address=str(each.net_conf.gateway),
        pod_subnet=str(subnet),
        # host-local hands out what the bridge leaves, up to the last address before the broadcast's.
        first_pod=str(host(subnet, 2)),
        last_pod=str(host(subnet, subnet.size - 2)),
        pods=pods,
        routes=(*_planned_routes(each, report), *_unplanned_routes(plan, each, report)),
        local=_local(results, node.name, pods or ()) if report else PLANNED,
        leaving=_leaving(results, node.name) if report else PLANNED,
    )


def _interface(report: Report | None, node: str) -> str:
    devices = sorted({route.device for route in report.routes if route.node == node}) if report else []
    return ", ".join(devices)


def _pod(pod: Pod, subnet: IPNetwork) -> DrawnPod:
    try:
        astray = not within(parse_address(pod.address), subnet)
    except AddressError:
        astray = True
    return DrawnPod(pod.namespace, pod.name, pod.address, astray)


def _local(results: Sequence[Result], node: str, pods: Iterable[DrawnPod]) -> Evidence:
    evidence = _drifted(judge(_to_pods(results, node, node)), _not_as_planned(results, "bridge", node))
    astray = [f"{pod.namespace}/{pod.name} has {pod.address}" for pod in pods if pod.astray]
    if not astray:
        return evidence
    note = f"{len(astray)} {'pod is' if len(astray) == 1 else 'pods are'} not in the subnet"
    return Evidence(State.DRIFTED, note, (*astray, *evidence.details))


def _leaving(results: Sequence[Result], node: str) -> Evidence:
    tried = [r for r in results if (r.scenario.path, r.source.node) == (PathKind.EGRESS, node)]
    return _drifted(judge(tried), _not_as_planned(results, "masquerade", node))


def _planned_routes(each: NodePlan, report: Report | None) -> Iterable[RouteEdge]:
    seen = {(route.node, route.destination, route.gateway) for route in report.routes} if report else set()
    for route in each.routes:
        evidence = PLANNED
        if report:
            evidence = judge(_to_pods(report.results, route.node, route.peer))
            evidence = _drifted(evidence, _not_as_planned(report.results, "route", route.node, route.peer))
            if (route.node, str(route.destination), str(route.gateway)) not in seen:
                evidence = replace(evidence, state=State.DRIFTED, note="not in the kernel")
        yield RouteEdge(route.node, route.peer, str(route.destination), str(route.gateway), evidence)


def _unplanned_routes(plan: ClusterPlan, each: NodePlan, report: Report | None) -> Iterable[RouteEdge]:
    planned = {(str(route.destination), str(route.gateway)) for route in each.routes}
    machines = {str(node.address): node.name for node in plan.cluster.nodes}
    drift = Evidence(State.DRIFTED, "not in the plan")
    for route in report.routes if report else ():
        if route.node == each.node.name and (route.destination, route.gateway) not in planned:
            yield RouteEdge(route.node, machines.get(route.gateway, ""), route.destination, route.gateway, drift)


def _to_pods(results: Sequence[Result], source: str, destination: str) -> list[Result]:
    """The checks from a node or its pods to the pods of a node: what takes the route between the two."""
    return [
        result
        for result in results
        if (end := result.destination)
        and end.kind is EndpointKind.POD
        and (result.source.node, end.node) == (source, destination)
    ]


def _not_as_planned(results: Sequence[Result], what: str, node: str, peer: str = "") -> list[Result]:
    """What a look at a node itself found of its bridge, its masquerade or a route, where that is not the plan's."""
    wanted = (PathKind.NODE_STATE, what, node, peer)
    return [
        r
        for r in results
        if not r.passed
        and (r.scenario.path, r.action, r.source.node, r.destination.node if r.destination else "") == wanted
    ]


def _drifted(evidence: Evidence, found: Sequence[Result]) -> Evidence:
    if not found:
        return evidence
    return Evidence(State.DRIFTED, "not as planned", (*map(_told, found), *evidence.details))


def _told(result: Result) -> str:
    seen = f"not tried: {result.untried}" if result.untried else f"expected {result.expected}, seen {result.seen}"
    return f"{result.id}: {seen}"


def judge(results: Iterable[Result]) -> Evidence:
    """Sum up checks: one that fails decides, then one that was not tried; none at all means that nobody tried."""
    results = list(results)
    untried = [result for result in results if result.untried]
    failed = [result for result in results if result.failed]
    for state, those in ((State.FAILED, failed), (State.NOT_TRIED, untried)):
        if those:
            return Evidence(state, f"{len(those)} of {len(results)} checks", tuple(map(_told, those)))
    return Evidence(State.PASSED if results else State.NOT_TRIED)
