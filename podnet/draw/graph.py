"""What the picture shows, as a value: the plan's machines and routes, each with what a verification saw of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

from netaddr import IPNetwork

from podnet.addressing import AddressError, host, parse_address, within
from podnet.draw.evidence import PLANNED, Evidence, State, detail, summarize, worst
from podnet.node.spec import Route
from podnet.planning import ClusterPlan, NodePlan
from podnet.verify.check import EndpointKind, PathKind
from podnet.verify.report import Pod, Report, Result


@dataclass(frozen=True, slots=True)
class DrawnPod:
    """A pod. misplaced: its address does not lie in its node's pod subnet."""

    namespace: str
    name: str
    address: str
    misplaced: bool


@dataclass(frozen=True, slots=True)
class DrawnRoute(Route):
    """A route, with what is known of it. peer: empty where no machine has the gateway's address."""

    evidence: Evidence = PLANNED

    @property
    def reaches(self) -> bool:
        """Whether it leads to another machine; nobody plans a route to no machine, or to the machine's own address."""
        return self.peer not in {"", self.node}


@dataclass(frozen=True, slots=True)
class DrawnMachine:
    """A machine and everything in it.

    interface: the device that its routes leave by; empty where nobody looked. first_pod, last_pod: the addresses
    that its pods get. pods: None where nobody looked. local: what holds between its own pods. leaving: its masquerade,
    and what the outside saw of its pods.
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
    routes: tuple[DrawnRoute, ...]
    local: Evidence
    leaving: Evidence

    @property
    def alarm(self) -> State | None:
        """Failed or drifted where something of it is."""
        state = worst([self.local.state, self.leaving.state, *(route.evidence.state for route in self.routes)])
        return state if state in {State.FAILED, State.DRIFTED} else None


@dataclass(frozen=True, slots=True)
class Graph:
    """The whole picture.

    non_masquerade_cidrs: the destinations that see a pod under its own address, beside the machines.
    hidden_by_bridge: the CNI conf's own ipMasq is on, which hides pods from pods of other nodes.
    unplanned: pods on machines that the plan does not have. verdict: empty where nobody looked. state: of all checks.
    """

    name: str
    pod_subnet: str
    machine_network: str
    gateway: str
    outside: str
    non_masquerade_cidrs: tuple[str, ...]
    hidden_by_bridge: bool
    machines: tuple[DrawnMachine, ...]
    unplanned: tuple[Pod, ...]
    verdict: str
    state: State

    @property
    def routes(self) -> tuple[DrawnRoute, ...]:
        """Every route, machine by machine."""
        return tuple(route for machine in self.machines for route in machine.routes)

    @property
    def leaving(self) -> Evidence:
        """What is known of the way to the outside, of all machines together."""
        return Evidence(worst(machine.leaving.state for machine in self.machines))


def graph(plan: ClusterPlan, report: Report | None = None) -> Graph:
    """Draw together what is planned and what was seen; without a report everything is planned."""
    cluster, seen = plan.cluster, _Seen(report)
    names = {node.name for node in cluster.nodes}
    return Graph(
        name=cluster.name,
        pod_subnet=str(cluster.pod_subnet),
        machine_network=str(cluster.machine_network),
        gateway=str(cluster.gateway),
        outside=", ".join(seen.outside) or str(cluster.outside),
        non_masquerade_cidrs=tuple(map(str, plan.cluster.pod_subnets)),
        hidden_by_bridge=cluster.cni.ip_masq,
        machines=tuple(_machine(plan, each, seen) for each in plan.nodes),
        unplanned=tuple(pod for pod in report.pods if pod.node not in names) if report else (),
        verdict=f"{report.verdict}, in {report.seconds} s" if report else "",
        state=summarize(report.results).state if report else State.PLANNED,
    )


class _Seen:
    """What a verification saw, by the thing in the picture that it says something of: its kind, a node and a peer."""

    def __init__(self, report: Report | None) -> None:
        self.report = report
        self.outside: dict[str, None] = {}
        """Where the outside was tried: it may be another address than the plan's."""
        self._probes: dict[tuple[str, str, str], list[Result]] = defaultdict(list)
        self._looks: dict[tuple[str, str, str], list[Result]] = defaultdict(list)
        for result in report.results if report else ():
            node, end = result.source.node, result.destination
            peer = end.node if end else ""
            if result.scenario.path is PathKind.NODE_STATE:
                self._looks[result.action, node, peer].append(result)
            elif end and end.kind is EndpointKind.OUTSIDE:
                self._probes["masquerade", node, ""].append(result)
                self.outside |= {end.address: None} if end.address else {}
            elif end and end.kind is EndpointKind.POD:
                self._probes[("bridge", node, "") if peer == node else ("route", node, peer)].append(result)

    def evidence(self, kind: str, node: str, peer: str = "") -> Evidence:
        """What the probes that take a thing say, and a look at the node itself."""
        if self.report is None:
            return PLANNED
        evidence = summarize(self._probes[kind, node, peer])
        wrong = [result for result in self._looks[kind, node, peer] if not result.passed]
        return evidence.drifted("not as planned", map(detail, wrong)) if wrong else evidence


