"""Reads what iptables-save prints (iptables-save(8), iptables-extensions(8))."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import replace
from typing import Final

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

_TARGETS: Final = {
    "ACCEPT": Effect.ACCEPT,
    "DROP": Effect.DROP,
    "REJECT": Effect.DROP,
    "RETURN": Effect.RETURN,
    "QUEUE": Effect.DROP,
    "NFQUEUE": Effect.DROP,
    "MASQUERADE": Effect.TRANSLATE,
    "SNAT": Effect.TRANSLATE,
    "DNAT": Effect.TRANSLATE,
    "NETMAP": Effect.TRANSLATE,
    "REDIRECT": Effect.TRANSLATE,
    "TPROXY": Effect.TRANSLATE,
    "MARK": Effect.MARK,
}
"""A queue hands the packet to a program that may do anything. Every other target that is no chain changes neither
way nor address (LOG, NFLOG, CT, TCPMSS, CONNMARK, ...)."""

_WITHOUT_MEANING: Final = ("--comment", "--nfacct-name")
"""Options of matches that always hold: a remark, a counter."""


def tables(text: str, tool: str) -> tuple[Table, ...]:
    """Read every table. tool: the command that printed it, without -save.

    Raises PodnetError for anything else than its output.
    """
    found: list[Table] = []
    lines: list[str] = []
    name = ""
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("*"):
            name, lines = line[1:], []
        elif line == "COMMIT" and name:
            found.append(_table(tool, name, lines))
            name = ""
        elif name and line.startswith((":", "-A ", "[")):
            lines.append(line)
        else:
            raise PodnetError(f"{tool}-save printed a line that belongs to no table: {line}")
    if name:
        raise PodnetError(f"{tool}-save ended in the middle of the table {name}")
    return tuple(found)


def _table(tool: str, name: str, lines: list[str]) -> Table:
    policies: dict[str, str] = {}
    rules: dict[str, list[Rule]] = {}
    for line in lines:
        if line.startswith(":"):
            chain, policy = line[1:].split()[:2]
            policies[chain], rules[chain] = policy, []
    for line in lines:
        if line.startswith(":"):
            continue
        # With -c a rule begins with its counters.
        text = line.partition("] ")[2] if line.startswith("[") else line
        chain, rule = _rule(text, frozenset(policies))
        if chain not in rules:
            raise PodnetError(f"{tool}-save printed a rule of an unknown chain: {text}")
        rules[chain].append(rule)
    chains = {
        chain: Chain(chain, "" if policy == "-" else chain.lower(), policy == "DROP", tuple(rules[chain]))
        for chain, policy in policies.items()
    }
    return Table(tool, "ip", name, chains, frozenset(chains) if name == "nat" else frozenset())


def _rule(text: str, chains: frozenset[str]) -> tuple[str, Rule]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise PodnetError(f"a rule of iptables cannot be read: {text} ({error})") from None
    reader = _Words(words[2:])
    rule = Rule(text, (), Effect.NONE)
    conditions: list[Condition] = []
    match = ""  # two matches have an option --mark, and mean other marks
    while reader.left:
        word = reader.take()
        negated = word == "!"
        if negated:
            word = reader.take()
        if word == "-m":
            match = reader.take()
        elif word in ("-j", "-g"):
            rule = _target(rule, word, reader.take(), reader.rest(), chains)
        elif word in _WITHOUT_MEANING:
            reader.take()
        else:
            conditions.append(_condition(match, word, reader.values(), negated=negated))
    return words[1], replace(rule, conditions=tuple(conditions))


class _Words:
    """The words of a rule, taken from the left."""

    def __init__(self, words: list[str]) -> None:
        self.left = words

    def take(self) -> str:
        if not self.left:
            raise PodnetError("iptables-save printed a rule that ends too early")
        return self.left.pop(0)

    def values(self) -> list[str]:
        """The values of an option: up to the next option."""
        count = next((i for i, word in enumerate(self.left) if word == "!" or _is_option(word)), len(self.left))
        found, self.left = self.left[:count], self.left[count:]
        return found

    def rest(self) -> list[str]:
        found, self.left = self.left, []
        return found


def _is_option(word: str) -> bool:
    return word.startswith("-") and len(word) > 1 and not word[1].isdigit()


def _target(rule: Rule, word: str, target: str, options: list[str], chains: frozenset[str]) -> Rule:
    if target in chains:
        return replace(rule, effect=Effect.GOTO if word == "-g" else Effect.JUMP, chain=target)
    effect = _TARGETS.get(target, Effect.NONE)
    return replace(rule, effect=effect, mark=_new_mark(options) if effect is Effect.MARK else NewMark())


def _new_mark(options: list[str]) -> NewMark:
    # iptables-save prints every way of marking as --set-xmark, but for those it knows simpler words for.
    operations: dict[str, Callable[[int, int], NewMark]] = {
        "--set-xmark": NewMark,
        "--set-mark": lambda value, mask: NewMark(value, mask | value),
        "--or-mark": lambda value, _: NewMark(value, value),
        "--and-mark": lambda value, _: NewMark(0, _ALL & ~value),
        "--xor-mark": lambda value, _: NewMark(value, 0),
    }
    if len(options) == 2 and options[0] in operations:
        value, mask = _value_and_mask(options[1])
        return operations[options[0]](value, mask)
    return NewMark(unknown=True)


def _value_and_mask(text: str) -> tuple[int, int]:
    value, _, mask = text.partition("/")
    try:
        return int(value, 0), int(mask, 0) if mask else _ALL
    except ValueError:
        raise PodnetError(f"iptables-save printed a mark that is no number: {text}") from None


def _condition(match: str, option: str, values: list[str], *, negated: bool) -> Condition:
    value = values[0] if len(values) == 1 else ""
    sides = {"-s": Side.SOURCE, "-d": Side.DESTINATION, "-i": Side.SOURCE, "-o": Side.DESTINATION}
    types = {"--src-type": Side.SOURCE, "--dst-type": Side.DESTINATION}
    if value and option in ("-s", "-d"):
        return Addresses(sides[option], (_network(value),), negated)
    if value and option in ("-i", "-o"):
        return Interfaces(sides[option], (value[:-1] + "*" if value.endswith("+") else value,), negated)
    if value and option in types:
        return AddressTypes(types[option], frozenset(value.upper().split(",")), negated)
    if value and option in ("--ctstate", "--state"):
        return States(frozenset(value.upper().split(",")), negated)
    if value and (match, option) == ("mark", "--mark"):
        return Mark(*_value_and_mask(value), negated)
    return Unread(" ".join(["!"] * negated + [option, *values]))


def _network(text: str) -> IPNetwork:
    try:
        return addressing.parse_network(text if "/" in text else f"{text}/32", Family.IPV4)
    except AddressError as error:
        raise PodnetError(f"iptables-save printed a network that is none: {error}") from None
