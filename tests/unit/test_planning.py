"""The plan of the chapter's cluster, word for word."""

from __future__ import annotations

from pathlib import Path

import pytest

from podnet import config
from podnet.planning import ClusterPlan, plan

DEV = Path(__file__).parents[2] / "Pulumi.dev.yaml"


@pytest.fixture(scope="module")
def chapter() -> ClusterPlan:
    return plan(config.from_stack_file(DEV))


def test_a_route_for_every_ordered_pair_of_nodes(chapter: ClusterPlan) -> None:
    assert [f"{route.node}: {route.destination} via {route.gateway} ({route.peer})" for route in chapter.routes] == [
        "master: 10.22.2.0/24 via 10.100.198.201 (node1)",
        "master: 10.22.3.0/24 via 10.100.198.202 (node2)",
        "node1: 10.22.1.0/24 via 10.100.198.200 (master)",
        "node1: 10.22.3.0/24 via 10.100.198.202 (node2)",
        "node2: 10.22.1.0/24 via 10.100.198.200 (master)",
        "node2: 10.22.2.0/24 via 10.100.198.201 (node1)",
    ]


def test_the_bridge_takes_the_first_host_of_each_subnet(chapter: ClusterPlan) -> None:
    assert [(each.node.name, str(each.net_conf.subnet), str(each.net_conf.gateway)) for each in chapter.nodes] == [
        ("master", "10.22.1.0/24", "10.22.1.1"),
        ("node1", "10.22.2.0/24", "10.22.2.1"),
        ("node2", "10.22.3.0/24", "10.22.3.1"),
    ]


def test_no_pod_is_masqueraded_towards_a_pod(chapter: ClusterPlan) -> None:
    for each in chapter.nodes:
        assert each.masquerade.node == each.node.name
        assert each.masquerade.source == each.node.pod_subnet
        assert [str(network) for network in each.masquerade.unmasqueraded] == ["10.22.0.0/16"]


def test_a_node_is_found_by_its_name(chapter: ClusterPlan) -> None:
    assert chapter.of("node1").node.name == "node1"
    with pytest.raises(KeyError):
        chapter.of("node9")


def test_the_cluster_knows_its_roles(chapter: ClusterPlan) -> None:
    assert chapter.cluster.control_plane.name == "master"
    assert [node.name for node in chapter.cluster.workers] == ["node1", "node2"]