def _machine(plan: ClusterPlan, each: NodePlan, seen: _Seen) -> DrawnMachine:
    node, subnet, report = each.node, each.node.pod_subnet, seen.report
    pods = tuple(_pod(pod, subnet) for pod in report.pods if pod.node == node.name) if report else None
    devices = {route.device for route in report.routes if route.node == node.name} if report else ()
    return DrawnMachine(
        name=node.name,
        role=str(node.role),
        address=str(node.address),
        interface=", ".join(sorted(devices)),
        bridge=plan.cluster.cni.bridge,
        bridge_address=each.spec.bridge_addresses[0].partition("/")[0],
        pod_subnet=str(subnet),
        # host-local hands out what the bridge leaves, up to the last address before the broadcast's.
        first_pod=str(host(subnet, 2)),
        last_pod=str(host(subnet, subnet.size - 2)),
        pods=pods,
        routes=(*_planned_routes(each, seen), *_unplanned_routes(each, report)),
        local=_local(seen.evidence("bridge", node.name), pods or ()),
        leaving=seen.evidence("masquerade", node.name),
    )


def _pod(pod: Pod, subnet: IPNetwork) -> DrawnPod:
    try:
        misplaced = not within(parse_address(pod.address), subnet)
    except AddressError:
        misplaced = True
    return DrawnPod(pod.namespace, pod.name, pod.address, misplaced)


def _local(evidence: Evidence, pods: Iterable[DrawnPod]) -> Evidence:
    misplaced = [f"{pod.namespace}/{pod.name} has {pod.address}" for pod in pods if pod.misplaced]
    if not misplaced:
        return evidence
    return evidence.drifted(
        f"{len(misplaced)} {'pod is' if len(misplaced) == 1 else 'pods are'} not in the subnet", misplaced
    )


def _planned_routes(each: NodePlan, seen: _Seen) -> Iterator[DrawnRoute]:
    report = seen.report
    kernels = {(route.node, route.destination, route.gateway) for route in report.routes} if report else set()
    for route in each.routes:
        evidence = seen.evidence("route", route.node, route.peer)
        if report and (route.node, route.destination, route.gateway) not in kernels:
            evidence = evidence.drifted("not in the kernel")
        yield DrawnRoute(**asdict(route), evidence=evidence)


def _unplanned_routes(each: NodePlan, report: Report | None) -> Iterator[DrawnRoute]:
    planned = {(route.destination, route.gateway) for route in each.routes}
    for route in report.routes if report else ():
        if route.node == each.node.name and (route.destination, route.gateway) not in planned:
            yield DrawnRoute(**asdict(route), evidence=PLANNED.drifted("not in the plan"))
