"""The checks by pair of places."""

from __future__ import annotations

import pytest

from podnet.draw.evidence import State
from podnet.draw.pair_matrix import PairCell, PairMatrix, pair_matrix
from podnet.planning import ClusterPlan
from podnet.verify.check import Endpoint, EndpointKind, PathKind, Scenario
from tests.unit.draw import clusters
from tests.unit.draw.clusters import node_end, pod_end, result


@pytest.fixture(scope="module")
def pair() -> ClusterPlan:
    return clusters.planned(2)


def find(found: PairMatrix, source: str, destination: str) -> PairCell:
    return next(c for _, row in found.rows for c in row if (str(c.source), str(c.destination)) == (source, destination))


def test_every_result_is_in_exactly_one_cell(pair: ClusterPlan) -> None:
    results = clusters.results(pair)
    numbers = [number for _, row in pair_matrix(pair, results).rows for cell in row for number in cell.checks]
    assert sorted(numbers) == list(range(len(results)))


def test_the_rows_and_columns_of_a_plan_are_there_before_anything_was_seen(pair: ClusterPlan) -> None:
    found = pair_matrix(pair, ())
    assert [str(source) for source, _ in found.rows] == ["pods on master", "pods on node1", "master", "node1"]
    assert found.groups == (("pods on", 2), ("machines", 2), ("Services of pods on", 2))
    assert {cell.state for _, row in found.rows for cell in row} == {State.NOT_TRIED}


def test_one_check_that_fails_is_enough_and_is_read_first(pair: ClusterPlan) -> None:
    ends = pod_end("master", "a", "10.22.1.2"), pod_end("node1", "b", "10.22.2.3")
    scenario = Scenario(PathKind.POD_TO_POD)
    results = [
        result(scenario, "icmp", *ends, "reached"),
        result(scenario, "tcp", *ends, "10.22.1.2", passed=False),
    ]
    cell = find(pair_matrix(pair, results), "pods on master", "pods on node1")
    assert (cell.state, cell.checks, cell.passed) == (State.FAILED, (1, 0), 1)
    assert cell.label == "pods on master to pods on node1: failed, 1 of 2 hold"


@pytest.mark.parametrize(
    ("path", "destination", "column"),
    [
        (PathKind.POD_TO_POD, pod_end("node1", "b", "10.22.2.3"), "pods on node1"),
        (PathKind.POD_TO_WEB, pod_end("node1", "nginx-1", "10.22.2.4"), "pods on node1"),
        (PathKind.POD_TO_WEB, Endpoint(EndpointKind.POD, "nginx pod 2 of 2", "", ""), "nginx pod 2 of 2"),
        (PathKind.POD_TO_NODE, node_end("node1", "10.100.198.201"), "node1"),
        (
            PathKind.POD_TO_SERVICE,
            Endpoint(EndpointKind.SERVICE, "x", "node1", "10.96.0.9"),
            "Services of pods on node1",
        ),
        (PathKind.NODE_PORT, Endpoint(EndpointKind.NODE_PORT, "x", "node1", ""), "Services of pods on node1"),
        (PathKind.DNS, Endpoint(EndpointKind.NAME, "podnet-a.x.svc.cluster.local", "", ""), "DNS"),
        (PathKind.EGRESS, Endpoint(EndpointKind.OUTSIDE, "outside", "", "10.100.198.1"), "outside"),
        (PathKind.NODE_STATE, node_end("node1"), "own set-up"),
        (PathKind.NODE_STATE, None, "own set-up"),
        (PathKind.POD_TO_POD, pod_end("gone", "b", "10.22.9.3"), "pods on gone"),
    ],
)
def test_where_a_check_leads(pair: ClusterPlan, path: PathKind, destination: Endpoint | None, column: str) -> None:
    check = result(Scenario(path), "tcp", pod_end("master", "a", ""), destination, "reached")
    assert find(pair_matrix(pair, [check]), "pods on master", column).checks == (0,)


def test_groups_stand_over_their_columns(pair: ClusterPlan) -> None:
    found = pair_matrix(pair, clusters.results(pair))
    assert sum(count for _, count in found.groups) == len(found.columns)
    over = [group for group, count in found.groups for _ in range(count)]
    assert over == [column.group for column in found.columns]
