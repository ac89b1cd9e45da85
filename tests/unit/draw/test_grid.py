"""The grid of sources and destinations."""

from __future__ import annotations

import pytest

from podnet.draw.graph import State
from podnet.draw.grid import Cell, Grid, grid
from podnet.planning import ClusterPlan
from podnet.verify.report import Result
from tests.unit.draw import clusters
from tests.unit.draw.clusters import End, result


@pytest.fixture(scope="module")
def pair() -> ClusterPlan:
    return clusters.planned(2)


def find(found: Grid, source: str, destination: str) -> Cell:
    return next(c for _, row in found.rows for c in row if (str(c.source), str(c.destination)) == (source, destination))


def test_every_result_is_in_exactly_one_cell(pair: ClusterPlan) -> None:
    results = clusters.results(pair)
    numbers = [number for _, row in grid(pair, results).rows for cell in row for number in cell.checks]
    assert sorted(numbers) == list(range(len(results)))


def test_the_rows_and_columns_of_a_plan_are_there_before_anything_was_seen(pair: ClusterPlan) -> None:
    found = grid(pair, ())
    assert [str(source) for source, _ in found.rows] == ["pods on master", "pods on node1", "master", "node1"]
    assert found.groups == (("pods on", 2), ("machines", 2), ("Services of pods on", 2))
    assert {cell.state for _, row in found.rows for cell in row} == {State.NOT_TRIED}


def test_one_check_that_fails_is_enough_and_is_read_first(pair: ClusterPlan) -> None:
    source, destination = End("master/a", "master", "10.22.1.2"), End("node1/b", "node1", "10.22.2.3")
    results = [
        result("pod-to-pod-other-node/icmp", source, destination, "reached"),
        result("pod-to-pod-other-node/tcp", source, destination, "10.22.1.2", passed=False),
    ]
    cell = find(grid(pair, results), "pods on master", "pods on node1")
    assert (cell.state, cell.checks, cell.passed) == (State.FAILED, (1, 0), 1)
    assert cell.said == "pods on master to pods on node1: failed, 1 of 2 hold"


@pytest.mark.parametrize(
    ("scenario", "destination", "column"),
    [
        ("pod-to-pod-other-node", End("node1/b", "node1", "10.22.2.3"), "pods on node1"),
        ("pod-to-web-other-node", End("node1/nginx-1", "node1", "10.22.2.4"), "pods on node1"),
        ("pod-to-node-other-node", End("node1", "node1", "10.100.198.201"), "node1"),
        ("pod-to-service-other-node", End("service podnet-b", "node1", "10.96.0.9"), "Services of pods on node1"),
        ("node-to-node-port", End("node port 30000 of master", "node1", ""), "Services of pods on node1"),
        ("pod-to-dns", End("podnet-a.x.svc.cluster.local", "", ""), "DNS"),
        ("pod-to-outside", End("outside", "", "10.100.198.1"), "outside"),
        ("node-state", End("node1", "node1", ""), "own set-up"),
        ("node-state", End("", "", ""), "own set-up"),
        ("pod-to-pod-other-node", End("gone/b", "gone", "10.22.9.3"), "pods on gone"),
    ],
)
def test_where_a_check_leads(pair: ClusterPlan, scenario: str, destination: End, column: str) -> None:
    check: Result = result(f"{scenario}/tcp", End("master/a", "master", ""), destination, "reached")
    assert find(grid(pair, [check]), "pods on master", column).checks == (0,)


def test_groups_stand_over_their_columns(pair: ClusterPlan) -> None:
    found = grid(pair, clusters.results(pair))
    assert sum(count for _, count in found.groups) == len(found.columns)
    over = [group for group, count in found.groups for _ in range(count)]
    assert over == [column.group for column in found.columns]
