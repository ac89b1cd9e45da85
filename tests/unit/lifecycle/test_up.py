"""The deployments that a change takes, and what is marked in the state before each; the engine is the test's own."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from podnet.commands.vagrant import made_with
from podnet.config import dump, from_stack_file, load
from podnet.errors import PodnetError
from podnet.lifecycle.engine import Engine
from podnet.lifecycle.places import places
from podnet.lifecycle.scratch import Scratch
from podnet.lifecycle.up import deploy, up
from podnet.lifecycle.workspace import Workspace
from podnet.model import Cluster
from podnet.planning import holdings

MASTER = {"name": "master", "role": "control-plane", "address": "10.0.0.10", "podSubnet": "10.22.1.0/24"}
NODE1 = {"name": "node1", "role": "worker", "address": "10.0.0.11", "podSubnet": "10.22.11.0/24"}
NODE2 = {"name": "node2", "role": "worker", "address": "10.0.0.12", "podSubnet": "10.22.12.0/24"}
NODE9 = {**NODE2, "name": "node9"}
URN = "urn:pulumi:dev::podnet::podnet:machine:Machine"


def cluster(*nodes: dict[str, Any]) -> Cluster:
    values = {"machineNetwork": "10.0.0.0/24", "podSubnet": "10.22.0.0/16", "nodes": list(nodes)}
    return load("dev", {**values, "serviceSubnet": "10.96.0.0/16"})


def state_of(made: Cluster) -> dict[str, Any]:
    """What the engine keeps of a cluster that it has deployed, as far as it matters here; without any mark."""
    resources: list[dict[str, Any]] = []
    for node in made.nodes:
        machine = f"{URN}$command:local:Command::{node.name}-vm"
        resources += [
            {"urn": f"{URN}::{node.name}", "type": "podnet:machine:Machine", "outputs": holdings(node)},
            {"urn": machine, "custom": True, "inputs": {"triggers": json.loads(json.dumps(made_with(made, node)))}},
            {"urn": f"{URN}$x::{node.name}-join", "deletedWith": machine},
        ]
    return {"version": 3, "deployment": {"resources": resources}}


class Deployments:
    """An engine that deploys at once what a stack's file describes, and notes what was marked when it did."""

    def __init__(self, folder: Path, before: Cluster, after: Cluster) -> None:
        self.workspace = Workspace("dev", places({"HOME": str(folder)}), Path("/python"))
        self.scratch = Scratch(folder / "scratch", -1)
        self.scratch.folder.mkdir()
        self.kept, self.after = state_of(before), after
        self.options: list[tuple[str, ...]] = []
        self.marked: list[list[str]] = []
        (folder / "Pulumi.dev.yaml").write_text(stack_file(after))

    def state(self) -> dict[str, Any]:
        return deepcopy(self.kept)

    def put_state(self, state: dict[str, Any]) -> None:
        self.kept = deepcopy(state)

    def show(self, *arguments: str) -> bool:
        self.options.append(arguments[3:])
        resources = self.kept["deployment"]["resources"]
        self.marked.append([each["urn"].rpartition("::")[2] for each in resources if each.get("retainOnDelete")])
        staged = arguments[3].removeprefix("--config-file=")
        made = from_stack_file(Path(staged)) if staged != arguments[3] else self.after
        self.kept = state_of(made)
        return True

    def deploy(self, *replace: str) -> bool:
        return deploy(cast(Engine, self), self.after, self.state(), ["--diff"], replace)


def stack_file(described: Cluster) -> str:
    return yaml.safe_dump({"config": {f"podnet:{key}": value for key, value in dump(described).items()}})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("podnet.lifecycle.workspace.ROOT", tmp_path)
    return tmp_path


BEFORE = cluster(MASTER, NODE1, NODE2)


def test_a_change_takes_one_deployment_and_marks_nothing(folder: Path) -> None:
    pulumi = Deployments(folder, BEFORE, cluster(MASTER, NODE1))
    assert pulumi.deploy()
    assert (pulumi.options, pulumi.marked) == ([("--refresh", "--diff")], [[]])


def test_a_replaced_machine_is_given_up(folder: Path) -> None:
    pulumi = Deployments(folder, BEFORE, BEFORE)
    assert pulumi.deploy("node2")
    assert (pulumi.options, pulumi.marked) == ([("--replace=**:Command::node2-vm", "--diff")], [["node2-join"]])


def test_every_deployment_has_its_own_marks(folder: Path) -> None:
    """Each takes them off again: the machine that a later one replaces would be asked to undo what is on it."""
    after = cluster({**MASTER, "memory": 3072}, NODE1, NODE9)
    pulumi = Deployments(folder, BEFORE, after)
    assert pulumi.deploy("node1")
    assert [each[0].partition("=")[0] for each in pulumi.options] == ["--config-file", "--replace"]
    # The first replaces the master's machine already, so the second has no need to.
    assert pulumi.marked == [["master-join", "node1-join"], ["node1-join"]]


def test_what_changes_with_the_last_of_several_deployments_is_given_up_then(folder: Path) -> None:
    """A node that goes, and a control plane that moves: it stays where it is until the node has gone."""
    pulumi = Deployments(folder, BEFORE, cluster({**MASTER, "address": "10.0.0.20"}, NODE1))
    assert pulumi.deploy()
    assert pulumi.marked == [[], ["master-join"]]


def test_a_deployment_that_fails_is_the_last(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pulumi = Deployments(folder, BEFORE, cluster(MASTER, NODE1, NODE9))
    monkeypatch.setattr(pulumi, "show", lambda *_: False)
    assert not pulumi.deploy()
    assert pulumi.kept == state_of(BEFORE)


def test_a_node_to_replace_has_to_be_there(folder: Path) -> None:
    pulumi = Deployments(folder, BEFORE, BEFORE)
    with pytest.raises(PodnetError, match=r"there is no node node7 to replace; the stack has master, node1, node2"):
        up(pulumi.workspace, replace=["node1", "node7"])
