"""Reads the API server's Nodes and Pods, as ``kubectl get -o json`` prints them, as far as the network goes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from podnet.errors import PodnetError


@dataclass(frozen=True, slots=True)
class KubernetesNode:
    """A Node. internal_addresses: every InternalIP. pod_cidr: empty where it has none."""

    name: str
    internal_addresses: tuple[str, ...]
    pod_cidr: str


@dataclass(frozen=True, slots=True)
class KubernetesPod:
    """A pod that holds an address of the pod network: not one in its node's network, and not one that has ended."""

    namespace: str
    name: str
    labels: Mapping[str, str]
    node: str
    address: str


def nodes(text: str) -> tuple[KubernetesNode, ...]:
    """Read a list of Nodes. Raises PodnetError for anything else."""
    return tuple(_node(item) for item in _items(text, "nodes"))


def pods(text: str) -> tuple[KubernetesPod, ...]:
    """Read a list of Pods; those without an address of the pod network are left out.

    Raises PodnetError for anything else.
    """
    found = []
    for item in _items(text, "pods"):
        try:
            metadata, spec, status = item["metadata"], item["spec"], item["status"]
            ended = status.get("phase") in ("Succeeded", "Failed") or "deletionTimestamp" in metadata
            if spec.get("hostNetwork") or ended or not status.get("podIP"):
                continue
            labels = dict(metadata.get("labels", {}))
            found.append(
                KubernetesPod(metadata["namespace"], metadata["name"], labels, spec["nodeName"], status["podIP"])
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise PodnetError(f"kubectl printed a pod without {error}") from None
    return tuple(found)


def _node(item: Mapping[str, Any]) -> KubernetesNode:
    try:
        addresses = item["status"].get("addresses", [])
        internal = tuple(each["address"] for each in addresses if each["type"] == "InternalIP")
        return KubernetesNode(item["metadata"]["name"], internal, item["spec"].get("podCIDR", ""))
    except (KeyError, TypeError, AttributeError) as error:
        raise PodnetError(f"kubectl printed a node without {error}") from None


def _items(text: str, what: str) -> list[Any]:
    try:
        items = json.loads(text)["items"]
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        raise PodnetError(f"the output of `kubectl get {what}` is not a list of them") from error
    if not isinstance(items, list):
        raise PodnetError(f"the output of `kubectl get {what}` is not a list of them")
    return items
