"""Every check that a cluster must pass, derived from its plan.

Derived from the plan and from where the probes were put, so that more nodes or other subnets need no other code.
The rules: https://kubernetes.io/docs/concepts/services-networking/ ("pods can communicate with all other pods ...
without NAT", agents on a node with all pods on it); the source addresses that are right without NAT stand below.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from podnet.planning import WEB_PODS, ClusterPlan, NodePlan
from podnet.verify.check import Check, Endpoint, EndpointKind, Expectation, Locality, PathKind, Scenario

PORT: Final = 7411
"""The probes' port, TCP and UDP, in pods; on nodes it is one that is free there."""

BULK: Final = 10_000_000
"""Bytes of the transfer that has to arrive whole."""

_ACTIONS: Final = ("icmp", "tcp", "udp")


@dataclass(frozen=True, slots=True)
class Probe:
    """A pod that podnet placed for the check, with the Service that leads to it alone."""

    endpoint: Endpoint
    service: str
    service_address: str
    node_port: int


@dataclass(frozen=True, slots=True)
class Outside:
    """What stands for the outside of one node's pods.

    port: where it answers TCP with the address that it sees. seen: the address under which it sees the node itself.
    untried: why nothing can be proved there, where it cannot.
    """

    endpoint: Endpoint
    port: int = 0
    seen: str = ""
    untried: str = ""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where things are for one verification.

    probes: node name to its two probes. node_ports: node name to the port of the agent that answers on the node itself.
    web: the workload's pods that are there. outside: node name to what stands for the outside of its pods.
    """

    probes: Mapping[str, tuple[Probe, Probe]]
    node_ports: Mapping[str, int]
    web: tuple[Endpoint, ...]
    outside: Mapping[str, Outside]
    namespace: str

    @property
    def web_path(self) -> str:
        """Where the checks' requests go on the web servers: the namespace is one verification's own."""
        return f"/{self.namespace}"


def bridge_of(each: NodePlan) -> str:
    """The bridge's address in the first pod subnet: whom a pod sees that is asked by its own node."""
    return each.spec.bridge_addresses[0].partition("/")[0]


def checks(plan: ClusterPlan, placement: Placement) -> list[Check]:
    """Every check of a cluster, scenario by scenario: as many whatever is there, those that cannot be made too."""
    return [
        *_pod_to_pod(plan, placement),
        *_pod_to_web(plan, placement),
        *_node_to_pod(plan, placement),
        *_pod_to_node(plan, placement),
        *_services(plan, placement),
        *_outside(plan, placement),
        *_size(plan, placement),
    ]


def _to(endpoint: Endpoint, port: int = PORT, **more: Any) -> dict[str, Any]:
    return {"address": endpoint.address, "port": port, **more}


def _between(path: PathKind, source: Endpoint, destination: Endpoint) -> Scenario:
    return Scenario(path, Locality.SAME_NODE if source.node == destination.node else Locality.OTHER_NODE)


def _web(placement: Placement) -> Iterator[tuple[Endpoint, str]]:
    """The workload's pods, and why one that is due is not there: nobody knows on which node it would be."""
    yield from ((pod, "") for pod in placement.web)
    count = len(placement.web)
    for number in range(count, WEB_PODS):
        name = f"nginx pod {number + 1} of {WEB_PODS}"
        yield Endpoint(EndpointKind.POD, name, "", ""), f"nginx has {count} of {WEB_PODS} pods"


def _pairs(plan: ClusterPlan, placement: Placement) -> Iterator[tuple[Probe, Probe]]:
    """For every ordered pair of nodes the source's first probe and the destination's second: never a pod itself."""
    for source in plan.nodes:
        for destination in plan.nodes:
            yield placement.probes[source.node.name][0], placement.probes[destination.node.name][1]


def _pod_to_pod(plan: ClusterPlan, placement: Placement) -> Iterator[Check]:
    for source, destination in _pairs(plan, placement):
        a, b = source.endpoint, destination.endpoint
        for action in _ACTIONS:
            yield Check(_between(PathKind.POD_TO_POD, a, b), action, a, b, _to(b), sources=(a.address,))


def _pod_to_web(plan: ClusterPlan, placement: Placement) -> Iterator[Check]:
    """From every node and a pod on it to the workload's pods; what they saw stands in their own logs."""
    for each in plan.nodes:
        pod = placement.probes[each.node.name][0].endpoint
        node = _node(plan, each.node.name)
        for web, untried in _web(placement):
            for path, source in ((PathKind.POD_TO_WEB, pod), (PathKind.NODE_TO_WEB, node)):
                # The path of the request says in the server's log which check it was.
                to = _to(web, 80, path=f"{placement.web_path}/{source.name}/{web.name}")
                if untried:
                    yield Check(Scenario(path), "http", source, web, to, untried=untried)
                else:
                    sources = (pod.address,) if source is pod else _of_node(plan, node, web)
                    yield Check(_between(path, source, web), "http", source, web, to, sources)


