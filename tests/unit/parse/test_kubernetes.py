"""Nodes and Pods, as a real API server tells of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from podnet.errors import PodnetError
from podnet.parse import kubernetes
from podnet.parse.kubernetes import KubernetesNode

CAPTURED = Path(__file__).parents[2] / "captured"


def pods(**changes: Any) -> list[str]:
    item: dict[str, Any] = {
        "metadata": {"namespace": "default", "name": "a", "labels": {"app": "x"}},
        "spec": {"nodeName": "node1"},
        "status": {"phase": "Running", "podIP": "10.25.2.2"},
    }
    for key, value in changes.items():
        item[key].update(value)
    found = kubernetes.pods(json.dumps({"items": [item]}))
    return [f"{pod.namespace}/{pod.name} {pod.node} {pod.address}" for pod in found]


def test_nodes() -> None:
    assert kubernetes.nodes((CAPTURED / "nodes.json").read_text())[1] == KubernetesNode(
        "node1", ("10.100.196.201",), "10.25.2.0/24"
    )


def test_pods_of_the_pod_network() -> None:
    found = kubernetes.pods((CAPTURED / "pods.json").read_text())
    assert {pod.namespace.partition("-verify")[0] for pod in found} == {"default", "kube-system", "podnet"}
    assert not [pod for pod in found if pod.address.startswith("10.100.")]


def test_a_pod() -> None:
    assert pods() == ["default/a node1 10.25.2.2"]


@pytest.mark.parametrize(
    "changes",
    [
        {"spec": {"hostNetwork": True}},
        {"status": {"phase": "Succeeded"}},
        {"status": {"phase": "Failed"}},
        {"status": {"podIP": ""}},
        {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}},
    ],
)
def test_pods_without_an_address_of_their_own(changes: dict[str, Any]) -> None:
    assert pods(**changes) == []


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"items": {}}', '{"items": [{}]}', '{"items": [7]}'])
def test_anything_else_is_refused(text: str) -> None:
    for reader in (kubernetes.nodes, kubernetes.pods):
        with pytest.raises(PodnetError):
            reader(text)
