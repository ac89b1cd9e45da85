"""The rules of the policy pack, over resources as plain values."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from podnet_policy import host_keys, images, ranges, secrets
from podnet_policy.resource import UNKNOWN, Resource, Secret, documents

REMOTE = "command:remote:Command"
PEM = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----\n"


def resource(name: str = "it", type_: str = REMOTE, **inputs: Any) -> Resource:
    return Resource(f"urn:pulumi:dev::podnet::{type_}::{name}", type_, inputs)


def inside(component: Resource, name: str, type_: str = REMOTE, **inputs: Any) -> Resource:
    """A resource in a component."""
    urn = f"{component.urn.rpartition('::')[0]}${type_}::{name}"
    return Resource(urn, type_, inputs, component.urn)


Check = Callable[[Resource], list[str]]


@pytest.mark.parametrize(
    ("check", "bad", "words"),
    [
        (host_keys.check, resource(connection={"host": "10.0.0.1"}), "connection.hostKey is not set"),
        (host_keys.check, resource(connection={"host": "10.0.0.1", "hostKey": " "}), "connection.hostKey is not set"),
        (host_keys.check, resource(connection={"hostKey": "ssh-ed25519 A", "proxy": {"host": "b"}}), "proxy.hostKey"),
        (host_keys.check, resource(type_="command:remote:CopyToRemote", connection={"host": "a"}), "hostKey is not"),
        (host_keys.check, resource(connection={"hostKey": "ssh-ed25519 A", "proxy": {"hostKey": "ssh-rsa B"}}), ""),
        (host_keys.check, resource(connection={"hostKey": UNKNOWN}), ""),
        (host_keys.check, resource(connection=UNKNOWN), ""),
        (host_keys.check, resource(type_="command:local:Command", connection={}), ""),
    ],
)
def test_rules_of_one_resource(check: Check, bad: Resource, words: str) -> None:
    """words: what the one finding says; empty where there must be none."""
    assert [words in problem for problem in check(bad)] == ([True] if words else [])


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ("nginx", "has no tag"),
        ("registry.example:5000/nginx", "has no tag"),
        ("nginx:latest", "another image tomorrow"),
        ("nginx:1.22.1", ""),
        ("registry.example:5000/nginx:1.22.1", ""),
        ("nginx@sha256:" + "0" * 64, ""),
        ("nginx:latest@sha256:" + "0" * 64, ""),
        ("nginx:1.22.1@sha256:0", "has no whole digest"),
    ],
)
def test_images(image: str, words: str) -> None:
    pod: dict[str, Any] = {"spec": {"template": {"spec": {"initContainers": [{"image": image}]}}}}
    workload = resource(type_="kubernetes:apps/v1:Deployment", **pod)
    config = resource(type_="command:local:Command", stdin=json.dumps({"podSubnet": "x", "images": {"probe": image}}))
    manifest = resource(stdin=f"---\nkind: Pod\nspec: {{containers: [{{image: '{image}'}}]}}\n")
    for each in (workload, config, manifest):
        found = images.check(each)
        assert [words in text and image in text for text in found] == ([True] if words else [])


def test_an_image_that_is_not_known_is_not_judged() -> None:
    assert images.check(resource(type_="kubernetes:core/v1:Pod", spec={"containers": [{"image": UNKNOWN}, 1]})) == []


JOIN_TOKEN = "abcde1.0123456789abcdef"
KUBECONFIG = "users:\n- name: admin\n  user:\n    client-key-data: TUlJRXBBSUJBQUtDQVFFQQ==\n"
JWT = ".".join(["eyJhbGciOiJSUzI1NiJ9", "eyJzdWIiOiJzeXN0ZW0ifQ", "c2lnbmF0dXJlLW9mLWl0"])


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"stdin": PEM}, "stdin: a private key stands in clear"),
        ({"stdin": "data: " + base64.b64encode(PEM.encode()).decode()}, "stdin: a private key"),
        ({"environment": {"A": [PEM]}}, "environment.A[0]: a private key"),
        ({"stdin": f"kubeadm join --token {JOIN_TOKEN}"}, "stdin: a join token"),
        ({"triggers": [JOIN_TOKEN]}, "triggers[0]: a join token"),
        ({"kubeconfig": KUBECONFIG}, "kubeconfig: a kubeconfig's key"),
        ({"create": f"curl -H 'Authorization: Bearer {JWT}'"}, "create: a token of a service account"),
        ({"stdin": "users:\n- name: a\n  user:\n    token: 0123456789abcdef0123\n"}, "stdin: a kubeconfig's token"),
        ({"connection": {"privateKey": "something else"}}, "connection.privateKey: a secret, by its name"),
        ({"password": "hunter2"}, "password: a secret, by its name"),
        ({"password": ""}, ""),
        ({"password": UNKNOWN}, ""),
        ({"password": Secret("hunter2"), "stdin": Secret(PEM)}, ""),
        ({"connection": Secret({"privateKey": PEM})}, ""),
        ({"stdin": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"}, ""),
        ({"stdin": base64.b64encode(b"-----BEGIN CERTIFICATE-----\nMIIBszCCAVmg\n").decode()}, ""),
        ({"stdin": "system.authenticatedany apps.something: kubeconfig, podnet.local/nginx:1.22.1"}, ""),
        ({"stdin": "sha256:" + "0a" * 32}, ""),
    ],
)
def test_secrets(inputs: dict[str, Any], words: str) -> None:
    found = secrets.check(resource(**inputs))
    assert [text.startswith(words) for text in found] == ([True] if words else [])
    for value in (JOIN_TOKEN, JWT, "hunter2", "b3BlbnNz", "something else", "0123456789abcdef0123"):
        assert value not in "".join(found), "the finding itself shows the secret"


def test_the_values_of_a_secret_object_are_secret() -> None:
    bad = resource(type_="kubernetes:core/v1:Secret", stringData={"a": "b"}, metadata={"name": "c"})
    assert [text.partition(" stands")[0] for text in secrets.check(bad)] == ["stringData.a: a Secret's value"]


INIT, NET_CONF, ROUTES = "podnet:kubeadm:Init", "podnet:cni:NetConf", "podnet:routes:StaticRoutes"


def node(name: str, subnet: str, route: str) -> list[Resource]:
    """A node's components: its pods, and its routes."""
    routes = [{"peer": "other", "destination": route, "gateway": "10.100.198.9"}]
    return [
        resource(name, NET_CONF, node=name, podSubnets=[subnet]),
        resource(name, ROUTES, node=name, routes=routes),
    ]


