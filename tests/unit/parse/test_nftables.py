"""nft's JSON, as printed by nftables 1.0.6 on real hosts."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podnet.errors import PodnetError
from podnet.parse import nftables
from podnet.parse.netfilter import Effect, NewMark, Rule

from .words import described

CAPTURED = Path(__file__).parents[2] / "captured"
FOREIGN = nftables.tables((CAPTURED / "foreign-nft.json").read_text(), (CAPTURED / "foreign-nft.txt").read_text())[0]
NETWORKS = "10.22.0.0/16 10.30.0.1/32 10.30.0.2/31 10.30.0.4/31 10.30.0.6/32 192.0.2.7/32"


def rules(chain: str) -> list[Rule]:
    return list(FOREIGN.chains[chain].rules)


def told(rule: Rule) -> tuple[str, list[str]]:
    return f"{rule.effect} {rule.chain}".strip(), [described(each) for each in rule.conditions]


def test_chains() -> None:
    assert {(chain.name, chain.hook, chain.drops) for chain in FOREIGN.chains.values()} == {
        ("own", "", False),
        ("postrouting", "postrouting", False),
        ("forward", "forward", True),
    }
    assert FOREIGN.nat_chains == {"postrouting"}


def test_rules_of_a_regular_chain() -> None:
    assert [told(rule) for rule in rules("own")] == [
        ("accept", [f"source {NETWORKS}"]),
        ("drop", ["destination 10.1.0.0/16 10.2.0.5/32"]),
    ]


def test_rules_of_translation() -> None:
    assert [told(rule) for rule in rules("postrouting")] == [
        ("translate", ["source 10.22.2.0/24", f"! destination {NETWORKS}"]),
        ("translate", ["source"]),  # IPv6: no packet of IPv4
        ("translate", ["destination eth*", "0x4000/0x4000"]),
        ("jump own", ["destination LOCAL", "destination 10.9.9.9/32"]),
    ]


def test_rules_of_a_filter() -> None:
    assert [told(rule) for rule in rules("forward")] == [
        ("accept", ["ESTABLISHED RELATED"]),
        ("drop", ["INVALID"]),
        ("mark", ["source cni0 cni1"]),
        ("accept", ["source cni0 cni1"]),
        ("goto own", ["source"]),
        ("drop", []),
        ("drop", ["? limit"]),
        ("mark", []),
        ("translate", ["0x7/0xffffffff"]),
        ("return", ["0x7/0xffffffff"]),
    ]
    marks = [rule.mark for rule in rules("forward") if rule.effect is Effect.MARK]
    assert marks == [NewMark(0x10, 0x10), NewMark(7, 0xFFFFFFFF)]


def test_words_are_those_of_the_listing() -> None:
    assert rules("postrouting")[0].text == 'ip saddr 10.22.2.0/24 ip daddr != @pods masquerade comment "pods out"'
    without = nftables.tables((CAPTURED / "foreign-nft.json").read_text())[0]
    assert without.chains["postrouting"].rules[0].text == "rule 8 of chain postrouting"


def test_a_whole_node() -> None:
    programs = json.loads((CAPTURED / "node1.json").read_text())["programs"]
    tables = nftables.tables(programs["nft"]["output"], programs["nft-words"]["output"])
    assert ("ip", "podnet") in {(table.family, table.name) for table in tables}
    # Rules of iptables in nft's words: what it does not know is a condition that may hold.
    nat = next(table for table in tables if (table.family, table.name) == ("ip", "nat"))
    assert [told(rule) for rule in nat.chains["KUBE-POSTROUTING"].rules] == [
        ("return", ["! 0x4000/0x4000"]),
        ("mark", []),
        ("translate", []),
    ]


def _places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    keys = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in keys:
        yield (*place, key)
        yield from _places(inner, (*place, key))


WHOLE = json.loads((CAPTURED / "foreign-nft.json").read_text())


@given(st.sampled_from(list(_places(WHOLE))), st.sampled_from([None, 7, "x", [], {}]))
def test_whatever_changes_is_read_or_refused(place: tuple[Any, ...], value: Any) -> None:
    """There is no error of another kind."""
    changed = json.loads(json.dumps(WHOLE))
    inner = changed
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    with contextlib.suppress(PodnetError):
        nftables.tables(json.dumps(changed))


def document(*objects: object) -> str:
    return json.dumps({"nftables": objects})


TABLE = {"table": {"family": "ip", "name": "t"}}
CHAIN = {"chain": {"family": "ip", "table": "t", "name": "c"}}


def rule_of(right: object) -> dict[str, object]:
    match = {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": right}
    place = {"family": "ip", "table": "t", "chain": "c", "handle": 1}
    return {"rule": {**place, "expr": [{"match": match}, {"drop": None}]}}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"nftables": [7]}',
        '{"nftables": [{}]}',
        document({"table": {"family": "ip"}}),
        document({"table": "t"}),
        document(TABLE, CHAIN, {"rule": {"family": "ip", "table": "t", "chain": "c"}}),
        document(TABLE, CHAIN, rule_of("@nowhere")),
        document(TABLE, CHAIN, rule_of("nobody")),
        document(TABLE, CHAIN, rule_of({"range": ["10.0.0.9", "10.0.0.1"]})),
        document(TABLE, CHAIN, rule_of({"concat": []})),
        document(TABLE, rule_of("10.0.0.1")),
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(PodnetError):
        nftables.tables(text)
