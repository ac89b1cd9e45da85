"""Which nodes wait until another one has gone."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from podnet.commands.vagrant import made_with
from podnet.config import load
from podnet.errors import PodnetError
from podnet.lifecycle.stages import Stage, described, first, goes, held, made_again, waits
from podnet.model import Cluster
from podnet.planning import holdings

MASTER = {"name": "master", "role": "control-plane", "address": "10.0.0.10", "podSubnet": "10.22.1.0/24"}


def worker(name: str, address: int, subnet: str = "") -> dict[str, Any]:
    return {
        "name": name,
        "role": "worker",
        "address": f"10.0.0.{address}",
        "podSubnet": subnet or f"10.22.{address}.0/24",
    }


def cluster(*nodes: dict[str, Any]) -> Cluster:
    values = {"machineNetwork": "10.0.0.0/24", "podSubnet": "10.22.0.0/16", "nodes": list(nodes)}
    return load("dev", {**values, "serviceSubnet": "10.96.0.0/16"})


def state(before: Cluster) -> dict[str, Any]:
    machine = "podnet:machine:Machine"
    resources = [
        {"urn": f"urn:pulumi:dev::podnet::{machine}::{node.name}", "type": machine, "outputs": holdings(node)}
        for node in before.nodes
    ]
    return {"deployment": {"resources": [*resources, {"urn": "urn:pulumi:dev::podnet::other::it", "type": "other"}]}}


NODE1, NODE2 = worker("node1", 11), worker("node2", 12)
BEFORE = cluster(MASTER, NODE1, NODE2)


def found(*nodes: dict[str, Any]) -> list[str]:
    return [str(wait) for wait in waits(cluster(*nodes), held(state(BEFORE)))]


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        pytest.param([MASTER, NODE1, NODE2], [], id="the same"),
        pytest.param([MASTER, NODE1, NODE2, worker("node3", 13)], [], id="a node more"),
        pytest.param([MASTER, NODE1], [], id="a node less"),
        pytest.param([MASTER, NODE1, worker("node3", 13)], [], id="another node"),
        pytest.param([MASTER, NODE1, worker("node2", 22, "10.22.12.0/24")], [], id="another address"),
        pytest.param(
            [MASTER, NODE1, worker("node9", 12)],
            [
                "node9 takes the address 10.0.0.12 of node2",
                "node9 takes the pod subnet 10.22.12.0/24 of node2",
            ],
            id="a rename",
        ),
        pytest.param(
            [MASTER, NODE1, worker("node9", 19, "10.22.12.128/25")],
            ["node9 takes the pod subnet 10.22.12.128/25 of node2"],
            id="a part of the subnet of one that goes",
        ),
        pytest.param(
            [MASTER, worker("node1", 11, "10.22.12.0/24"), worker("node2", 12, "10.22.11.0/24")],
            [],
            id="subnets of nodes that stay are exchanged",
        ),
        pytest.param(
            [MASTER, worker("node1", 13, "10.22.11.0/24"), worker("node3", 11, "10.22.13.0/24")],
            ["node3 takes the address 10.0.0.11 of node1"],
            id="the address of one that moves",
        ),
    ],
)
def test_who_waits_for_whom(nodes: list[dict[str, Any]], expected: list[str]) -> None:
    assert found(*nodes) == expected


def test_a_host_is_held_by_its_login() -> None:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"

    def at(node: dict[str, Any], host: str, **more: Any) -> dict[str, Any]:
        return {**node, "ssh": {"host": host, "user": "u", "hostKey": key, "agent": True, **more}}

    def of(*nodes: dict[str, Any]) -> Cluster:
        values = {"provider": "ssh", "machineNetwork": "10.0.0.0/24", "podSubnet": "10.22.0.0/16"}
        return load("dev", {**values, "serviceSubnet": "10.96.0.0/16", "nodes": list(nodes)})

    before = held(state(of(at(MASTER, "m"), at(NODE1, "h1"))))
    bastion = {"host": "b", "user": "u", "hostKey": key, "agent": True}
    renamed = of(at(MASTER, "m"), at(worker("node9", 19), "h1"))
    elsewhere = of(at(MASTER, "m"), at(worker("node9", 19), "h1", bastion=bastion))
    assert [str(wait) for wait in waits(renamed, before)] == ["node9 takes the host h1:22 of node1"]
    assert waits(elsewhere, before) == []


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ("node9-vm", True),
        ("node9-x-vm", False),
        ("node1-route-to-node9", True),
        ("node9-route-to-node1", True),
        ("node1-route-to-node9-x", False),
        ("node1-vm", False),
        ("verify", False),
        ("kubeadm-init", False),
    ],
)
def test_what_goes_with_a_node(resource: str, expected: bool) -> None:
    nodes = cluster(MASTER, NODE1, worker("node9-x", 19))
    assert goes(nodes, ["master", "node1", "node9", "node9-x"])(resource) is expected


def test_a_state_of_before_says_nothing() -> None:
    old = state(BEFORE)
    for resource in old["deployment"]["resources"]:
        resource.pop("outputs", None)
    assert held(old) == {}
    assert held({}) == {}
    old["deployment"]["resources"][0]["outputs"] = holdings(BEFORE.nodes[0])
    assert held(old) == {}, "the other nodes would be taken for gone"


def names(stage: Stage | None) -> list[str]:
    assert stage is not None
    return [node.name for node in stage.cluster.nodes]


def test_what_goes_is_taken_away_first() -> None:
    after = cluster(MASTER, NODE1, worker("node9", 12))
    stage = first(after, held(state(BEFORE)))
    assert names(stage) == ["master", "node1"]
    assert stage is not None
    assert "node9 takes the address 10.0.0.12 of node2" in stage.why
    assert first(after, held(state(stage.cluster))) is None


def test_who_stays_is_changed_after_what_goes_has_gone() -> None:
    """The routes of a node that goes are of before: with another subnet of the master its pods get no answer there."""
    after = cluster({**MASTER, "podSubnet": "10.22.77.0/24"}, worker("node1", 13, "10.22.11.0/24"))
    stage = first(after, held(state(BEFORE)))
    assert stage is not None
    held_then = {node.name: (str(node.address), str(node.pod_subnet)) for node in stage.cluster.nodes}
    assert held_then == {"master": ("10.0.0.10", "10.22.1.0/24"), "node1": ("10.0.0.11", "10.22.11.0/24")}
    assert "master changes while node2 is still there" in stage.why
    assert first(after, held(state(stage.cluster))) is None


def test_who_takes_the_place_of_one_that_moves_comes_after_it() -> None:
    after = cluster(MASTER, worker("node1", 13, "10.22.11.0/24"), NODE2, worker("node3", 11, "10.22.14.0/24"))
    stage = first(after, held(state(BEFORE)))
    assert names(stage) == ["master", "node1", "node2"]
    assert stage is not None
    assert str(stage.cluster.nodes[1].address) == "10.0.0.13"
    assert first(after, held(state(stage.cluster))) is None


@pytest.mark.parametrize(
    "nodes", [[MASTER, NODE1], [MASTER, NODE1, NODE2, worker("node3", 13)], [MASTER, NODE1, NODE2]]
)
def test_other_changes_take_one_deployment(nodes: list[dict[str, Any]]) -> None:
    assert first(cluster(*nodes), held(state(BEFORE))) is None
    assert first(cluster(*nodes), {}) is None


def test_a_stage_is_a_stack_s_file_with_other_nodes() -> None:
    stage = first(cluster(MASTER, NODE1, worker("node9", 12)), held(state(BEFORE)))
    assert stage is not None
    text = described(stage, "encryptionsalt: v1:x\nconfig:\n  podnet:podSubnet: 10.22.0.0/16\n  other:key: 1\n")
    document = yaml.safe_load(text)
    assert document["encryptionsalt"] == "v1:x"
    assert document["config"]["other:key"] == 1
    assert [node["name"] for node in document["config"]["podnet:nodes"]] == ["master", "node1"]


@pytest.mark.parametrize(
    ("nodes", "missing"),
    [
        ([MASTER, worker("node8", 11), worker("node9", 12)], "worker"),
        ([MASTER, worker("node1", 12, "10.22.11.0/24"), worker("node2", 11, "10.22.12.0/24")], "worker"),
        ([{**MASTER, "name": "head"}, NODE1, NODE2], "control-plane"),
    ],
    ids=["every worker renamed", "addresses exchanged", "the control plane renamed"],
)
def test_a_change_without_a_cluster_in_between_is_refused(nodes: list[dict[str, Any]], missing: str) -> None:
    with pytest.raises(PodnetError, match=f"no {missing} meanwhile"):
        first(cluster(*nodes), held(state(BEFORE)))


def test_machines_that_a_change_makes_again() -> None:
    """Nothing in them is asked to undo itself: with the control plane goes the API server that would be asked."""
    after = cluster(MASTER, {**NODE1, "memory": 3072}, NODE2, worker("node3", 13))
    machine = "urn:pulumi:dev::podnet::podnet:machine:Machine$command:local:Command::"
    triggers = {node.name: json.loads(json.dumps(made_with(BEFORE, node))) for node in BEFORE.nodes}
    resources = [
        {"urn": f"{machine}{name}-vm", "custom": True, "inputs": {"triggers": each}} for name, each in triggers.items()
    ]
    assert made_again(after, {"deployment": {"resources": resources}}) == ["node1-vm"]
    assert made_again(BEFORE, {"deployment": {"resources": resources}}) == []
    assert made_again(BEFORE, {}) == []
