"""What a deployment would do, from two previews, and what that interrupts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from podnet.errors import PodnetError
from podnet.review.interruption import Interruption, interruptions
from podnet.review.steps import Action, InputChange, Step, declared, logged, proposed, steps

NODE = "sudo /usr/local/lib/podnet/podnet-node"
HOST = '"${PODNET_PYTHON:?is not set}" -m podnet.host'
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
    assert step.create == "c"


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


def told(*steps: tuple[Action, str, str], type_: str = "command:remote:Command") -> list[tuple[tuple[str, ...], str]]:
    return [
        (each.who, each.what.split(";")[0].split(":")[0])
        for each in interruptions([Step(action, name, type_, create, STDIN) for action, name, create in steps])
    ]


def test_a_machine_that_is_replaced_takes_all_of_its_node_with_it() -> None:
    machine = f"{HOST} machine-up dev node1 lxc 10.0.0.1 10.0.0.254 podnet-dev-node1"
    assert told(
        (Action.REPLACE, "node1-vm", machine),
        (Action.REPLACE, "node1-cni-conf", f"{NODE} cni-conf /etc/c cni0"),
        (Action.REPLACE, "node1-bundle", f"{HOST} bundle dev node1 10.0.0.1"),
        (Action.UPDATE, "node2-cni-conf", f"{NODE} cni-conf /etc/c cni0"),
        (Action.UPDATE, "node2-route-to-node1", f"{NODE} route node1"),
    ) == [
        (("node1",), "the machine is destroyed and made again"),
        (("node2",), "every pod ends and is made anew, with another address"),
    ]


@pytest.mark.parametrize(("action", "words"), [(Action.REPLACE, "and taken anew"), (Action.DELETE, "given back")])
def test_a_host_of_somebody_else_is_given_back(action: Action, words: str) -> None:
    claim = "sudo -n sh -s -- claim dev node1 10.0.0.1 cni0"
    conf = f"{NODE} cni-conf /etc/c cni0"
    told = interruptions([Step(each, name, "command:remote:Command", create) for each, name, create in (
        (action, "node1-claim", claim), (action, "node1-cni-conf", conf))])  # fmt: skip
    assert [(each.who, words in each.what) for each in told] == [(("node1",), True)]


def test_nodes_with_the_same_interruption_share_a_sentence() -> None:
    conf = f"{NODE} cni-conf /etc/c cni0"
    assert [who for who, _ in told(*((Action.UPDATE, f"{node}-cni-conf", conf) for node in ("a", "b")))] == [("a", "b")]


@pytest.mark.parametrize(
    ("action", "create", "words"),
    [
        (Action.UPDATE, f"{NODE} kubeadm-init", "kubeadm's configuration of a cluster that runs cannot be changed"),
        (Action.REPLACE, f"{NODE} kubeadm-init", "the control plane is made anew"),
        (Action.REPLACE, f"{HOST} network-up podnet-dev 10.0.0.254/24", "the machines' network goes away"),
        (Action.REPLACE, f"{NODE} join", "the node is drained, leaves the cluster"),
        (Action.UPDATE, f"{NODE} join", None),
        (Action.CREATE, f"{NODE} cni-conf /etc/c cni0", None),
        (Action.UPDATE, f"{NODE} route node2", None),
        (Action.UPDATE, f"{NODE} masquerade", None),
        (Action.REPLACE, f"{HOST} verify dev", None),
        (Action.UPDATE, "some other program", None),
        (Action.UPDATE, "unbalanced '", None),
    ],
)
def test_what_a_command_interrupts(action: Action, create: str, words: str | None) -> None:
    said = [what for _, what in told((action, "it", create))]
    assert [what.startswith(words or "") for what in said] == ([True] if words else [])


def test_another_pod_cidr_of_the_control_plane() -> None:
    register = f"{NODE} register master"
    step = Step(
        Action.UPDATE,
        "master-registered",
        "command:remote:Command",
        f"{register} 10.22.9.0/24",
        (InputChange("create", f"{register} 10.22.1.0/24", f"{register} 10.22.9.0/24"),),
    )
    (interruption,) = interruptions([step])
    assert interruption.who == ("master",)
    assert interruption.what.startswith("its Node is made anew")


def test_a_command_that_only_runs_again_interrupts_nothing() -> None:
    for type_, create in (("command:remote:Command", f"{NODE} cni-conf /etc/c cni0"), ("kubernetes:core/v1:Pod", "")):
        step = Step(Action.UPDATE, "it", type_, create, (), ("master-vm",))
        assert interruptions([step, Step(Action.UPDATE, "it", "command:remote:Command", create)]) == ()


def test_objects_of_the_cluster() -> None:
    kind = "kubernetes:apps/v1:Deployment"
    assert told((Action.UPDATE, "nginx", ""), type_=kind) == [(("nginx",), "the pods are replaced one after another")]
    assert told((Action.CREATE, "nginx", ""), type_=kind) == []
    assert interruptions([]) == ()
    assert Interruption(("a",), "b") == Interruption(("a",), "b")


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


def test_the_engines_log_says_the_same() -> None:
    before, after = (state("conf", stdin=text)["newState"] for text in ("a", "b"))
    preview = {"steps": [{"op": "update", "urn": urn("conf"), "oldState": before, "newState": after}]}
    event = {"metadata": {"op": "update", "urn": urn("conf"), "old": before, "new": after}, "planning": True}
    lines = [{"sequence": 1, "preludeEvent": {}}, {"sequence": 2, "resourcePreEvent": event}]
    assert proposed(logged("".join(json.dumps(line) + "\n" for line in lines))) == proposed(preview) != ()


@pytest.mark.parametrize("text", ["{", "1", '{"resourcePreEvent": {"metadata": null}}', '{"resourcePreEvent": 1}'])
def test_something_else_than_a_log(text: str) -> None:
    with pytest.raises(PodnetError, match="not a log"):
        logged(text)
