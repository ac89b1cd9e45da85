"""What the picture says of a plan and of a report: the states, and why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from podnet.draw import labels
from podnet.draw.evidence import State, worst
from podnet.draw.graph import DrawnRoute, Graph, graph
from podnet.draw.html import page
from podnet.draw.mermaid import flowchart
from podnet.draw.svg import picture
from podnet.node.spec import Route
from podnet.planning import ClusterPlan
from podnet.verify.check import EndpointKind, PathKind, Scenario
from podnet.verify.report import Pod, Report
from tests.unit.draw import clusters


@pytest.fixture(scope="module")
def chapter() -> ClusterPlan:
    return clusters.planned(3)


def states(drawn: Graph) -> dict[str, str]:
    """Each route's state, by where it leads."""
    return {f"{route.node} -> {route.peer or route.gateway}": route.evidence.state for route in drawn.routes}


def edge(drawn: Graph, node: str, gateway: str) -> DrawnRoute:
    return next(route for route in drawn.routes if (route.node, route.gateway) == (node, gateway))


def test_from_the_plan_alone_everything_is_planned(chapter: ClusterPlan) -> None:
    drawn = graph(chapter)
    assert set(states(drawn).values()) == {State.PLANNED}
    assert len(drawn.routes) == 6
    assert drawn.leaving.state is State.PLANNED
    assert drawn.verdict == ""
    master = drawn.machines[0]
    assert (master.name, master.role, master.address) == ("master", "control-plane", "10.100.198.200")
    assert (master.bridge, master.bridge_address, master.pod_subnet) == ("cni0", "10.22.1.1", "10.22.1.0/24")
    assert (master.first_pod, master.last_pod) == ("10.22.1.2", "10.22.1.254")
    # Nobody has looked: no pods and no name of an interface are made up.
    assert master.pods is None
    assert master.interface == ""


def test_where_everything_holds_everything_has_passed(chapter: ClusterPlan) -> None:
    drawn = graph(chapter, clusters.report(chapter))
    assert set(states(drawn).values()) == {State.PASSED}
    assert {machine.local.state for machine in drawn.machines} == {State.PASSED}
    assert drawn.leaving.state is State.PASSED
    assert [machine.interface for machine in drawn.machines] == ["eth1"] * 3
    assert [(pod.name, pod.address) for pod in drawn.machines[1].pods or ()] == [
        ("nginx-7d9c5b8f6-x2k40", "10.22.2.2"),
        ("nginx-7d9c5b8f6-x2k41", "10.22.2.3"),
    ]
    assert drawn.verdict == "passed: all 60 checks hold, in 8.1 s"


def test_a_lost_route_is_drifted_and_fails_exactly_the_pairs_that_need_it(chapter: ClusterPlan) -> None:
    drawn = graph(chapter, clusters.broken_report(chapter))
    assert states(drawn) == {
        "master -> node1": State.PASSED,
        "master -> node2": State.PASSED,
        "master -> 10.100.198.77": State.DRIFTED,
        "node1 -> master": State.PASSED,
        "node1 -> node2": State.FAILED,
        "node2 -> master": State.PASSED,
        "node2 -> node1": State.DRIFTED,
    }
    failed = edge(drawn, "node1", "10.100.198.202").evidence
    assert failed.note == "4 of 4 checks"
    assert failed.details[1] == (
        "pod-to-pod-other-node/tcp: node1/a (10.22.2.2) -> node2/b (10.22.3.3): "
        "expected 10.22.2.2, seen not reached: timed out"
    )
    lost = edge(drawn, "node2", "10.100.198.201").evidence
    assert lost.note == "not in the kernel"
    # The checks that fail by it are kept.
    assert len(lost.details) == 4
    assert edge(drawn, "master", "10.100.198.77").evidence.note == "not in the plan"