def _node(plan: ClusterPlan, name: str) -> Endpoint:
    return Endpoint(EndpointKind.NODE, name, name, str(plan.of(name).node.address))


def _of_node(plan: ClusterPlan, node: Endpoint, pod: Endpoint) -> tuple[str, ...]:
    """A node talks to its own pods from the bridge's address, to others' from its own (Kubernetes promises neither)."""
    return (bridge_of(plan.of(node.name)),) if node.node == pod.node else (node.address,)


def _node_to_pod(plan: ClusterPlan, placement: Placement) -> Iterator[Check]:
    for each in plan.nodes:
        node = _node(plan, each.node.name)
        for probes in placement.probes.values():
            pod = probes[0].endpoint
            for action in _ACTIONS:
                sources = _of_node(plan, node, pod)
                yield Check(_between(PathKind.NODE_TO_POD, node, pod), action, node, pod, _to(pod), sources)


def _pod_to_node(plan: ClusterPlan, placement: Placement) -> Iterator[Check]:
    for each in plan.nodes:
        pod = placement.probes[each.node.name][0].endpoint
        for peer in plan.nodes:
            node = _node(plan, peer.node.name)
            for action in _ACTIONS:
                to = _to(node, placement.node_ports[node.name])
                yield Check(_between(PathKind.POD_TO_NODE, pod, node), action, pod, node, to, sources=(pod.address,))


def _service(probe: Probe) -> Endpoint:
    return Endpoint(EndpointKind.SERVICE, f"service {probe.service}", probe.endpoint.node, probe.service_address)


def _services(plan: ClusterPlan, placement: Placement) -> Iterator[Check]:
    for source, destination in _pairs(plan, placement):
        pod, service = source.endpoint, _service(destination)
        scenario = _between(PathKind.POD_TO_SERVICE, pod, service)
        yield Check(scenario, "tcp", pod, service, _to(service), sources=(pod.address,))
    for each in plan.nodes:
        probe = placement.probes[each.node.name][0]
        own = _service(probe)
        # The packet comes back to the pod that sent it: its source has to be another's, the bridge's.
        gateway = bridge_of(each)
        yield Check(Scenario(PathKind.HAIRPIN), "tcp", probe.endpoint, own, _to(own), sources=(gateway,))
        name = f"{probe.service}.{placement.namespace}.svc.cluster.local"
        yield Check(
            # With a dot at its end it is asked for as it is, and not under every domain that a pod searches first.
            Scenario(PathKind.DNS), "dns", probe.endpoint, Endpoint(EndpointKind.NAME, name, "", ""),
            {"name": f"{name}.", "timeout": 5}, sources=(probe.service_address,),
        )  # fmt: skip
        node = _node(plan, each.node.name)
        for probes in placement.probes.values():
            port, behind = probes[0].node_port, probes[0].endpoint.node
            there = Endpoint(EndpointKind.NODE_PORT, f"node port {port} of {node.name}", behind, node.address)
            yield Check(Scenario(PathKind.NODE_PORT), "tcp", node, there, _to(there, port))


def _outside(plan: ClusterPlan, placement: Placement) -> Iterator[Check]:
    for each in plan.nodes:
        pod = placement.probes[each.node.name][0].endpoint
        outside = placement.outside[each.node.name]
        # Masqueraded: the outside has no way back to a pod, only to its node.
        sources = (outside.seen or str(each.node.address),)
        to = _to(outside.endpoint, outside.port)
        yield Check(Scenario(PathKind.EGRESS), "tcp", pod, outside.endpoint, to, sources, untried=outside.untried)


def _size(plan: ClusterPlan, placement: Placement) -> Iterator[Check]:
    mtu = plan.cluster.cni.mtu
    for source, destination in _pairs(plan, placement):
        a, b = source.endpoint, destination.endpoint
        yield Check(Scenario(PathKind.MTU), "icmp", a, b, _to(b, size=mtu), sources=(a.address,))
        over = _to(b, size=mtu + 1, must_fail=True)
        yield Check(Scenario(PathKind.OVER_MTU), "icmp", a, b, over, expectation=Expectation.TOO_BIG)
        yield Check(Scenario(PathKind.BULK), "tcp", a, b, _to(b, bytes=BULK, timeout=20), sources=(a.address,))


def tag(check: Check, placement: Placement) -> str:
    """What a ping carries, as hexadecimal: its check's and its verification's own, so that no other is taken for it."""
    return hashlib.sha256(f"{placement.namespace} {check.id}".encode()).hexdigest()[:32]


def probe_of(check: Check, placement: Placement) -> dict[str, Any]:
    """The probe that a check's source has to make, as its agent reads it."""
    probe = {"id": check.id, "action": check.action, **check.parameters}
    return probe | {"pattern": tag(check, placement)} if check.action == "icmp" else probe
