"""Clusters to draw, and what a verification could have seen of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from podnet import config
from podnet.addressing import host
from podnet.planning import ClusterPlan, plan
from podnet.verify.report import Pod, Report, Result, SeenRoute

DEVICE = "eth1"


def planned(count: int, name: Callable[[int], str] = lambda number: f"node{number}") -> ClusterPlan:
    """Plan the chapter's cluster with so many machines."""
    master = "master" if name(0) == "node0" else name(0)
    nodes = [{"name": master, "role": "control-plane", "address": "10.100.198.200"}]
    nodes += [{"name": name(n), "role": "worker", "address": f"10.100.198.{200 + n}"} for n in range(1, count)]
    values = {
        "machineNetwork": "10.100.198.0/24",
        "podSubnet": "10.22.0.0/16",
        "serviceSubnet": "10.96.0.0/16",
        "nodes": nodes,
    }
    return plan(config.load("dev", values))


def wide(count: int) -> ClusterPlan:
    """A cluster with the longest name and the longest addresses that there are."""
    nodes: list[dict[str, object]] = [
        {
            "name": f"n{number}",
            "role": "worker" if number else "control-plane",
            "address": f"192.168.100.{200 + number}",
            "podSubnet": f"172.16.{100 + number}.128/25",
        }
        for number in range(count)
    ]
    values = {
        "machineNetwork": "192.168.100.128/25",
        "gateway": "192.168.100.254",
        "podSubnet": "172.16.0.0/16",
        "serviceSubnet": "10.96.0.0/16",
        "nodes": nodes,
        "cni": {"bridge": "wwwwwwwwwwwwwww"},
    }
    return plan(config.load("w" * 30, values))


def routes(plan: ClusterPlan) -> tuple[SeenRoute, ...]:
    """Every planned route, as the kernels have it where all is well."""
    return tuple(SeenRoute(r.node, str(r.destination), str(r.gateway), DEVICE) for r in plan.routes)


def pods(plan: ClusterPlan, each: int = 2) -> tuple[Pod, ...]:
    """So many pods on every machine."""
    return tuple(
        Pod("default", f"nginx-7d9c5b8f6-x2k4{number}", node.node.name, str(host(node.node.pod_subnet, 2 + number)))
        for node in plan.nodes
        for number in range(each)
    )


def results(plan: ClusterPlan, broken: frozenset[tuple[str, str]] = frozenset()) -> tuple[Result, ...]:
    """A few checks of every pair of nodes; those of broken pairs fail, and so does the way back."""
    return tuple(result for each in plan.nodes for result in _from(plan, each.node.name, broken))


def report(plan: ClusterPlan) -> Report:
    """A report in which everything holds."""
    return Report(results(plan), pods(plan), routes(plan), 8.1)


def broken_report(plan: ClusterPlan) -> Report:
    """A report after the last node lost its route to the one before, and got one that nobody planned."""
    last, other = plan.nodes[-1].node.name, plan.nodes[-2].node.name
    lost = next(route for route in plan.routes if (route.node, route.peer) == (last, other))
    kept = tuple(r for r in routes(plan) if (r.node, r.destination) != (last, str(lost.destination)))
    extra = SeenRoute(plan.nodes[0].node.name, "10.22.77.0/24", "10.100.198.77", DEVICE)
    broken = frozenset({(last, other), (other, last)})
    return Report(results(plan, broken), pods(plan), (*kept, extra), 21.4)


def _from(plan: ClusterPlan, source: str, broken: frozenset[tuple[str, str]]) -> list[Result]:
    own = plan.of(source)
    node = End(source, source, str(own.node.address))
    pod = End(f"{source}/a", source, str(host(own.node.pod_subnet, 2)))
    found = []
    for each in plan.nodes:
        name, bridge = each.node.name, host(each.node.pod_subnet, 1)
        where = "same-node" if name == source else "other-node"
        other = End(f"{name}/b", name, str(bridge + 2))
        service = End(f"service podnet-{name}-b", name, "10.96.0.101")
        as_node = str(bridge) if name == source else node.address
        pairs = [
            (f"pod-to-pod-{where}/icmp", pod, other, "reached"),
            (f"pod-to-pod-{where}/tcp", pod, other, pod.address),
            (f"pod-to-pod-{where}/udp", pod, other, pod.address),
            (f"node-to-pod-{where}/tcp", node, End(f"{name}/a", name, str(bridge + 1)), as_node),
            (f"pod-to-service-{where}/tcp", pod, service, pod.address),
        ]
        found += [result(*pair, passed=(source, name) not in broken) for pair in pairs]
        found.append(result(f"pod-to-node-{where}/tcp", pod, End(name, name, str(each.node.address)), pod.address))
    dns = End(f"podnet-{source}-a.podnet-verify.svc.cluster.local", "", "")
    found.append(result("pod-to-dns/dns", pod, dns, "10.96.0.77"))
    found.append(result("pod-to-outside/tcp", pod, End("outside", "", str(plan.cluster.outside)), node.address))
    return found


@dataclass(frozen=True)
class End:
    """One end of a check."""

    name: str
    node: str
    address: str

    def __str__(self) -> str:
        return f"{self.name} ({self.address})" if self.address else self.name


def result(kind: str, source: End, destination: End, expected: str, *, passed: bool = True) -> Result:
    """One check's result. kind: its scenario and action."""
    scenario, _, action = kind.partition("/")
    return Result(
        id=f"{kind}: {source} -> {destination}",
        scenario=scenario,
        action=action,
        source=source.name,
        source_node=source.node,
        destination=destination.name,
        destination_node=destination.node,
        expected=expected,
        seen=expected if passed else "not reached: timed out",
        passed=passed,
        milliseconds=0.4 if passed else 0,
        hint="" if passed else f"{source.node} has no route to {destination.node}'s pods",
    )
