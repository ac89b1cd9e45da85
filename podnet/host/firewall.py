"""Room in this host's own firewall (Docker, ufw, firewalld): boxes reach each other and the gateway through it.

A rule of podnet's goes before all others in each chain that may drop what boxes send. An accept in a table of its own
would not do: what another chain drops is dropped.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

from podnet.host import kernel
from podnet.host.programs import answer, run

_HOOKS: Final = ("forward", "input")
_MAY_DROP: Final = {"drop", "reject", "jump", "goto", "queue", "vmap"}
"""Statements of nft, as libnftables-json(5) calls them."""

_LEGACY: Final = "legacy"
_LEGACY_TABLES: Final = Path("/proc/net/ip_tables_names")
_LEGACY_RULE: Final = re.compile(r"-A (FORWARD|INPUT) (?!.*-j (ACCEPT|LOG|RETURN)( |$))")


class Chain(NamedTuple):
    """A chain on a hook of the kernel, of nft or of iptables-legacy, which the kernel keeps apart."""

    family: str
    table: str
    name: str
    hook: str

    def __str__(self) -> str:
        return f"{self.family} {self.table} {self.name}"


def in_the_way() -> list[Chain]:
    """The chains that may drop what boxes send each other, or to the gateway. One that accepts everything is none."""
    bridged = kernel.sends_bridged_to_firewall()
    return [chain for chain in (*nft_chains(_nft()), *_legacy_chains()) if bridged or chain.hook == "input"]


def make_room(bridge: str) -> None:
    """Let through what comes from a bridge, once in each chain that is in the way."""
    take_room(bridge)
    for chain in in_the_way():
        if chain.family == _LEGACY:
            match = ["-o", bridge] if chain.hook == "forward" else ["-p", "tcp"]
            mark = ["-m", "comment", "--comment", bridge]
            run(["iptables-legacy", "--wait", "-I", chain.name, "-i", bridge, *match, *mark, "-j", "ACCEPT"])
        else:
            match = ["oifname", bridge] if chain.hook == "forward" else ["meta", "l4proto", "tcp"]
            rule = ["iifname", bridge, *match, "counter", "accept", "comment", f'"{bridge}"']
            run(["nft", "insert", "rule", *chain[:3], *rule])


def take_room(bridge: str) -> None:
    """Remove the rules that let a bridge through."""
    for rule in _objects(_nft(), "rule"):
        if rule.get("comment") == bridge:
            where = (rule["family"], rule["table"], rule["chain"])
            run(["nft", "delete", "rule", *where, "handle", str(rule["handle"])])
    for line in _legacy("iptables-legacy", "-S"):
        words = shlex.split(line)
        if words[0] == "-A" and ("--comment", bridge) in pairwise(words):
            run(["iptables-legacy", "--wait", "-D", *words[1:]])


def nft_chains(ruleset: str) -> Iterator[Chain]:
    """The chains of ``nft -j list ruleset`` that may drop what is forwarded or comes in."""
    dropping = {
        (rule["family"], rule["table"], rule["chain"])
        for rule in _objects(ruleset, "rule")
        if any(map(_may_drop, rule["expr"]))
    }
    for each in _objects(ruleset, "chain"):
        chain = Chain(each["family"], each["table"], each["name"], each.get("hook", ""))
        filters = each.get("type") == "filter" and chain.hook in _HOOKS and chain.family in ("ip", "inet")
        if filters and (each["policy"] == "drop" or chain[:3] in dropping):
            yield chain


def _may_drop(statement: dict[str, Any]) -> bool:
    # A part of iptables that nft has no word for.
    extension = statement.get("xt") or {}
    is_target = extension.get("type") == "target" and extension.get("name") != "LOG"
    return is_target or bool(_MAY_DROP & statement.keys())


def _nft() -> str:
    """The ruleset; none where this host has no nft, or its kernel no nftables."""
    return answer(["nft", "-j", "list", "ruleset"]) or '{"nftables": []}'


def _objects(ruleset: str, kind: str) -> list[dict[str, Any]]:
    return [entry[kind] for entry in json.loads(ruleset)["nftables"] if kind in entry]


def legacy_chains(saved: str) -> Iterator[Chain]:
    """The chains of ``iptables-legacy-save`` that may drop what is forwarded or comes in."""
    dropping = set(re.findall(r"^:(FORWARD|INPUT) DROP", saved, re.MULTILINE))
    dropping |= {found[1] for line in saved.splitlines() if (found := _LEGACY_RULE.match(line))}
    for name in sorted(dropping):
        yield Chain(_LEGACY, "filter", name, name.lower())


def _legacy_chains() -> Iterator[Chain]:
    return legacy_chains("\n".join(_legacy("iptables-legacy-save", "--table", "filter")))


def _legacy(*command: str) -> list[str]:
    """What a program of iptables-legacy prints; nothing where nobody has loaded it, which to ask it would do."""
    loaded = _LEGACY_TABLES.exists() and "filter" in _LEGACY_TABLES.read_text().split()
    return (answer(command) or "").splitlines() if loaded else []
