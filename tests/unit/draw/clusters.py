"""Clusters to draw, and what a verification could have seen of them."""

from __future__ import annotations

from collections.abc import Callable

from podnet import config
from podnet.addressing import host
from podnet.node.spec import Route
from podnet.planning import ClusterPlan, plan
from podnet.verify.check import Endpoint, EndpointKind, Locality, PathKind, Scenario
from podnet.verify.report import Pod, Report, Result

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


def routes(plan: ClusterPlan) -> tuple[Route, ...]:
    """Every planned route, as the kernels have it where all is well."""
    return tuple(Route(r.node, r.peer, str(r.destination), str(r.gateway), DEVICE) for r in plan.routes)


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
    extra = Route(plan.nodes[0].node.name, "", "10.22.77.0/24", "10.100.198.77", DEVICE)
    broken = frozenset({(last, other), (other, last)})
    return Report(results(plan, broken), pods(plan), (*kept, extra), 21.4)


def node_end(name: str, address: str = "") -> Endpoint:
    """A node, as an end of a check."""
    return Endpoint(EndpointKind.NODE, name, name, address)


def pod_end(node: str, name: str, address: str) -> Endpoint:
    """A pod on a node."""
    return Endpoint(EndpointKind.POD, f"{node}/{name}", node, address, f"{node}-{name}")


def _from(plan: ClusterPlan, source: str, broken: frozenset[tuple[str, str]]) -> list[Result]:
    own = plan.of(source)
    node = node_end(source, str(own.node.address))
    pod = pod_end(source, "a", str(host(own.node.pod_subnet, 2)))
    found = []
    for each in plan.nodes:
        name, bridge = each.node.name, host(each.node.pod_subnet, 1)
        where = Locality.SAME_NODE if name == source else Locality.OTHER_NODE
        other = pod_end(name, "b", str(bridge + 2))
        service = Endpoint(EndpointKind.SERVICE, f"service podnet-{name}-b", name, "10.96.0.101")
        as_node = str(bridge) if name == source else node.address
        pairs = [
            (PathKind.POD_TO_POD, "icmp", pod, other, "reached"),
            (PathKind.POD_TO_POD, "tcp", pod, other, pod.address),
            (PathKind.POD_TO_POD, "udp", pod, other, pod.address),
            (PathKind.NODE_TO_POD, "tcp", node, pod_end(name, "a", str(bridge + 1)), as_node),
            (PathKind.POD_TO_SERVICE, "tcp", pod, service, pod.address),
        ]
        passed = (source, name) not in broken
        found += [result(Scenario(p, where), action, a, b, seen, passed=passed) for p, action, a, b, seen in pairs]
        to_node = Scenario(PathKind.POD_TO_NODE, where)
        found.append(result(to_node, "tcp", pod, node_end(name, str(each.node.address)), pod.address))
    dns = Endpoint(EndpointKind.NAME, f"podnet-{source}-a.podnet-verify.svc.cluster.local", "", "")
    found.append(result(Scenario(PathKind.DNS), "dns", pod, dns, "10.96.0.77"))
    outside = Endpoint(EndpointKind.OUTSIDE, "outside", "", str(plan.cluster.outside))
    found.append(result(Scenario(PathKind.EGRESS), "tcp", pod, outside, node.address))
    return found


def result(
    scenario: Scenario,
    action: str,
    source: Endpoint,
    destination: Endpoint | None,
    expected: str,
    *,
    passed: bool = True,
) -> Result:
    """One check's result."""
    return Result(
        scenario=scenario,
        action=action,
        source=source,
        destination=destination,
        expected=expected,
        seen=expected if passed else "not reached: timed out",
        passed=passed,
        milliseconds=0.4 if passed else 0,
        hint="" if passed or destination is None else f"{source.node} has no route to {destination.node}'s pods",
    )
