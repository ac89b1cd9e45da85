"""The rule about SNAT reads rulesets and judges what they do; what it cannot read it refuses."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from podnet import scripts
from podnet.commands import network as podnet_commands
from podnet_policy import snat
from podnet_policy.resource import Resource
from tests.rulesets import CASES, IPT, PODS, Case, nft

REMOTE = "command:remote:Command"


def resource(name: str = "it", **inputs: Any) -> Resource:
    return Resource(f"urn:pulumi:dev::podnet::{REMOTE}::{name}", REMOTE, inputs)


def conf(subnet: str, **bridge: Any) -> str:
    return json.dumps({"cniVersion": "0.3.1", "type": "bridge", "ipam": {"subnet": subnet}, **bridge})


CONFS = [resource(f"conf{number}", stdin=conf(subnet)) for number, subnet in enumerate(PODS, start=1)]


def problems(bad: Resource, others: Iterable[Resource] = CONFS) -> list[str]:
    """What both policies say of a resource in a stack with these others."""
    in_stack = [problem for urn, problem in snat.check_stack([*others, bad]) if urn == bad.urn]
    return snat.check(bad) + in_stack


def brought(case: Case) -> Resource:
    if case.how == "sh":
        return resource(create=case.text, delete="rm x")
    return resource(create=f"sudo {case.how}", stdin=case.text, delete="rm x")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_a_ruleset_does_between_pods(case: Case) -> None:
    found = problems(brought(case))
    assert bool(found) == case.hidden, found
    assert "cannot be judged" not in "".join(found)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_only_one_of_the_two_policies_refuses_it(case: Case) -> None:
    bad = brought(case)
    assert not (snat.check(bad) and [urn for urn, _ in snat.check_stack([*CONFS, bad]) if urn == bad.urn])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("table ip x {\n chain p {\n  masquerade\n", "as a ruleset of nft: } was expected"),
        ("table ip x {\n set s { elements = 10.0.0.1 }\n snat\n}", ""),
        ("add rule ip\nadd rule ip x y masquerade", "as a ruleset of nft: the name of a table was expected"),
        ("table ip x { chain p { masquerade comment \"a\n", "as a ruleset of nft: it goes wrong at"),
        ('{"nftables": [{"rule": {"family": "ip", "expr": [{"masquerade": null}]}}]}', "as JSON of nft: KeyError"),
        ("*nat\n-A POSTROUTING -m comment --comment \"it's -j MASQUERADE\nCOMMIT\n", "as a rule of iptables"),
        (f'{IPT} -A POSTROUTING -j "$TARGET"\n', "only the shell knows what $TARGET is"),
        (f"echo 'a\n{IPT} -A POSTROUTING -j MASQUERADE\n", "as a shell script: a quote is not closed"),
        ('{"cniVersion": "0.3.1", "ipMasq": true,}', "a CNI conf cannot be read as JSON"),
        ("cat > /etc/cni/net.d/c <<END\n{\"ipMasq\": $MASQ}\nEND\n", "a CNI conf cannot be read as JSON"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(text: str, words: str) -> None:
    found = problems(resource(stdin=text))
    assert [("cannot be judged" in problem, words in problem) for problem in found] == ([(True, True)] if words else [])


def test_a_ruleset_is_what_is_given_to_nft() -> None:
    """A rule may begin with a table's name: nobody can tell that from another command."""
    assert problems(resource(create="sudo nft -f -", stdin="ip nat post masquerade"))
    assert problems(resource(create="sudo nft -f -", stdin="something else, with masquerade"))
    assert not problems(resource(create="sudo tee /x", stdin="something else, with masquerade"))


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("-A POSTROUTING ! -d $PODS -j MASQUERADE", "a value that only the shell knows"),
        ("-A POSTROUTING ! -d pods.example -j MASQUERADE", "a name"),
        ("-A POSTROUTING -m set ! --match-set pods dst -j MASQUERADE", "a set elsewhere"),
        ("-A POSTROUTING -m mark --mark 0x4000/0x4000 -j MASQUERADE", "a mark that anybody may set"),
        ("-I POSTROUTING 7 -d 10.22.0.0/16 -j RETURN\niptables -t nat -A POSTROUTING -j MASQUERADE", "a place"),
    ],
)
def test_what_nobody_can_see_spares_nothing(rule: str, why: str) -> None:
    assert problems(resource(create=f"{IPT} {rule}")), why


