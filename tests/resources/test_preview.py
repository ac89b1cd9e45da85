"""What a preview needs: nothing but the checkout and the toolchain, whether the stack is up somewhere or not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from podnet.lifecycle.state import urn_of
from podnet.review.steps import declared, logged, proposed, steps
from tests.conftest import dev_config
from tests.resources.elsewhere import as_earlier, import_state
from tests.resources.engine import Engine

DEV = dev_config()
NODE3 = "    - {name: node3, role: worker, address: 10.100.198.203, podSubnet: 10.22.4.0/24, memory: 2048, cpus: 2}\n"

NODE2 = next(line for line in DEV.splitlines(keepends=True) if "name: node2" in line)
CHANGES = {
    "a node more": DEV + NODE3,
    "a node less": DEV.replace(NODE2, ""),
    "another node": DEV.replace(NODE2, NODE3),
    "more memory": DEV.replace(NODE2, NODE2.replace("2048", "3072")),
    "another pod subnet": DEV.replace("10.22.3.0/24", "10.22.9.0/24"),
    "another address": DEV.replace("10.100.198.202", "10.100.198.212"),
    "another control plane": DEV.replace("10.100.198.200", "10.100.198.210"),
    "another MTU": DEV + "  podnet:cni: {mtu: 1400}\n",
    "another bridge": DEV + "  podnet:cni: {bridge: br0}\n",
    "another image": DEV + "  podnet:images: {nginx: podnet.local/nginx:1.23}\n",
    "other Services": DEV.replace("10.96.0.0/16", "10.97.0.0/16"),
    "another gateway": DEV + "  podnet:gateway: 10.100.198.254\n",
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory, toolchain_bin: Path) -> Engine:
    return Engine.at(tmp_path_factory.mktemp("engine"), toolchain_bin)


@pytest.fixture(scope="module")
def elsewhere(engine: Engine) -> Path:
    """A project with the state of a stack that is up where nobody reaches it."""
    project = engine.podnet("elsewhere")
    import_state(engine, project)
    return project


@pytest.fixture(scope="module")
def fresh(engine: Engine) -> Path:
    """A project whose stack is new, as in a clone."""
    project = engine.podnet("fresh")
    engine.run(project, "stack", "init", "dev")
    return project


def steps_of(engine: Engine, project: Path, config: str) -> list[dict[str, Any]]:
    """The steps of a preview under another config."""
    file = project / "Pulumi.dev.yaml"
    kept = file.read_text()
    salt = "".join(line for line in kept.splitlines(keepends=True) if line.startswith("encryptionsalt"))
    file.write_text(config + salt)
    try:
        return list(json.loads(engine.run(project, "preview", "--stack", "dev", "--json"))["steps"])
    finally:
        file.write_text(kept)


def changes(engine: Engine, project: Path, config: str) -> dict[str, str]:
    """What a preview would do to each resource under another config, but to what makes nothing on a node."""
    found: dict[str, str] = {}
    for step in steps_of(engine, project, config):
        state = step.get("newState") or step["oldState"]
        apart = state["type"].startswith(("pulumi:providers:", "pulumi-python:dynamic/podnet:NodeState"))
        if step["op"] != "same" and state.get("custom") and not apart:
            # A replacement is three steps; the two others say which half they are.
            word = "replace" if "replace" in step["op"] or "replaced" in step["op"] else step["op"]
            found[step["urn"].rpartition("::")[2]] = word
    return found


def test_a_stack_that_is_up_elsewhere_is_previewed_unreached(engine: Engine, elsewhere: Path) -> None:
    engine.run(elsewhere, "preview", "--stack", "dev", "--expect-no-changes")


def test_a_stack_of_an_earlier_version_keeps_its_resources(engine: Engine, elsewhere: Path) -> None:
    """Its commands stood in other components, and a token had another name."""
    project = engine.podnet("earlier")
    engine.run(project, "stack", "init", "dev")
    state = json.loads(engine.run(elsewhere, "stack", "export", "--stack", "dev"))
    file = engine.home / "earlier.json"
    file.write_text(json.dumps(as_earlier(state)))
    engine.run(project, "stack", "import", "--stack", "dev", "--file", str(file))
    assert "PodNetwork::node1-pod-network" in engine.run(project, "stack", "export", "--stack", "dev")
    assert changes(engine, project, DEV) == {}


def test_a_node_more_touches_no_other_machine(engine: Engine, elsewhere: Path) -> None:
    found = changes(engine, elsewhere, CHANGES["a node more"])
    routes = {f"{node}-route-to-node3" for node in ("master", "node1", "node2")}
    assert {name for name in found if not name.startswith("node3-")} == {
        "vagrant-folder", "ssh-config", "verify", *routes,
    }  # fmt: skip


def test_another_gateway_makes_every_machine_anew(engine: Engine, elsewhere: Path) -> None:
    """A box has its default route from when it was made."""
    found = changes(engine, elsewhere, CHANGES["another gateway"])
    assert {found[f"{node}-vm"] for node in ("master", "node1", "node2")} == {"replace"}
    assert (found["network"], found["vagrant-folder"]) == ("update", "update")


@pytest.mark.parametrize("change", CHANGES)
def test_the_review_says_what_the_engine_would_do(engine: Engine, elsewhere: Path, fresh: Path, change: str) -> None:
    """Two previews of stacks that are new, compared, against one preview of a stack that is up."""
    before, after = (declared({"steps": steps_of(engine, fresh, config)}) for config in (DEV, CHANGES[change]))
    said = {step.name: str(step.action) for step in steps(before, after)}
    assert said == changes(engine, elsewhere, CHANGES[change])


def test_the_engines_log_says_what_its_json_says(engine: Engine, elsewhere: Path, tmp_path: Path) -> None:
    """``make preview`` previews once: a person reads what is printed, and the words are made of the log."""
    file, log = elsewhere / "Pulumi.dev.yaml", tmp_path / "events"
    kept = file.read_text()
    said = changes(engine, elsewhere, CHANGES["more memory"])
    file.write_text(kept.replace(NODE2, NODE2.replace("2048", "3072")))
    try:
        engine.run(elsewhere, "preview", "--stack", "dev", f"--event-log={log}")
    finally:
        file.write_text(kept)
    assert {step.name: str(step.action) for step in proposed(logged(log.read_text()))} == said


def test_just_the_node_that_is_named_is_replaced(engine: Engine) -> None:
    """Not one whose name ends in the same way."""
    line = NODE3.replace("node3", "gpu-node2")
    project = engine.podnet("replacing", DEV + line)
    import_state(engine, project)
    told = engine.run(project, "preview", "--stack", "dev", "--json", f"--replace={urn_of('node2-vm')}")
    replaced = {
        step["urn"].rpartition("::")[2] for step in json.loads(told)["steps"] if "replace" in step["op"]
    }  # fmt: skip
    assert {name for name in replaced if name.endswith("-vm")} == {"node2-vm"}
