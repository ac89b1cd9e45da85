"""What must hold of the network, as data: every check with its source, its destination and what is expected.

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

PORT: Final = 7411
"""The probes' port, TCP and UDP, in pods; on nodes it is one that is free there."""

BULK: Final = 10_000_000
"""Bytes of the transfer that has to arrive whole."""

_ACTIONS: Final = ("icmp", "tcp", "udp")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One end of a check. name: ``node1`` for a node itself, ``node1/a`` for a pod on it. node: where it is."""

    name: str
    node: str
    address: str

    def __str__(self) -> str:
        return f"{self.name} ({self.address})" if self.address else self.name


@dataclass(frozen=True, slots=True)
class Probe:
    """A pod that podnet placed for the check, with the Service that leads to it alone."""

    endpoint: Endpoint
    service: str
    service_address: str
    node_port: int


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold.

    sources: the addresses under which the destination may see the source; empty where any will do.
    refused: the check holds when it does not get through (a packet larger than the MTU).
    parameters: of the probe, as the agent reads it.
    untried: why it cannot be made, where it cannot: it is due all the same.
    """

    scenario: str
    action: str
    source: Endpoint
    destination: Endpoint
    parameters: Mapping[str, Any]
    sources: tuple[str, ...] = ()
    refused: bool = False
    untried: str = ""

    @property
    def id(self) -> str:
        """The same in the terminal, in reports, in tests and in the picture."""
        return f"{self.scenario}/{self.action}: {self.source} -> {self.destination}"

    @property
    def expected(self) -> str:
        """What is expected, in words."""
        if self.refused:
            return "refused"
        return " or ".join(self.sources) if self.sources else "reached"


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


def _where(source: Endpoint, destination: Endpoint) -> str:
    return "same-node" if source.node == destination.node else "other-node"


def _web(placement: Placement) -> Iterator[tuple[Endpoint, str]]:
    """The workload's pods, and why one that is due is not there: nobody knows on which node it would be."""
    yield from ((pod, "") for pod in placement.web)
    count = len(placement.web)
    for number in range(count, WEB_PODS):
        yield Endpoint(f"nginx pod {number + 1} of {WEB_PODS}", "", ""), f"nginx has {count} of {WEB_PODS} pods"


def _pairs(plan: ClusterPlan, placement: Placement) -> Iterator[tuple[Probe, Probe]]:
    """For every ordered pair of nodes the source's first probe and the destination's second: never a pod itself."""
    for source in plan.nodes:
        for destination in plan.nodes:
            yield placement.probes[source.node.name][0], placement.probes[destination.node.name][1]


def _pod_to_pod(plan: ClusterPlan, placement: Placement) -> Iterator[Check]:
    for source, destination in _pairs(plan, placement):
        a, b = source.endpoint, destination.endpoint
        for action in _ACTIONS:
            yield Check(f"pod-to-pod-{_where(a, b)}", action, a, b, _to(b), sources=(a.address,))


def _pod_to_web(plan: ClusterPlan, placement: Placement) -> Iterator[Check]:
    """From every node and a pod on it to the workload's pods; what they saw stands in their own logs."""
    for each in plan.nodes:
        pod = placement.probes[each.node.name][0].endpoint
        node = _node(plan, each.node.name)
        for web, untried in _web(placement):
            for source, sources in ((pod, (pod.address,)), (node, _of_node(plan, node, web))):
                kind = "node" if source is node else "pod"
                # The path says in the server's log which check it was.
                path = f"{placement.web_path}/{source.name}/{web.name}"
                scenario = f"{kind}-to-web" if untried else f"{kind}-to-web-{_where(source, web)}"
                to = _to(web, 80, path=path)
                yield Check(scenario, "http", source, web, to, () if untried else sources, untried=untried)


def _node(plan: ClusterPlan, name: str) -> Endpoint:
    return Endpoint(name, name, str(plan.of(name).node.address))


def _of_node(plan: ClusterPlan, node: Endpoint, pod: Endpoint) -> tuple[str, ...]:
    """A node talks to its own pods from the bridge's address, to others' from its own (Kubernetes promises neither)."""
    return (bridge_of(plan.of(node.name)),) if node.node == pod.node else (node.address,)