@pytest.mark.parametrize(
    ("text", "on"),
    [
        (conf("10.22.1.0/24", ipMasq=True), True),
        (conf("10.22.1.0/24", ipMasq=False), False),
        ('{"type": "bridge", "ip\\u004dasq": true}', True),
        # The plugins read JSON with Go's encoding/json, which takes keys in any case.
        ('{"type": "bridge", "ip\\u006dasq": true}', True),
        ('{"type": "bridge", "IPMASQ": true, "ipMasq": false}', True),
        ('{"type": "bridge", "ipMasq": false, "ipMasq": true}', True),
        ('{"type": "bridge", "ipMasq": true, "ipMasq": false}', True),
        ('{"plugins": [{"type": "bridge", "delegate": {"ipMasq": true}}]}', True),
        ('tee /etc/c <<E\n{"ipMasq": true}\nE', True),
        ("echo '{\"ip\\u004dasq\": true}' > /etc/c", True),
        ('echo "{\\"ipMasq\\": true}" > /etc/c', True),
        ('echo "{\\"ipMasq\\": false}" > /etc/c', False),
        (json.dumps({"kind": "ConfigMap", "data": {"c": conf("10.22.1.0/24", ipMasq=True)}}), True),
        ("---\nkind: ConfigMap\ndata:\n  c: |\n    {\n      \"ipMasq\": true\n    }\n", True),
        ("---\nkind: NetConf\nipMasq: true\n", True),
        ("---\nkind: NetConf\nipMasq: false\n", False),
        ("# with ipMasq the plugin makes a rule\ntrue\n", False),
    ],
)  # fmt: skip
def test_a_cni_conf_with_ip_masq(text: str, on: bool) -> None:
    assert ["ipMasq on" in problem for problem in snat.check(resource(stdin=text))] == ([True] if on else [])


def test_it_looks_into_every_input() -> None:
    args = [*IPT.split(), "-A", "POSTROUTING", "-j", "MASQUERADE"]
    pod = Resource("urn::pod", "kubernetes:core/v1:Pod", {"spec": {"containers": [{"image": "a:1", "command": args}]}})
    assert [problem.partition(":")[0] for problem in snat.check(pod)] == ["spec.containers[0].command"]
    assert [problem.partition(":")[0] for problem in snat.check(resource(update=f"{IPT} -A P -j MASQUERADE"))] == [
        "update"
    ]


def test_what_it_says() -> None:
    (everything,) = problems(resource(create=f"{IPT} -A POSTROUTING -j MASQUERADE"))
    assert "create: the rule `iptables -t nat -A POSTROUTING -j MASQUERADE` spares no destination" in everything
    (one,) = problems(resource(stdin=nft("ip saddr 10.22.1.0/24 ip daddr 10.22.2.7 snat to 10.0.0.1")))
    assert "`ip saddr 10.22.1.0/24 ip daddr 10.22.2.7 snat to 10.0.0.1` does not spare 10.22.2.0/24, the pods of" in one
    assert one.endswith("of conf2: they do not see the addresses of conf1")


def test_where_no_conf_says_where_the_pods_are() -> None:
    networking = {"kind": "ClusterConfiguration", "networking": {"podSubnet": "10.22.0.0/16"}}
    cluster = resource("init", stdin="---\n" + json.dumps(networking))
    part = resource(create=f"{IPT} -A POSTROUTING ! -d 10.22.1.0/24 -j MASQUERADE")
    whole = resource(create=f"{IPT} -A POSTROUTING ! -d 10.22.0.0/16 -j MASQUERADE")
    sources = resource(create=f"{IPT} -A POSTROUTING -s 10.9.0.0/16 -j MASQUERADE")
    assert [bool(problems(each, [cluster])) for each in (part, whole, sources)] == [True, False, False]
    # Then the pods may be anywhere, and what is spared may be they.
    assert [bool(problems(each, [])) for each in (part, whole, sources)] == [False, False, True]


def test_podnets_own_scripts_pass() -> None:
    for path in Path(scripts.__file__).parent.iterdir():
        if path.suffix not in (".py", ".pyc") and path.is_file():
            assert problems(resource(stdin=path.read_text())) == [], path.name
    assert problems(resource(stdin=podnet_commands.service().stdin)) == []
