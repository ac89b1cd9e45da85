"""A real cluster as it was seen once, to be judged, and to be damaged."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from podnet import config
from podnet.parse import kubernetes
from podnet.planning import ClusterPlan, plan
from podnet.verify.facts import Facts, read
from podnet.verify.report import Pod

FOLDER = Path(__file__).parents[2] / "captured"
NODES = ("master", "node1", "node2")

Damage = Callable[[dict[str, Any]], object]


def text(name: str) -> str:
    return (FOLDER / name).read_text()


def answer(node: str) -> dict[str, Any]:
    """Give the agent's answer on a node, new for everybody who asks."""
    found: dict[str, Any] = json.loads(text(f"{node}.json"))
    return found


def the_plan(**cni: Any) -> ClusterPlan:
    """Give the plan of that cluster, with some of its CNI options changed."""
    values = json.loads(text("cluster.json"))
    return plan(config.load("bench", {**values, "cni": {**values["cni"], **cni}}))


PLAN = the_plan()


def facts(damage: dict[str, Damage] | None = None, kubernetes_damage: Damage = lambda _: None) -> Facts:
    """Give what was seen, after some damage: to nodes' answers by name, and to {nodes, pods} of the API server."""
    answers = {name: answer(name) for name in NODES}
    for name, harm in (damage or {}).items():
        harm(answers[name])
    listed = {"nodes": json.loads(text("nodes.json")), "pods": json.loads(text("pods.json"))}
    kubernetes_damage(listed)
    pods = kubernetes.pods(json.dumps(listed["pods"]))
    return Facts(
        nodes={name: read(name, each) for name, each in answers.items()},
        kubernetes={node.name: node for node in kubernetes.nodes(json.dumps(listed["nodes"]))},
        pods=tuple(Pod(pod.namespace, pod.name, pod.node, pod.address, pod.labels.get("app", "")) for pod in pods),
    )


def edit(program: str, change: Callable[[Any], Any]) -> Damage:
    """Damage the JSON that a program printed: change it in place, or give another."""

    def harm(each: dict[str, Any]) -> None:
        printed = json.loads(each["programs"][program]["output"])
        changed = change(printed)
        each["programs"][program]["output"] = json.dumps(printed if changed is None else changed)

    return harm


def replace(program: str, old: str, new: str) -> Damage:
    """Damage the text that a program printed; the old text has to be there."""

    def harm(each: dict[str, Any]) -> None:
        printed = each["programs"][program]["output"]
        assert old in printed
        each["programs"][program]["output"] = printed.replace(old, new)

    return harm


def rule(line: str) -> Damage:
    """Add a line of iptables' nat table or, of FORWARD, its filter table."""
    anchor = "-A KUBE-MARK-MASQ -j MARK" if "FORWARD" not in line else "-A KUBE-FIREWALL ! -s"
    return replace("iptables-nft", anchor, f"{line}\n{anchor}")
