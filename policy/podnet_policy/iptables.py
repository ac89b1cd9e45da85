"""Reads rules of iptables and ip6tables: a command's words, and the input of iptables-restore (iptables(8))."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import Final

from podnet_policy import addresses
from podnet_policy.netfilter import Addresses, Effect, Rule, Ruleset, Side
from podnet_policy.shell import UnreadableError

_PROGRAM: Final = re.compile(r"(?:.*/)?(ip6?tables)(?:-nft|-legacy)?")
_SHORT: Final = {
    "-t": "table", "-A": "append", "-I": "insert", "-R": "replace", "-s": "source", "-d": "destination", "-j": "jump",
    "-g": "goto", "-m": "match", "-p": "protocol", "-i": "in-interface", "-o": "out-interface",
}  # fmt: skip
_LONG: Final = (
    "table", "append", "insert", "replace", "source", "src", "destination", "dst", "jump", "goto", "match", "protocol",
    "in-interface", "out-interface", "delete", "check", "list", "list-rules", "flush", "zero", "new-chain",
    "delete-chain", "policy", "rename-chain", "numeric", "verbose", "wait", "modprobe", "exact", "line-numbers",
    "set-counters", "fragment", "ipv4", "ipv6", "version", "help",
)  # fmt: skip
"""Of iptables itself: getopt_long takes a beginning that only one of them has."""

_TARGETS: Final = {
    "MASQUERADE": Effect.TRANSLATE,
    "SNAT": Effect.TRANSLATE,
    "NETMAP": Effect.TRANSLATE,
    "ACCEPT": Effect.END,
    "DROP": Effect.END,
    "REJECT": Effect.END,
    "RETURN": Effect.RETURN,
}
_BEFORE_ROUTING: Final = ("PREROUTING", "OUTPUT")
"""Where NETMAP translates destinations."""

_BEGINS: Final = re.compile(
    r"(?:\s*#[^\n]*\n|\s+)*(?:\*(?:nat|filter|mangle|raw|security)\s*(?:\n|$)|:\S+ +\S+ *\[|(?:\[\d+:\d+\]\s+)?"
    r"(?:-[AIR]\s*\w|--append\b|--insert\b|--replace\b|(?:-t|--table)[\s=]*\w+\s+-))"
)
_VERSIONS: Final = {"iptables": frozenset({4}), "ip6tables": frozenset({6}), "": frozenset({4, 6})}
_TRANSLATES: Final = re.compile(r"(?:-[jg]|--\w+=)?(?:MASQUERADE|SNAT|NETMAP)")
_COUNTERS: Final = re.compile(r"^\s*\[\d+:\d+\]\s*")


def begins(text: str) -> bool:
    """Whether a text is input of iptables-restore, or the words of one rule, by its first line."""
    return bool(_BEGINS.match(text))


def called(words: Sequence[str]) -> tuple[str, Sequence[str]] | None:
    """Find what a command calls iptables with: the tool and its words. A variable or a function may stand for its name.

    Such a name is taken for iptables where the words name a target that translates.
    """
    for index, word in enumerate(words):
        if program := _PROGRAM.fullmatch(word):
            return program[1], words[index + 1 :]
    options = [index for index, word in enumerate(words) if word.startswith("-")]
    if options and any(_TRANSLATES.fullmatch(word) for word in words):
        return "", words[options[0] :]
    return None


def restore(text: str, into: Ruleset) -> None:
    """Read the input of iptables-restore. Raises UnreadableError for a rule that cannot be read."""
    table = "nat"
    for line in text.replace("\\\n", " ").splitlines():
        rule = _COUNTERS.sub("", line).strip()
        if rule.startswith("*"):
            table = rule[1:].strip()
        elif rule.startswith("-"):
            try:
                words = shlex.split(rule)
            except ValueError as error:
                raise UnreadableError(f"as a rule of iptables: {rule} ({error})") from None
            add("", words, into, table)


def add(tool: str, words: Sequence[str], into: Ruleset, table: str = "filter") -> None:
    """Read what a call of iptables adds; other calls add nothing. Raises UnreadableError for a target nobody can see.

    tool: iptables or ip6tables; empty where it may be either.
    """
    reader = _Reader(tool, words, table)
    reader.read()
    rule = reader.rule
    if not reader.chain:
        return
    if rule.effect is Effect.JUMP and re.search(r"[$`*]", rule.target):
        raise UnreadableError(f"as a rule of iptables: only the shell knows what {rule.target} is in {rule.text}")
    if reader.number not in ("", "1") and rule.effect is not Effect.TRANSLATE:
        return  # whatever it spares may stand behind what translates
    into.add((tool, reader.table, reader.chain), rule, first=reader.first)


class _Reader:
    def __init__(self, tool: str, words: Sequence[str], table: str) -> None:
        self.rule = Rule(" ".join([tool, *words]).strip(), _VERSIONS[tool])
        self.table = table
        self.chain = ""
        self.number = ""
        self.first = False
        self._left = list(words)

    def read(self) -> None:
        negated = False
        while self._left:
            word = self._left.pop(0)
            if word == "!":
                negated = True
                continue
            self._option(_name(self._apart(word)), negated=negated)
            negated = False

    def _apart(self, word: str) -> str:
        """Take an option's value, where it stands in the same word, out of it."""
        joined = word[:2] in _SHORT and len(word) > 2
        option, value = (word[:2], word[2:]) if joined else (word, "")
        if word.startswith("--") and "=" in word:
            option, _, value = word.partition("=")
        if value:
            self._left.insert(0, value)
        return option

    def _option(self, name: str, *, negated: bool) -> None:
        match name:
            case "table":
                self.table = self._value()
            case "append" | "insert" | "replace":
                self.chain = self._value()
                self.first = name == "insert"
                self.number = self._left.pop(0) if self._left and self._left[0].isdigit() else ""
            case "source" | "src" | "--src-range":
                self._address(Side.SOURCE, negated=negated)
            case "destination" | "dst" | "--dst-range":
                self._address(Side.DESTINATION, negated=negated)
            case "jump" | "goto":
                self._target(self._value(), name)
            case "match":
                # What a match asks for stands in its options.
                self._value()
            case "--comment":
                self._value()
            case "wait" | "-w":
                if self._left and self._left[0].isdigit():
                    self._left.pop(0)
            case "protocol":
                self.rule.certain &= self._value() in ("all", "0") and not negated
            case "verbose" | "numeric" | "-v" | "-n":
                pass
            case _:
                self.rule.certain = False

    def _address(self, side: Side, *, negated: bool) -> None:
        value = self._value()
        if value == "!":  # as it was written before 2009
            negated, value = True, self._value()
        values = tuple(value.split(","))
        self.rule.conditions.append(Addresses(side, values, negated))
        self.rule.versions &= {read[0] for each in values if (read := addresses.read(each))} or self.rule.versions

    def _target(self, target: str, name: str) -> None:
        effect = _TARGETS.get(target)
        if effect is None:
            self.rule.effect = Effect.GOTO if name == "goto" else Effect.JUMP
            self.rule.target = target
        elif target != "NETMAP" or self.chain not in _BEFORE_ROUTING:
            self.rule.effect = effect
        if effect is Effect.TRANSLATE:
            self._options_of_target()

    def _options_of_target(self) -> None:
        """Pass over a target's own options: they take values that could be taken for something else."""
        while self._left and self._left[0].startswith(("--to", "--random", "--persistent", "--fully")):
            option = self._left.pop(0)
            if option.startswith("--to") and "=" not in option and self._left:
                self._left.pop(0)

    def _value(self) -> str:
        return self._left.pop(0) if self._left else ""


def _name(word: str) -> str:
    """Give an option of iptables by its long name, one of a match as it is; empty for what is no option."""
    if not word.startswith("-"):
        return ""
    if not word.startswith("--"):
        return _SHORT.get(word, word)
    if word[2:] in _LONG:
        return word[2:]
    meant = [name for name in _LONG if name.startswith(word[2:])]
    return meant[0] if len(meant) == 1 else word