def _node_to_pod(plan: ClusterPlan, placement: Placement) -> Iterator[Check]:
    for each in plan.nodes:
        node = _node(plan, each.node.name)
        for probes in placement.probes.values():
            pod = probes[0].endpoint
            for action in _ACTIONS:
                scenario = f"node-to-pod-{_where(node, pod)}"
                yield Check(scenario, action, node, pod, _to(pod), sources=_of_node(plan, node, pod))


def _pod_to_node(plan: ClusterPlan, placement: Placement) -> Iterator[Check]:
    for each in plan.nodes:
        pod = placement.probes[each.node.name][0].endpoint
        for peer in plan.nodes:
            node = _node(plan, peer.node.name)
            for action in _ACTIONS:
                to = _to(node, placement.node_ports[node.name])
                yield Check(f"pod-to-node-{_where(pod, node)}", action, pod, node, to, sources=(pod.address,))


def _services(plan: ClusterPlan, placement: Placement) -> Iterator[Check]:
    for source, destination in _pairs(plan, placement):
        a = source.endpoint
        service = Endpoint(f"service {destination.service}", destination.endpoint.node, destination.service_address)
        scenario = f"pod-to-service-{_where(a, service)}"
        yield Check(scenario, "tcp", a, service, _to(service), sources=(a.address,))
    for each in plan.nodes:
        probe = placement.probes[each.node.name][0]
        own = Endpoint(f"service {probe.service}", each.node.name, probe.service_address)
        # The packet comes back to the pod that sent it: it has to seem to come from somebody else, the bridge.
        gateway = bridge_of(each)
        yield Check("pod-to-itself-by-service", "tcp", probe.endpoint, own, _to(own), sources=(gateway,))
        name = f"{probe.service}.{placement.namespace}.svc.cluster.local"
        yield Check(
            # With a dot at its end it is asked for as it is, and not under every domain that a pod searches first.
            "pod-to-dns", "dns", probe.endpoint, Endpoint(name, "", ""), {"name": f"{name}.", "timeout": 5},
            sources=(probe.service_address,),
        )  # fmt: skip
        node = _node(plan, each.node.name)
        for probes in placement.probes.values():
            port = probes[0].node_port
            there = Endpoint(f"node port {port} of {node.name}", probes[0].endpoint.node, node.address)
            yield Check("node-to-node-port", "tcp", node, there, _to(there, port))


def _outside(plan: ClusterPlan, placement: Placement) -> Iterator[Check]:
    for each in plan.nodes:
        pod = placement.probes[each.node.name][0].endpoint
        outside = placement.outside[each.node.name]
        # Masqueraded: the outside has no way back to a pod, only to its node.
        sources = (outside.seen or str(each.node.address),)
        to = _to(outside.endpoint, outside.port)
        yield Check("pod-to-outside", "tcp", pod, outside.endpoint, to, sources, untried=outside.untried)


def _size(plan: ClusterPlan, placement: Placement) -> Iterator[Check]:
    mtu = plan.cluster.cni.mtu
    for source, destination in _pairs(plan, placement):
        a, b = source.endpoint, destination.endpoint
        yield Check("packet-of-mtu", "icmp", a, b, _to(b, size=mtu), sources=(a.address,))
        yield Check("packet-of-mtu-plus-1", "icmp", a, b, _to(b, size=mtu + 1, refused=True), refused=True)
        yield Check("bulk-10-mb", "tcp", a, b, _to(b, bytes=BULK, timeout=20), sources=(a.address,))


def tag(check: Check, placement: Placement) -> str:
    """What a ping carries, as hexadecimal: its check's and its verification's own, so that no other is taken for it."""
    return hashlib.sha256(f"{placement.namespace} {check.id}".encode()).hexdigest()[:32]


def probe_of(check: Check, placement: Placement) -> dict[str, Any]:
    """The probe that a check's source has to make, as its agent reads it."""
    probe = {"id": check.id, "action": check.action, **check.parameters}
    return probe | {"pattern": tag(check, placement)} if check.action == "icmp" else probe
