"""What translates sources is refused wherever it stands, and podnet's own masquerade is compared with the pods."""

from __future__ import annotations

import json
from typing import Any

import pytest

from podnet_policy import snat
from podnet_policy.resource import UNKNOWN, Resource

REMOTE = "command:remote:Command"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
CONF = {"cniVersion": "0.3.1", "plugins": [{"type": "bridge", "ipMasq": True}]}


def resource(type_: str = REMOTE, kind: str = "", name: str = "it", **inputs: Any) -> Resource:
    urn = f"urn:pulumi:dev::podnet::{kind}${type_}::{name}" if kind else f"urn:pulumi:dev::podnet::{type_}::{name}"
    return Resource(urn, type_, inputs)


@pytest.mark.parametrize(
    ("inputs", "where"),
    [
        ({"stdin": "table ip nat {\n chain post {\n  oifname eth0 masquerade\n }\n}\n"}, "stdin"),
        ({"create": "nft add rule ip nat post ip saddr 10.0.0.0/8 snat to 192.0.2.1"}, "create"),
        ({"create": "nft 'add rule ip raw post ip saddr set 192.0.2.1'"}, "create"),
        ({"create": "iptables -t nat -A POSTROUTING -j MASQUERADE"}, "create"),
        ({"create": "if true; then iptables -t nat -A POSTROUTING -jSNAT --to 192.0.2.1; fi"}, "create"),
        ({"update": "iptables -t nat -A POSTROUTING -j NETMAP --to 192.0.2.0/24"}, "update"),
        ({"stdin": "*nat\n-A POSTROUTING --jump SNAT --to-source 192.0.2.1\nCOMMIT\n"}, "stdin"),
        ({"create": "cat <<END | nft -f -\nadd rule x y masquerade\nEND\n"}, "create"),
        ({"create": "firewall-cmd --add-masquerade"}, "create"),
        ({"stdin": json.dumps({"nftables": [{"add": {"rule": {"expr": [{"masquerade": None}]}}}]})}, "stdin"),
        ({"spec": {"containers": [{"command": ["iptables", "-j", "MASQUERADE"]}]}}, "spec.containers[0].command"),
        ({"spec": {"containers": [{"args": ["ip", "saddr", "set", "192.0.2.1"]}]}}, "spec.containers[0].args"),
        ({"spec": {"containers": [{"args": ["--ip-masq"]}]}}, "spec.containers[0].args"),
        ({"stdin": json.dumps(CONF)}, "stdin"),
        ({"stdin": json.dumps(CONF).replace("ipMasq", "IPMASQ")}, "stdin"),
        ({"stdin": json.dumps(CONF).replace("ipMasq", "ip\\u004dasq")}, "stdin"),
        ({"stdin": "kind: ConfigMap\ndata:\n  conf: |\n    ipMasq: yes\n"}, "stdin"),
        ({"data": {"conf": json.dumps(CONF)}}, "data.conf"),
        ({"conf": CONF}, "conf.plugins[0].ipMasq"),
        ({"stdin": "[Network]\nIPMasquerade=ipv4\n"}, "stdin"),
        ({"stdin": "# no masquerade\nnft add rule x y masquerade\n"}, "stdin"),
        ({"stdin": '{"expr": [{"m\\u0061squerade": null}]}'}, "stdin"),
        ({"rule": {"snat": {"addr": "192.0.2.1"}}}, "rule.snat"),
    ],
)
def test_what_translates_sources_is_refused_where_it_stands(inputs: dict[str, Any], where: str) -> None:
    problems = snat.check(resource(**inputs))
    assert problems
    assert any(problem.startswith(f"{where}: ") for problem in problems), problems
    assert all('"allow": ["it"]' in problem for problem in problems)
    assert snat.check(resource(**inputs), ["it"]) == []
    assert snat.check(resource(**inputs), ["other"]) == problems


