"""The plan of the chapter's cluster, word for word."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from podnet import addressing, config
from podnet.addressing import Family
from podnet.model import Node
from podnet.node import masquerade
from podnet.node.spec import NodeSpec
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
    assert [(each.spec.pod_subnets, each.spec.bridge_addresses) for each in chapter.nodes] == [
        (("10.22.1.0/24",), ("10.22.1.1/24",)),
        (("10.22.2.0/24",), ("10.22.2.1/24",)),
        (("10.22.3.0/24",), ("10.22.3.1/24",)),
    ]


def test_no_pod_is_masqueraded_towards_a_pod_or_another_node(chapter: ClusterPlan) -> None:
    spec = chapter.of("node1").spec
    assert spec.masquerade.pod_subnets == spec.pod_subnets == ("10.22.2.0/24",)
    assert spec.masquerade.non_masquerade_cidrs == ("10.22.0.0/16",)
    assert spec.peers == {"master": ("10.100.198.200",), "node2": ("10.100.198.202",)}


def test_a_spec_travels_as_json(chapter: ClusterPlan) -> None:
    for each in chapter.nodes:
        assert NodeSpec.from_json(json.loads(json.dumps(each.spec.to_json()))) == each.spec


def test_two_families_are_a_route_and_a_table_each(chapter: ClusterPlan) -> None:
    """No config says it yet: the plan, the conf and the rules are written per family already."""

    def both(node: Node, number: int) -> Node:
        address = addressing.parse_address(f"fd00:1::{number}", Family.IPV6)
        subnet = addressing.parse_network(f"fd00:22:{number}::/64", Family.IPV6)
        return replace(node, addresses=(*node.addresses, address), pod_subnets=(*node.pod_subnets, subnet))

    cluster = chapter.cluster
    nodes = tuple(both(node, number) for number, node in enumerate(cluster.nodes, 1))
    node1 = plan(replace(cluster, nodes=nodes)).of("node1")
    assert [str(route) for route in node1.routes_to("master")] == [
        "10.22.1.0/24 via 10.100.198.200",
        "fd00:22:1::/64 via fd00:1::1",
    ]
    assert node1.spec.bridge_addresses == ("10.22.2.1/24", "fd00:22:2::1/64")
    rules = masquerade.rules(node1.spec.masquerade)
    assert "table ip podnet" in rules
    assert "ip6 saddr fd00:22:2::/64 ip6 daddr != @non_masquerade masquerade" in rules


def test_a_node_is_found_by_its_name(chapter: ClusterPlan) -> None:
    assert chapter.of("node1").node.name == "node1"
    with pytest.raises(KeyError):
        chapter.of("node9")


def test_the_cluster_knows_its_roles(chapter: ClusterPlan) -> None:
    assert chapter.cluster.control_plane.name == "master"
    assert [node.name for node in chapter.cluster.workers] == ["node1", "node2"]