def test_a_route_by_another_next_hop_is_drifted_twice(chapter: ClusterPlan) -> None:
    report = clusters.report(chapter)
    wrong = tuple(
        replace(route, peer="node2", gateway="10.100.198.202")
        if (route.node, route.destination) == ("master", "10.22.2.0/24")
        else route
        for route in report.routes
    )
    drawn = graph(chapter, replace(report, routes=wrong))
    drifted = [route for route in drawn.routes if route.evidence.state is State.DRIFTED]
    assert [(r.node, r.peer, r.destination, r.gateway, r.evidence.note) for r in drifted] == [
        ("master", "node1", "10.22.2.0/24", "10.100.198.201", "not in the kernel"),
        ("master", "node2", "10.22.2.0/24", "10.100.198.202", "not in the plan"),
    ]


@pytest.mark.parametrize("gateway", ["10.100.198.200", "10.100.198.77"])
def test_a_route_to_no_other_machine_ends_in_nothing(chapter: ClusterPlan, gateway: str) -> None:
    """Its next hop is the machine's own address, or nobody's."""
    report = clusters.report(chapter)
    peer = "master" if gateway == "10.100.198.200" else ""
    extra = Route("master", peer, "10.22.77.0/24", gateway, clusters.DEVICE)
    drawn = graph(chapter, replace(report, routes=(*report.routes, extra)))
    assert [str(route) for route in drawn.routes if not route.reaches] == [f"10.22.77.0/24 via {gateway}"]
    assert picture(drawn).count('class="head drifted"') == 0
    assert f"10.22.77.0/24 via {gateway} (not in the plan)" in flowchart(drawn)


def test_a_pair_that_no_check_took_is_not_tried(chapter: ClusterPlan) -> None:
    report = clusters.report(chapter)
    fewer = tuple(result for result in report.results if result.source.node != "node1")
    drawn = graph(chapter, replace(report, results=fewer))
    assert states(drawn)["node1 -> node2"] == State.NOT_TRIED
    assert states(drawn)["node2 -> node1"] == State.PASSED
    assert drawn.machines[1].local.state is State.NOT_TRIED
    assert drawn.leaving.state is State.NOT_TRIED


def test_checks_that_could_not_be_made_are_drawn_as_such(chapter: ClusterPlan) -> None:
    report = clusters.report(chapter)
    results = tuple(
        replace(r, passed=False, untried="no gateway") if r.scenario.path is PathKind.EGRESS else r
        for r in report.results
    )
    report = replace(report, results=results)
    drawn = graph(chapter, report)
    assert drawn.state is State.NOT_TRIED
    assert drawn.leaving.state is State.NOT_TRIED
    assert drawn.machines[0].leaving.details[0].endswith(": not tried: no gateway")
    assert 'class="status not-tried strong"' in picture(drawn)
    assert "not proved: 3 of 60 checks were not tried" in flowchart(drawn)
    shown = page(chapter, report)
    sign = labels.SIGNS[State.NOT_TRIED]
    assert f'<p class="verdict not-tried"><span aria-hidden="true">{sign}</span> not proved: 3 of 60' in shown
    assert shown.count("<td>no gateway</td>") == 3
    one = replace(report, results=(*results, replace(results[0], passed=False)))
    assert graph(chapter, one).state is State.FAILED


def test_the_outside_is_where_it_was_tried(chapter: ClusterPlan) -> None:
    report = clusters.report(chapter)
    assert graph(chapter, report).outside == graph(chapter).outside == "10.100.198.1"
    results = tuple(
        replace(r, destination=replace(r.destination, address="192.0.2.9"))
        if r.destination and r.destination.kind is EndpointKind.OUTSIDE
        else r
        for r in report.results
    )
    assert graph(chapter, replace(report, results=results)).outside == "192.0.2.9"