def stack(
    pods: str = "10.22.0.0/16",
    services: str = "10.96.0.0/16",
    node1: tuple[str, str] = ("10.22.1.0/24", "10.22.2.0/24"),
    more: tuple[Resource, ...] = (),
) -> list[Resource]:
    """A stack that keeps every rule, unless something in it is changed."""
    return [
        resource("host", "podnet:host:Host", machineNetworks=["10.100.198.0/24"]),
        resource("master", INIT, node="master", podSubnets=pods.split(","), serviceSubnets=[services]),
        *node("node1", *node1),
        *node("node2", "10.22.2.0/24", "10.22.1.0/24"),
        *more,
    ]


def test_a_stack_that_keeps_the_rules() -> None:
    assert ranges.check_stack(stack()) == []


@pytest.mark.parametrize(
    ("changed", "where", "words"),
    [
        ({"node1": ("10.22.2.128/25", "10.22.3.0/24")}, "node2", "the pods of node1 (10.22.2.128/25) and the pods of"),
        ({"services": "10.22.0.0/20"}, "master", "and the Services (10.22.0.0/20) share addresses"),
        ({"services": "10.96.0.0/12"}, "host", "the Services (10.96.0.0/12) and the machines'"),
        ({"pods": "10.100.0.0/16,fd00::/64"}, "host", "the cluster's pods (10.100.0.0/16) and the"),
        ({"node1": ("10.100.198.0/25", "10.22.2.0/24")}, "host", "the pods of node1 (10.100.198.0/25) and the"),
        ({"node1": ("10.22.1.0/24", "10.22.1.0/28")}, "node1", "the route to other (10.22.1.0/28) and the pods of"),
    ],
)
def test_overlaps(changed: dict[str, Any], where: str, words: str) -> None:
    found = ranges.check_stack(stack(**changed))
    assert any(urn.endswith(f"::{where}") and words in problem for urn, problem in found), found


def test_routes_are_compared_node_by_node() -> None:
    """The same route on two nodes is right, and on one node it is one too many."""
    third = node("node3", "10.22.3.0/24", "10.22.1.0/24")
    assert ranges.check_stack(stack(more=tuple(third))) == []
    third[1].inputs["routes"].append({"peer": "node1", "destination": "10.22.1.0/25"})
    ((urn, problem),) = ranges.check_stack(stack(more=tuple(third)))
    assert urn.endswith(f"{ROUTES}::node3")
    assert "the route to other (10.22.1.0/24) and the route to node1 (10.22.1.0/25)" in problem


def test_a_connection_to_come_is_judged_by_what_it_is_made_of() -> None:
    local = "command:local:Command"
    machine = resource("node1", "podnet:machine:VagrantMachine", node="node1")
    vm = inside(machine, "node1-vm", local)
    stack_key = inside(resource("machines", "podnet:ssh:PrivateKey"), "ssh-key", local)
    host = resource("master", "podnet:machine:ExistingHost", node="master", hostKey="ssh-ed25519 A")
    login = resource("master", "podnet:ssh:PrivateKey", node="master")
    key = inside(login, "master-ssh-key", local)

    def remote(*made_of: Resource) -> Resource:
        depends = {"connection": tuple(each.urn for each in made_of)}
        return Resource("urn:pulumi:dev::p::t::it", REMOTE, {"connection": UNKNOWN}, "", depends)

    def refused(*resources: Resource) -> list[str]:
        return [urn for urn, _ in host_keys.check_stack(resources)]

    assert refused(machine, vm, stack_key, remote(stack_key, vm)) == []
    assert refused(machine, vm, stack_key, remote(stack_key)) == ["urn:pulumi:dev::p::t::it"]
    assert len(refused(machine, vm, stack_key, remote())) == 1
    assert refused(host, login, key, remote(key)) == []
    host.inputs["hostKey"] = ""  # type: ignore[index]
    assert len(refused(host, login, key, remote(key))) == 1


@pytest.mark.parametrize("text", ["{", "---\n: : :\n  - [", "words", "", "---\n- a\n- b\n", '{"a":' * 9999])
def test_texts_that_hold_no_document(text: str) -> None:
    assert documents(text) == []
