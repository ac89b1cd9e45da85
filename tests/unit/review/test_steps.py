"""What a deployment would do, from two previews, and what that disrupts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from podnet.errors import PodnetError
from podnet.kinds import Kind
from podnet.review.disruption import disruptions, in_words
from podnet.review.steps import Action, InputChange, Step, declared, logged, proposed, steps

REMOTE = "command:remote:Command"
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": "no"}


def urn(name: str, type_: str = "command:remote:Command") -> str:
    return f"urn:pulumi:dev::podnet::{type_}::{name}"


def state(name: str, type_: str = "command:remote:Command", triggers_of: tuple[str, ...] = (), **inputs: Any) -> Any:
    found = {"urn": urn(name, type_), "type": type_, "custom": True, "inputs": inputs}
    if triggers_of:
        found["propertyDependencies"] = {"triggers": list(triggers_of), "stdin": None}
    return {"op": "create", "newState": found}


def compare(before: list[Any], after: list[Any]) -> list[tuple[str, str]]:
    return [(step.name, str(step.action)) for step in found(before, after)]


def found(before: list[Any], after: list[Any]) -> tuple[Step, ...]:
    return steps(declared({"steps": before}), declared({"steps": after}))


def test_what_is_there_on_one_side_only() -> None:
    both = state("both")
    assert compare([both, state("old1"), state("old2")], [both, state("new")]) == [
        ("new", "create"),
        ("old1", "delete"),
        ("old2", "delete"),
    ]


def test_an_input_that_changes_updates() -> None:
    before, after = state("a", stdin="x", create="c", n=1), state("a", stdin="y", create="c", more=True)
    (step,) = found([before], [after])
    assert step.action is Action.UPDATE
    changes = {"stdin": ("x", "y"), "n": ("1", None), "more": (None, "true")}
    assert step.changes == tuple(InputChange(path, *values) for path, values in changes.items())


def test_a_step_says_in_which_component_it_is() -> None:
    of_node = state("node1-cni-conf", stdin="a")
    component = urn("node1", str(Kind.NET_CONF))
    of_node["newState"] |= {"urn": f"{component.rpartition('::')[0]}${REMOTE}::node1-cni-conf", "parent": component}
    steps = found([], [of_node, state("by-itself")])
    assert [(step.name, step.kind, step.component) for step in steps] == [
        ("by-itself", None, ""),
        ("node1-cni-conf", Kind.NET_CONF, "node1"),
    ]


def test_a_resource_in_another_component_is_the_same_one() -> None:
    def within(component: str, name: str, stdin: str) -> Any:
        one = state(name, stdin=stdin)
        one["newState"]["urn"] = f"urn:pulumi:dev::podnet::{component}${REMOTE}::{name}"
        return one

    before = [within("podnet:network:PodNetwork", name, "a") for name in ("same", "other", "gone")]
    after = [within("podnet:cni:NetConf", "same", "a"), within("podnet:masquerade:Masquerade", "other", "b")]
    assert compare(before, after) == [("other", "update"), ("gone", "delete")]
    # Not of another type.
    assert compare(before[:1], [state("same", "command:local:Command")]) == [("same", "create"), ("same", "delete")]


def test_a_trigger_that_changes_replaces_and_so_does_what_hangs_on_it() -> None:
    def program(memory: str) -> list[Any]:
        return [
            state("vm", triggers=[memory]),
            state("conf", triggers_of=(urn("vm"),)),
            state("joined", triggers_of=(urn("conf"),)),
            state("other", triggers_of=(urn("unrelated"),)),
        ]

    all_of_them = found(program("1"), program("2"))
    assert [(step.name, step.action, step.because) for step in all_of_them] == [
        ("conf", Action.REPLACE, ("vm",)),
        ("joined", Action.REPLACE, ("conf",)),
        ("vm", Action.REPLACE, ()),
    ]
    assert all_of_them[2].changes == (InputChange("triggers[0]", "1", "2"),)


def test_what_hangs_on_outputs_that_may_change_is_updated() -> None:
    def program(memory: str) -> list[Any]:
        vm = state("vm", create=memory)
        conf = state("conf", connection="[secret]")
        conf["newState"]["propertyDependencies"] = {"connection": [urn("vm")], "triggers": []}
        provider = state("k", "pulumi:providers:kubernetes", kubeconfig="[secret]")
        provider["newState"]["propertyDependencies"] = {"kubeconfig": [urn("conf")]}
        pod = state("pod", "kubernetes:core/v1:Pod")
        pod["newState"]["provider"] = f"{provider['newState']['urn']}::some-id"
        return [vm, conf, provider, pod, state("by-id", triggers_of=(urn("vm"),))]

    assert [(step.name, step.action, step.because) for step in found(program("1"), program("2"))] == [
        ("conf", Action.UPDATE, ("vm",)),
        ("pod", Action.UPDATE, ("k",)),
        ("vm", Action.UPDATE, ()),
    ]


def test_what_hangs_on_something_new_is_replaced() -> None:
    """Its trigger is the identifier of a resource that it did not know before."""
    before, after = state("a", triggers_of=(urn("old"),)), state("a", triggers_of=(urn("new"),))
    assert ("a", "replace") in compare([state("old"), before], [state("new"), after])


@pytest.mark.parametrize(
    ("inputs", "action"),
    [
        ({"spec": {"replicas": 3, "selector": {"matchLabels": {"app": "a"}}}}, "update"),
        ({"spec": {"replicas": 2, "selector": {"matchLabels": {"app": "b"}}}}, "replace"),
        ({"metadata": {"name": "b"}}, "replace"),
        ({"metadata": {"name": "a", "labels": {"name": "b"}}}, "update"),
    ],
)
def test_a_kubernetes_object(inputs: dict[str, Any], action: str) -> None:
    kind = "kubernetes:apps/v1:Deployment"
    base: dict[str, Any] = {
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "a"}}},
        "metadata": {"name": "a"},
    }
    assert compare([state("n", kind, **base)], [state("n", kind, **(base | inputs))]) == [("n", action)]


def test_a_secret_is_not_entered() -> None:
    after = declared({"steps": [state("a", stdin=SECRET, more={"deep": [SECRET]})]})
    assert next(iter(after.values())).inputs == {"stdin": "(secret)", "more.deep[0]": "(secret)"}


def test_ids_that_a_preview_makes_up_are_no_change() -> None:
    def program(run: str, *more: str) -> list[Any]:
        triggers = [f"{name}{run}" for name in (*more, "vm")]
        known = tuple(urn(name) for name in ("vm", *more))
        later = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
        verify = state("verify", triggers_of=known, triggers=[*triggers, later])
        return [*(state(name) for name in ("vm", *more)), verify]

    assert compare(program("0123abcd"), program("89abcdef")) == []
    _, verify = found(program("0123abcd"), program("89abcdef", "new"))
    assert verify.changes == (InputChange("triggers[new]", None, "(its id)"),)
    # Without a resource of that name it is a value like any other.
    assert compare([state("a", stdin="vm0123abcd")], [state("a", stdin="vm89abcdef")]) == [("a", "update")]


def test_what_only_looks_is_no_step() -> None:
    kind = "pulumi-python:dynamic/podnet:NodeState"
    assert compare([state("n", kind, cluster={"a": "1"})], [state("n", kind, cluster={"a": "2"})]) == []


def test_components_and_deletions_are_no_resources() -> None:
    component = {"op": "create", "newState": {"urn": urn("c"), "type": "podnet:host:Host", "custom": False}}
    assert declared({"steps": [component, {"op": "delete", "newState": None, "oldState": {}}]}) == {}


@pytest.mark.parametrize("bad", [{}, {"steps": 1}, {"steps": [{}]}, {"steps": [{"op": "create", "newState": []}]}])
def test_something_else_than_a_preview(bad: dict[str, Any]) -> None:
    with pytest.raises(PodnetError, match="not what pulumi preview"):
        declared(bad)


STDIN = (InputChange("stdin", "a", "b"),)


def step(action: Action, kind: Kind | None, component: str = "node1", type_: str = REMOTE) -> Step:
    return Step(action, f"{component}-x", type_, kind, component, STDIN)


def told(*steps: Step) -> list[tuple[tuple[str, ...], str]]:
    return [(each.who, each.what.split(";")[0].split(":")[0]) for each in disruptions(steps)]


def test_a_machine_that_is_replaced_takes_all_of_its_node_with_it() -> None:
    assert told(
        step(Action.REPLACE, Kind.VAGRANT_MACHINE),
        step(Action.REPLACE, Kind.NET_CONF),
        step(Action.REPLACE, Kind.NODE_BUNDLE),
        step(Action.UPDATE, Kind.NET_CONF, "node2"),
        step(Action.UPDATE, Kind.STATIC_ROUTES, "node2"),
    ) == [
        (("node1",), "the machine is destroyed and recreated"),
        (("node2",), "every pod ends and is recreated, with another address"),
    ]


def test_the_cluster_that_goes_with_its_machine_is_still_named() -> None:
    gone = [step(Action.REPLACE, kind, "master") for kind in (Kind.VAGRANT_MACHINE, Kind.INIT, Kind.REGISTRATION)]
    assert told(*gone) == [
        (("master",), "the machine is destroyed and recreated"),
        (("master-x",), "the control plane is recreated"),
    ]


@pytest.mark.parametrize(("action", "words"), [(Action.REPLACE, "and taken again"), (Action.DELETE, "given back")])
def test_an_existing_host_is_given_back(action: Action, words: str) -> None:
    found = disruptions([step(action, kind) for kind in (Kind.EXISTING_HOST, Kind.NET_CONF)])
    assert [(each.who, words in each.what) for each in found] == [(("node1",), True)]


def test_nodes_with_the_same_disruption_share_a_sentence() -> None:
    assert [who for who, _ in told(*(step(Action.UPDATE, Kind.NET_CONF, node) for node in ("a", "b")))] == [("a", "b")]


@pytest.mark.parametrize(
    ("action", "kind", "words"),
    [
        (Action.UPDATE, Kind.INIT, "kubeadm's configuration of a cluster that runs cannot be changed"),
        (Action.REPLACE, Kind.INIT, "the control plane is recreated"),
        (Action.REPLACE, Kind.BRIDGE, "the machines' network goes away"),
        (Action.REPLACE, Kind.JOIN, "the node is drained, leaves the cluster"),
        (Action.DELETE, Kind.MASQUERADE, "pods no longer reach the outside"),
        (Action.UPDATE, Kind.JOIN, None),
        (Action.CREATE, Kind.NET_CONF, None),
        (Action.UPDATE, Kind.STATIC_ROUTES, None),
        (Action.UPDATE, Kind.MASQUERADE, None),
        (Action.UPDATE, Kind.REGISTRATION, None),
        (Action.REPLACE, Kind.PRIVATE_KEY, None),
        (Action.DELETE, Kind.PRIVATE_KEY, None),
        (Action.REPLACE, Kind.VERIFICATION, None),
        (Action.UPDATE, None, None),
        (Action.DELETE, None, None),
    ],
)
def test_what_a_command_disrupts(action: Action, kind: Kind | None, words: str | None) -> None:
    said = [what for _, what in told(step(action, kind))]
    assert [what.startswith(words or "") for what in said] == ([True] if words else [])


def test_another_pod_cidr_of_the_control_plane() -> None:
    changes = (InputChange("create", "... register master 10.22.1.0/24", "... register master 10.22.9.0/24"),)
    (found,) = disruptions([Step(Action.UPDATE, "master-registered", REMOTE, Kind.REGISTRATION, "master", changes)])
    assert found.who == ("master",)
    assert found.what.startswith("its Node is recreated")


def test_a_command_that_only_runs_again_disrupts_nothing() -> None:
    for type_, kind in ((REMOTE, Kind.NET_CONF), ("kubernetes:apps/v1:Deployment", Kind.WORKLOAD)):
        assert disruptions([Step(Action.UPDATE, "it", type_, kind, "node1", (), ("master-vm",))]) == ()


def test_objects_of_the_cluster() -> None:
    kind = "kubernetes:apps/v1:Deployment"
    nginx = step(Action.UPDATE, Kind.WORKLOAD, "nginx", kind)
    assert told(nginx) == [(("nginx-x",), "the pods are replaced one after another")]
    assert told(step(Action.CREATE, Kind.WORKLOAD, "nginx", kind)) == []
    assert disruptions([]) == ()


def _told(name: str, op: str, old: dict[str, Any] | None, new: dict[str, Any] | None, kind: str = "Command") -> Any:
    """One step of a preview of a stack that is up."""
    urn = f"urn:pulumi:dev::podnet::command:remote:{kind}::{name}"

    def state(inputs: dict[str, Any] | None) -> dict[str, Any] | None:
        return inputs and {"urn": urn, "type": f"command:remote:{kind}", "custom": True, "inputs": inputs}

    found = {"op": op, "urn": urn, "oldState": state(old), "newState": state(new)}
    return {key: value for key, value in found.items() if value is not None}


def test_what_a_stack_that_is_up_says() -> None:
    preview = {
        "steps": [
            _told("kept", "same", {"create": "a"}, {"create": "a"}),
            _told("again", "update", {"create": "a", "stdin": "1"}, {"create": "a", "stdin": "2"}),
            _told("anew", "delete-replaced", {"create": "a"}, None),
            _told("anew", "replace", {"create": "a"}, {"create": "b"}),
            _told("anew", "create-replacement", {"create": "a"}, {"create": "b"}),
            _told("comes", "create", None, {"create": "a"}),
            _told("goes", "delete", {"create": "a"}, None),
        ]
    }
    found = [(step.name, step.action, [change.path for change in step.changes]) for step in proposed(preview)]
    assert found == [
        ("again", Action.UPDATE, ["stdin"]),
        ("anew", Action.REPLACE, ["create"]),
        ("comes", Action.CREATE, []),
        ("goes", Action.DELETE, []),
    ]


@pytest.mark.parametrize("wrong", [{}, {"steps": [{"op": "create"}]}, {"steps": [7]}])
def test_what_is_no_preview_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(PodnetError, match="pulumi preview --json"):
        proposed(wrong)


def log(*steps: dict[str, Any]) -> str:
    """The engine's log of a preview."""
    events = [
        {"metadata": {"op": step["op"], "urn": step["urn"], "old": step["oldState"], "new": step["newState"]}}
        for step in steps
    ]
    lines = [{"sequence": 1, "preludeEvent": {}}, *({"resourcePreEvent": event} for event in events)]
    return "".join(json.dumps(line) + "\n" for line in lines)


def test_the_engines_log_says_the_same() -> None:
    before, after = (state("conf", stdin=text)["newState"] for text in ("a", "b"))
    step = {"op": "update", "urn": urn("conf"), "oldState": before, "newState": after}
    assert proposed(logged(log(step))) == proposed({"steps": [step]}) != ()


def test_a_preview_in_words() -> None:
    component = urn("node1", str(Kind.NET_CONF))
    where = {"urn": f"{component.rpartition('::')[0]}${REMOTE}::node1-cni-conf", "parent": component}
    before, after = (state("", stdin=text)["newState"] | where for text in ("a", "b"))
    step = {"op": "update", "urn": where["urn"], "oldState": before, "newState": after}
    assert in_words(log(step)).startswith("It disrupts:\n  - node1: every pod ends and is recreated")
    assert in_words(log({**step, "op": "same"})) == "It disrupts nothing that is up."


@pytest.mark.parametrize("text", ["{", "1", '{"resourcePreEvent": {"metadata": null}}', '{"resourcePreEvent": 1}'])
def test_something_else_than_a_log(text: str) -> None:
    with pytest.raises(PodnetError, match="not a log"):
        logged(text)
