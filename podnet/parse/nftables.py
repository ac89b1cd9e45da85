"""Reads what ``nft --json list ruleset`` prints (libnftables-json(5)); the words of a rule come from ``nft -a``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from netaddr import IPNetwork

from podnet import addressing
from podnet.addressing import AddressError, Family
from podnet.errors import PodnetError
from podnet.parse.netfilter import (
    Addresses,
    AddressTypes,
    Chain,
    Condition,
    Effect,
    Interfaces,
    Mark,
    NewMark,
    Rule,
    Side,
    States,
    Table,
    Unread,
)

_ALL: Final = 0xFFFFFFFF

_EFFECTS: Final = {
    "accept": Effect.ACCEPT,
    "drop": Effect.DROP,
    "reject": Effect.DROP,
    "return": Effect.RETURN,
    "jump": Effect.JUMP,
    "goto": Effect.GOTO,
    "masquerade": Effect.TRANSLATE,
    "snat": Effect.TRANSLATE,
    "dnat": Effect.TRANSLATE,
    "redirect": Effect.TRANSLATE,
    "tproxy": Effect.TRANSLATE,
    # Where these lead is not followed: they may do anything.
    "queue": Effect.DROP,
    "vmap": Effect.DROP,
}
_XT_EFFECTS: Final = {
    "MASQUERADE": Effect.TRANSLATE,
    "SNAT": Effect.TRANSLATE,
    "DNAT": Effect.TRANSLATE,
    "NETMAP": Effect.TRANSLATE,
    "REDIRECT": Effect.TRANSLATE,
    "REJECT": Effect.DROP,
    "NFQUEUE": Effect.DROP,
}
"""Targets of iptables, in a table that iptables itself could not print."""

_HARMLESS: Final = frozenset({"counter", "log", "notrack", "continue", "comment", "set", "flow"})
_HANDLE: Final = re.compile(r"^\s*(?P<text>.*?) # handle (?P<handle>\d+)$")
_TABLE: Final = re.compile(r"^table (?P<family>\S+) (?P<name>\S+) \{")


def tables(text: str, listing: str = "") -> tuple[Table, ...]:
    """Read every table. listing: what ``nft -a list ruleset`` printed, for the words of the rules.

    Raises PodnetError for anything else than the output of nft.
    """
    try:
        objects = [_only(entry) for entry in json.loads(text)["nftables"]]
        named = [item for kind, item in objects if kind == "set"]
        sets = {(item["family"], item["table"], item["name"]): item.get("elem", []) for item in named}
        names = [(item["family"], item["name"]) for kind, item in objects if kind == "table"]
        words = _words(listing)
        return tuple(_table(name, objects, sets, words) for name in names)
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
        raise PodnetError(f"the output of `nft --json list ruleset` is not what it was: {error!r}") from error


_Name = tuple[str, str]
_Sets = Mapping[tuple[str, str, str], Any]
_WordsOf = Mapping[tuple[str, str, int], str]


def _only(entry: Mapping[str, Any]) -> tuple[str, Any]:
    """The one key of an object and its value: that is how nft says what a thing is."""
    ((key, value),) = entry.items()
    return key, value


def _words(listing: str) -> dict[tuple[str, str, int], str]:
    """What stands before each handle, by table: handles are one table's own."""
    found: dict[tuple[str, str, int], str] = {}
    family = name = ""
    for line in listing.splitlines():
        if table := _TABLE.match(line):
            family, name = table["family"], table["name"]
        elif rule := _HANDLE.match(line):
            found[family, name, int(rule["handle"])] = rule["text"]
    return found


def _table(table: _Name, objects: list[tuple[str, dict[str, Any]]], sets: _Sets, words: _WordsOf) -> Table:
    mine = [(kind, item) for kind, item in objects if (item.get("family"), item.get("table")) == table]
    rules: dict[str, list[Rule]] = {item["name"]: [] for kind, item in mine if kind == "chain"}
    for kind, item in mine:
        if kind == "rule":
            text = words.get((*table, item["handle"]), f"rule {item['handle']} of chain {item['chain']}")
            rules[item["chain"]].extend(_rules(table, item["expr"], text, sets))
    chains = {
        item["name"]: Chain(
            item["name"], item.get("hook", ""), item.get("policy") == "drop", tuple(rules[item["name"]])
        )
        for kind, item in mine
        if kind == "chain"
    }
    nat = frozenset(item["name"] for kind, item in mine if kind == "chain" and item.get("type") == "nat")
    return Table("nft", *table, chains, nat)


