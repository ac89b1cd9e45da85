"""What is changed in a state: before a machine is made anew, and after a run was killed."""

from __future__ import annotations

from typing import Any

from podnet.lifecycle.state import given_up, inputs_of, settled

URN = "urn:pulumi:dev::podnet::podnet:machine:Machine$command:local:Command::"


def _state() -> dict[str, Any]:
    resources = [
        {"urn": f"{URN}node1-vm"},
        {"urn": f"{URN}node1-join", "deletedWith": f"{URN}node1-vm"},
        {"urn": f"{URN}node1-registered", "deletedWith": f"{URN}master-vm"},
        {"urn": f"{URN}other-node1-vm-join", "deletedWith": f"{URN}other-node1-vm"},
    ]
    return {"version": 3, "deployment": {"resources": resources}}


def test_only_what_goes_with_the_machine_is_given_up() -> None:
    state = _state()
    assert given_up(state, ["node1-vm"])
    marked = [each["urn"].rpartition("::")[2] for each in state["deployment"]["resources"] if "retainOnDelete" in each]
    assert marked == ["node1-join"]


def test_nothing_is_marked_where_nothing_goes_with_it() -> None:
    state = _state()
    assert not given_up(state, ["node7-vm"])
    assert state == _state()
    assert not given_up({"version": 3, "deployment": {}}, ["node1-vm"])


def _cut_off() -> dict[str, Any]:
    state = _state()
    created = {"urn": f"{URN}node2-vm", "custom": True, "inputs": {"delete": "echo"}}
    replaced = {"urn": f"{URN}node1-vm", "custom": True, "inputs": {"delete": "true"}}
    state["deployment"]["pending_operations"] = [
        {"resource": created, "type": "creating"},
        {"resource": replaced, "type": "creating"},
        {"resource": {"urn": f"{URN}node1-join"}, "type": "updating"},
    ]
    return state


def test_what_was_cut_off_is_done_again() -> None:
    state = _cut_off()
    assert settled(state, lambda _: False) == ["node2-vm", "node1-vm", "node1-join"]
    assert state == _state()
    assert settled(state, lambda _: False) == []


def test_what_was_cut_off_is_undone_with_the_rest() -> None:
    state = _cut_off()
    assert settled(state, lambda _: True) == ["node2-vm", "node1-vm", "node1-join"]
    made = {"urn": f"{URN}node2-vm", "custom": True, "id": "cut-off"}
    made |= {"inputs": {"delete": "echo"}, "outputs": {"delete": "echo"}}
    assert state["deployment"]["resources"] == [*_state()["deployment"]["resources"], made]


def test_what_was_cut_off_of_a_node_that_goes_is_undone() -> None:
    """The next deployment has it no longer, and would leave it where it is."""
    state = _cut_off()
    settled(state, lambda name: name == "node2-vm")
    assert [each["urn"].rpartition("::")[2] for each in state["deployment"]["resources"]][-1] == "node2-vm"


def test_a_replacement_that_was_cut_off_is_undone() -> None:
    state = _cut_off()
    state["deployment"]["resources"][0]["pendingReplacement"] = True
    settled(state, lambda _: True)
    resources = state["deployment"]["resources"]
    assert [each["urn"] for each in resources].count(f"{URN}node1-vm") == 1
    assert resources[-1]["inputs"] == {"delete": "true"}
    assert "pendingReplacement" not in resources[-1]


def test_a_nodes_component_is_not_taken_for_a_command_of_the_same_name() -> None:
    component = {"urn": "urn:pulumi:dev::podnet::podnet:cni:NetConf::verify", "inputs": {"node": "verify"}}
    command = {"urn": f"{URN}verify", "custom": True, "inputs": {"stdin": "{}"}}
    assert inputs_of({"deployment": {"resources": [component, command]}}, "verify") == {"stdin": "{}"}
    assert inputs_of({"deployment": {"resources": [component]}}, "verify") == {}
