"""The rules of the policy pack, over resources as plain values."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from podnet_policy import host_keys, images, ranges, secrets, snat
from podnet_policy.resource import UNKNOWN, Resource, Secret, documents

REMOTE = "command:remote:Command"
PEM = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----\n"


def resource(name: str = "it", type_: str = REMOTE, parent: str = "", **inputs: Any) -> Resource:
    return Resource(f"urn:pulumi:dev::podnet::{type_}::{name}", type_, inputs, parent)


def conf(subnet: str, **bridge: Any) -> str:
    plugin = {"type": "bridge", "ipam": {"type": "host-local", "subnet": subnet}, **bridge}
    return json.dumps({"cniVersion": "0.3.1", "name": "mynet", "plugins": [plugin]})


def kubeadm(pods: str = "10.22.0.0/16", services: str = "10.96.0.0/16") -> str:
    networking = {"podSubnet": pods, "serviceSubnet": services}
    documents = [{"kind": "InitConfiguration"}, {"kind": "ClusterConfiguration", "networking": networking}]
    return "".join(f"---\n{json.dumps(document)}\n" for document in documents)


def masquerade(elements: str = "10.22.0.0/16", rule: str = "ip daddr != @spared masquerade") -> str:
    return (
        f"table ip podnet {{\n set spared {{\n type ipv4_addr\n flags interval\n elements = {{ {elements} }}\n }}\n"
        f" chain postrouting {{\n type nat hook postrouting priority srcnat; policy accept;\n"
        f'  ip saddr 10.22.2.0/24 {rule} comment "masquerade what leaves"\n }}\n}}\n'
    )


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


MACHINES = json.dumps({"gateway": "10.100.198.1", "prefix_length": 24, "machines": []})


def stack(**changed: Any) -> list[Resource]:
    """A stack that keeps every rule, with some of its resources changed."""
    parents = {name: f"urn:pulumi:dev::podnet::podnet:network:PodNetwork::{name}" for name in ("node1", "node2")}
    good = {
        "folder": resource("folder", "command:local:Command", stdin=MACHINES),
        "init": resource("init", stdin=kubeadm()),
        "conf1": resource("conf1", parent=parents["node1"], stdin=conf("10.22.1.0/24")),
        "conf2": resource("conf2", parent=parents["node2"], stdin=conf("10.22.2.0/24")),
        "route1": resource("route1", parent=parents["node1"], stdin="10.22.2.0/24 via 10.100.198.202\n"),
        "route2": resource("route2", parent=parents["node2"], stdin="10.22.1.0/24 via 10.100.198.201\n"),
        "masquerade": resource("masquerade", stdin=masquerade()),
    }
    for name, stdin in changed.items():
        old = good.get(name, resource(name, parent=parents["node1"]))
        good[name] = Resource(old.urn, old.type, {**old.inputs, "stdin": stdin}, old.parent)
    return list(good.values())


def test_a_stack_that_keeps_the_rules() -> None:
    assert ranges.check_stack(stack()) == []
    assert snat.check_stack(stack()) == []


@pytest.mark.parametrize(
    ("changed", "where", "words"),
    [
        ({"conf2": conf("10.22.1.128/25")}, "conf2", "the pods of conf1 (10.22.1.0/24) and the pods of conf2"),
        ({"init": kubeadm(services="10.22.0.0/20")}, "init", "and the Services (10.22.0.0/20) share addresses"),
        ({"init": kubeadm(services="10.96.0.0/12")}, "folder", "the Services (10.96.0.0/12) and the machines'"),
        ({"init": kubeadm(pods="10.100.0.0/16,fd00::/64")}, "folder", "the cluster's pods (10.100.0.0/16) and the"),
        ({"conf1": conf("10.100.198.0/25")}, "folder", "the pods of conf1 (10.100.198.0/25) and the machines'"),
        ({"extra": "10.22.0.0/16 via 10.100.198.9\n"}, "extra", "the route route1 (10.22.2.0/24) and the route extra"),
        ({"extra": "10.22.1.0/28 via 10.100.198.9\n"}, "conf1", "the route extra (10.22.1.0/28) and the pods of conf1"),
    ],
)
def test_overlaps(changed: dict[str, str], where: str, words: str) -> None:
    found = ranges.check_stack(stack(**changed))
    assert any(urn.endswith(f"::{where}") and words in problem for urn, problem in found), found


def test_routes_of_two_nodes_are_not_compared() -> None:
    """The same route on two nodes is right; so it is where no component holds a node's resources."""
    line = "10.22.3.0/24 via 10.100.198.203\n"
    root = "urn:pulumi:dev::podnet::pulumi:pulumi:Stack::podnet-dev"
    bare = [resource("a", parent=root, stdin=line), resource("b", parent=root, stdin=line)]
    assert ranges.check_stack(bare) == []
    known = [resource(each, parent=root, stdin=line, connection={"host": "10.0.0.1"}) for each in ("a", "b")]
    assert len(ranges.check_stack(known)) == 1


@pytest.mark.parametrize(
    ("rules", "missing"),
    [
        (masquerade(elements="10.22.1.0/24"), ["10.22.2.0/24, the pods of conf2"]),
        (masquerade(rule="ip daddr != 192.0.2.0/24 masquerade"), ["10.22.1.0/24", "10.22.2.0/24"]),
        (masquerade(elements="10.22.1.0/24, 10.22.2.0/24"), []),
        (masquerade(elements="0.0.0.0/0"), []),
        (masquerade(rule="masquerade"), ["10.22.1.0/24", "10.22.2.0/24"]),
    ],
)
def test_a_masquerade_that_spares_some_pods(rules: str, missing: list[str]) -> None:
    found = [problem for _, problem in snat.check_stack(stack(masquerade=rules))]
    assert len(found) == len(missing)
    assert all(words in problem for words, problem in zip(missing, found, strict=True))


def test_a_connection_to_come_is_judged_by_what_it_is_made_of() -> None:
    machine = resource("node1-vm", "command:local:Command", create='"$ROOT"/bin/python -m podnet.host machine-up dev')
    key = resource("ssh-key", "command:local:Command", create='"$ROOT"/bin/python -m podnet.host key-up dev')

    def remote(*made_of: str) -> Resource:
        return Resource("urn:pulumi:dev::p::t::it", REMOTE, {"connection": UNKNOWN}, "", {"connection": made_of})

    assert host_keys.check_stack([machine, key, remote("ssh-key", "node1-vm")]) == []
    assert [urn for urn, _ in host_keys.check_stack([machine, key, remote("ssh-key")])] == ["urn:pulumi:dev::p::t::it"]
    assert len(host_keys.check_stack([machine, key, remote()])) == 1
    login = resource("master-ssh-key", "command:local:Command", create="/x/python -m podnet.host login-key ~/k")
    assert host_keys.check_stack([login, remote("master-ssh-key")]) == []


@pytest.mark.parametrize("text", ["{", "---\n: : :\n  - [", "words", "", "---\n- a\n- b\n", '{"a":' * 9999])
def test_texts_that_hold_no_document(text: str) -> None:
    assert documents(text) == []