@pytest.mark.parametrize(
    "inputs",
    [
        {"create": "nft list ruleset | grep -q masquerade"},
        {"stdin": "# no masquerade here\nip route show\n"},
        {"stdin": json.dumps({"bridge": "cni0", "ipMasq": False})},
        {"stdin": "kind: KubeProxyConfiguration\niptables: {masqueradeAll: false, masqueradeBit: 14}\n"},
        {"create": "podnet-node masquerade-remove", "triggers": ["node1-masquerade0123abcd"]},
        {"create": "kube-proxy --masquerade-all=false", "stdin": UNKNOWN},
        {"create": "nft add rule ip x y ip saddr 10.0.0.0/8 accept"},
        {"stdin": "[Network]\nIPMasquerade=no\n"},
        {"stdin": json.dumps({"type": "portmap", "snat": True})},
        {"conf": {"ipMasq": False, "plugins": [{"snat": True}]}},
    ],
)
def test_what_translates_nothing(inputs: dict[str, Any]) -> None:
    assert snat.check(resource(**inputs)) == []


def test_podnets_own_masquerade_is_no_finding() -> None:
    rules = {"stdin": "ip daddr != 10.22.0.0/16 masquerade"}
    assert snat.check(resource(kind="podnet:masquerade:Masquerade", **rules)) == []
    assert snat.check(resource(kind="podnet:routes:StaticRoutes", **rules)) != []


def test_a_finding_shows_no_more_than_the_word_that_was_found() -> None:
    (problem,) = snat.check(resource(create="curl -u me:hunter2 x; nft add rule x y masquerade"))
    assert problem.startswith("create: 'masquerade' translates")
    assert "hunter2" not in problem


def stack(without: list[str], stdin: str | None = None) -> list[Resource]:
    """Two nodes, and the masquerade of one of them. without: its non-masquerade CIDRs."""
    stated: dict[str, Any] = {
        "podSubnets": ["10.22.1.0/24"],
        "nonMasqueradeCIDRs": without,
        "serviceSubnets": ["10.96.0.0/16"],
    }
    kind = "podnet:masquerade:Masquerade"
    masquerade = resource(kind, name="node1", node="node1", **stated)
    text = json.dumps(stated) if stdin is None else stdin
    command = Resource(f"urn:pulumi:dev::podnet::{kind}${REMOTE}::m", REMOTE, {"stdin": text}, masquerade.urn)
    subnets = {"node1": "10.22.1.0/24", "node2": "10.22.2.0/24"}
    confs = [resource("podnet:cni:NetConf", name=node, podSubnets=[subnet]) for node, subnet in subnets.items()]
    return [masquerade, command, *confs]


@pytest.mark.parametrize(
    ("without", "missing"),
    [
        (["10.22.0.0/16"], []),
        (["10.22.1.0/24", "10.22.2.0/24"], []),
        (["0.0.0.0/0"], []),
        (["10.22.1.0/24"], ["10.22.2.0/24, the pods of node2"]),
        (["192.0.2.0/24", "fd00::/8"], ["10.22.1.0/24, the pods of node1", "10.22.2.0/24, the pods of node2"]),
        ([], ["10.22.1.0/24, the pods of node1", "10.22.2.0/24, the pods of node2"]),
    ],
)
def test_a_masquerade_leaves_every_pod_alone(without: list[str], missing: list[str]) -> None:
    found = [problem for _, problem in snat.check_stack(stack(without))]
    assert len(found) == len(missing)
    assert all(words in problem for words, problem in zip(missing, found, strict=True))


@pytest.mark.parametrize("cidrs", [[], ["10.22.1.0/24"], ["110.22.0.0/16"]])
def test_a_masquerade_does_what_it_states(cidrs: list[str]) -> None:
    written = {"podSubnets": ["10.22.1.0/24"], "nonMasqueradeCIDRs": cidrs, "serviceSubnets": ["10.96.0.0/16"]}
    for stdin in (json.dumps(written), "table ip podnet {}"):
        ((urn, problem),) = snat.check_stack(stack(["10.22.0.0/16"], stdin))
        assert urn.endswith("::m")
        assert "stdin is not what node1's masquerade states" in problem