def test_a_service_or_a_node_that_fails_says_nothing_of_the_route(chapter: ClusterPlan) -> None:
    report = clusters.report(chapter)
    paths = (PathKind.POD_TO_SERVICE, PathKind.POD_TO_NODE, PathKind.DNS)
    results = tuple(replace(r, passed=r.scenario.path not in paths) for r in report.results)
    drawn = graph(chapter, replace(report, results=results))
    assert set(states(drawn).values()) == {State.PASSED}
    assert drawn.verdict.startswith("failed")


def test_one_machine_that_cannot_leave_is_enough(chapter: ClusterPlan) -> None:
    report = clusters.report(chapter)
    results = tuple(
        replace(r, passed=False) if (r.scenario.path, r.source.node) == (PathKind.EGRESS, "node2") else r
        for r in report.results
    )
    drawn = graph(chapter, replace(report, results=results))
    assert [machine.leaving.state for machine in drawn.machines] == [State.PASSED, State.PASSED, State.FAILED]
    assert drawn.leaving.state is State.FAILED


def test_a_pod_outside_its_nodes_subnet_is_misplaced(chapter: ClusterPlan) -> None:
    pods = (
        Pod("default", "right", "node1", "10.22.2.9"),
        Pod("default", "wrong", "node1", "10.22.3.9"),
        Pod("default", "none", "node1", ""),
        Pod("default", "gone", "node9", "10.22.9.9"),
    )
    drawn = graph(chapter, Report((), pods, (), 1.0))
    assert [(pod.name, pod.misplaced) for pod in drawn.machines[1].pods or ()] == [
        ("right", False),
        ("wrong", True),
        ("none", True),
    ]
    assert drawn.machines[1].local.state is State.DRIFTED
    assert drawn.machines[1].local.note == "2 pods are not in the subnet"
    assert drawn.machines[1].local.details[0] == "default/wrong has 10.22.3.9"
    assert drawn.machines[0].pods == ()
    assert drawn.machines[0].local.state is State.NOT_TRIED
    assert [pod.name for pod in drawn.unplanned] == ["gone"]


@pytest.mark.parametrize(
    ("action", "peer", "drifted"),
    [
        ("bridge", "", ["local node1"]),
        ("masquerade", "", ["leaving node1"]),
        ("route", "node2", ["route node1 node2"]),
        ("cni-conf", "", []),
    ],
)
def test_what_is_not_as_planned_on_a_node_has_drifted(
    chapter: ClusterPlan, action: str, peer: str, drifted: list[str]
) -> None:
    report = clusters.report(chapter)
    here, there = clusters.node_end("node1"), clusters.node_end(peer) if peer else None
    found = clusters.result(Scenario(PathKind.NODE_STATE), action, here, there, "the plan's", passed=False)
    drawn = graph(chapter, replace(report, results=(*report.results, found)))
    everything = {
        **{f"local {machine.name}": machine.local for machine in drawn.machines},
        **{f"leaving {machine.name}": machine.leaving for machine in drawn.machines},
        **{f"route {route.node} {route.peer}": route.evidence for route in drawn.routes},
    }
    assert [name for name, evidence in everything.items() if evidence.state is not State.PASSED] == drifted
    for name in drifted:
        assert everything[name].state is State.DRIFTED
        assert everything[name].details[0].startswith(f"node-state/{action}: node1")


def test_interfaces_are_those_that_routes_leave_by(chapter: ClusterPlan) -> None:
    seen = (
        Route("node1", "master", "10.22.1.0/24", "10.100.198.200", "eth1"),
        Route("node1", "node2", "10.22.3.0/24", "10.100.198.202", "eth0"),
    )
    drawn = graph(chapter, Report((), (), seen, 1.0))
    assert [machine.interface for machine in drawn.machines] == ["", "eth0, eth1", ""]


def test_the_state_that_stands_for_several() -> None:
    assert worst([State.PASSED, State.DRIFTED, State.FAILED]) is State.FAILED
    assert worst([State.PASSED, State.NOT_TRIED]) is State.NOT_TRIED
    assert worst([]) is State.PLANNED