def _rules(table: _Name, expressions: list[dict[str, Any]], text: str, sets: _Sets) -> Iterator[Rule]:
    """One rule of nft as one or more: it may set a mark and then accept."""
    conditions: list[Condition] = []
    for expression in expressions:
        key, value = _only(expression)
        if key == "match":
            conditions.extend(_conditions(table, value, sets))
        elif key == "mangle":
            yield _mangle(value, text, tuple(conditions))
        elif key == "xt" and value.get("type") == "target":
            effect = _XT_EFFECTS.get(value.get("name"), Effect.NONE)
            mark = NewMark(unknown=True)
            yield Rule(text, tuple(conditions), Effect.MARK if value.get("name") == "MARK" else effect, mark=mark)
        elif key in _EFFECTS:
            chain = value["target"] if key in ("jump", "goto") else ""
            yield Rule(text, tuple(conditions), _EFFECTS[key], chain)
        elif key not in _HARMLESS and not (key == "xt" and value.get("name") == "comment"):
            conditions.append(Unread(key))


def _mangle(value: Mapping[str, Any], text: str, conditions: tuple[Condition, ...]) -> Rule:
    key = value["key"]
    if key == {"meta": {"key": "mark"}}:
        return Rule(text, conditions, Effect.MARK, mark=_new_mark(value["value"]))
    rewrites = isinstance(key, dict) and key.get("payload", {}).get("field") in ("saddr", "daddr")
    return Rule(text, conditions, Effect.TRANSLATE if rewrites else Effect.NONE)


def _new_mark(value: Any) -> NewMark:
    match value:
        case int():
            return NewMark(value, _ALL)
        case {"|": [{"meta": {"key": "mark"}}, int(bits)]}:
            return NewMark(bits, bits)
        case {"&": [{"meta": {"key": "mark"}}, int(bits)]}:
            return NewMark(0, _ALL & ~bits)
        case {"^": [{"meta": {"key": "mark"}}, int(bits)]}:
            return NewMark(bits, 0)
    return NewMark(unknown=True)


def _conditions(table: _Name, match: Mapping[str, Any], sets: _Sets) -> Iterator[Condition]:
    negated = match["op"] == "!="
    if match["op"] not in ("==", "!=", "in"):
        yield Unread(json.dumps(match))
        return
    values = _values(table, match["right"], sets)
    nothing = Addresses(Side.SOURCE, ())
    match match["left"]:
        case {"payload": {"protocol": "ip", "field": ("saddr" | "daddr") as field}}:
            side = Side.SOURCE if field == "saddr" else Side.DESTINATION
            yield Addresses(side, tuple(network for value in values for network in _networks(value)), negated)
        case {"payload": {"protocol": "ip6" | "icmpv6"}}:
            yield nothing  # asks for IPv6 first
        case {"meta": {"key": ("nfproto" | "protocol") as key}} if all(isinstance(value, str) for value in values):
            if (("ipv4" if key == "nfproto" else "ip") in values) == negated:
                yield nothing
        case {"meta": {"key": ("iifname" | "oifname" | "iif" | "oif") as key}}:
            side = Side.SOURCE if key.startswith("i") else Side.DESTINATION
            yield Interfaces(side, tuple(map(str, values)), negated)
        case {"ct": {"key": "state"}}:
            yield States(frozenset(str(value).upper() for value in values), negated)
        case {"fib": {"result": "type", "flags": ["saddr" | "daddr" as flag]}}:
            side = Side.SOURCE if flag == "saddr" else Side.DESTINATION
            yield AddressTypes(side, frozenset(str(value).upper() for value in values), negated)
        case {"meta": {"key": "mark"}} if len(values) == 1 and isinstance(values[0], int):
            yield Mark(values[0], _ALL, negated)
        case {"&": [{"meta": {"key": "mark"}}, int(mask)]} if len(values) == 1 and isinstance(values[0], int):
            yield Mark(values[0], mask, negated)
        case other:
            yield Unread(json.dumps(other))


def _values(table: _Name, right: Any, sets: _Sets) -> list[Any]:
    """The values that a match compares with, one by one; of a named set, what is in it."""
    if isinstance(right, str) and right.startswith("@"):
        if (*table, right[1:]) not in sets:
            raise PodnetError(f"nft printed a rule with an unknown set: {right}")
        right = sets[(*table, right[1:])]
    if isinstance(right, dict) and "set" in right:
        right = right["set"]
    values = right if isinstance(right, list) else [right]
    return [value["elem"]["val"] if isinstance(value, dict) and "elem" in value else value for value in values]


def _networks(value: Any) -> tuple[IPNetwork, ...]:
    try:
        match value:
            case str():
                address = addressing.parse_address(value, Family.IPV4)
                return (addressing.network_of(address, Family.IPV4.bits),)
            case {"prefix": {"addr": str(address), "len": int(prefix)}}:
                return (addressing.network_of(addressing.parse_address(address, Family.IPV4), prefix),)
            case {"range": [str(first), str(last)]}:
                return addressing.span(*(addressing.parse_address(each, Family.IPV4) for each in (first, last)))
    except AddressError as error:
        raise PodnetError(f"nft printed an address that is none: {error}") from None
    raise PodnetError(f"nft printed something that is no address: {json.dumps(value)}")
