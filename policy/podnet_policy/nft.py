"""Reads nftables rulesets: the text of nft(8), and JSON (libnftables-json(5)).

Of the grammar it knows what says whose packets a rule translates: tables, chains, sets and their elements, variables,
addresses, verdicts. Of everything else it knows where it ends.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from podnet_policy.netfilter import Addresses, Effect, Place, Rule, Ruleset, Side
from podnet_policy.shell import UnreadableError

_FAMILIES: Final = {
    "ip": frozenset({4}),
    "ip6": frozenset({6}),
    "inet": frozenset({4, 6}),
    "bridge": frozenset({4, 6}),
    "netdev": frozenset({4, 6}),
    "arp": frozenset[int](),
}
_ADDING: Final = ("add", "create", "insert", "replace")
_OTHER_COMMANDS: Final = (
    "delete", "destroy", "flush", "list", "reset", "rename", "monitor", "describe", "export", "import", "include",
    "undefine",
)  # fmt: skip
_OBJECTS: Final = ("map", "flowtable", "counter", "quota", "limit", "ct", "secmark", "synproxy", "meter")
_VERDICTS: Final = {
    "accept": Effect.END,
    "drop": Effect.END,
    "reject": Effect.END,
    "return": Effect.RETURN,
    "jump": Effect.JUMP,
    "goto": Effect.GOTO,
    "masquerade": Effect.TRANSLATE,
    "snat": Effect.TRANSLATE,
}
_SIDES: Final = {"saddr": Side.SOURCE, "daddr": Side.DESTINATION}
_EQUAL: Final = ("==", "eq")
_UNEQUAL: Final = ("!=", "ne", "neq")
_PROTOCOLS: Final = {"ip": 4, "ipv4": 4, "icmp": 4, "ip6": 6, "ipv6": 6, "icmpv6": 6}
_END: Final = ("\n", ";")

_PART: Final = re.compile(
    r"""
      (?P<skip>[ \t\r]+|\\\n|\#[^\n]*)
    | (?P<string>"[^"\n]*")
    | (?P<mark><<|>>|[=!<>]=|[\n;{}(),=!<>&|^])
    | (?P<word>[^\s;{}(),=!<>&|^"\#\\]+)
    """,
    re.VERBOSE,
)
_BEGINS: Final = re.compile(
    r"""
      (?:\s*\#[^\n]*\n|\s+)*  # comments and empty lines
      (?:
          table\s+[\w.-]+(?:\s+[\w.-]+)?\s*[{;\n]
        | (?:add|create|insert|replace|delete|destroy|flush|reset)\s+
          (?:table|chain|rule|set|map|element|ruleset|flowtable|counter|quota|limit|ct)\b
        | (?:re)?define\s+\w+\s*=
        | include\s+"
      )
    """,
    re.VERBOSE,
)
_INTERPRETER: Final = re.compile(r"#!\s*\S*\bnft\b")


def begins(text: str) -> bool:
    """Whether a text is a ruleset, by its first statement."""
    return bool(_INTERPRETER.match(text) or _BEGINS.match(text))


def read(text: str, into: Ruleset) -> None:
    """Read a ruleset. Raises UnreadableError for what is none."""
    _Parser(text, into).read()


class _Parser:
    def __init__(self, text: str, into: Ruleset) -> None:
        self._parts = _split(text)
        self._at = 0
        self._into = into
        self._variables: dict[str, list[str]] = {}

    # Statements of a file ---------------------------------------------------------------------------------------

    def read(self) -> None:
        while self._at < len(self._parts):
            if self._peek() in _END:
                self._take()
                continue
            self._statement()

    def _statement(self) -> None:
        word = self._peek()
        if word in ("define", "redefine"):
            self._define()
        elif word in _OTHER_COMMANDS:
            self._skip()
        else:
            adding = self._take() if word in _ADDING else "add"
            self._add(adding)

    def _add(self, adding: str) -> None:
        word = self._peek()
        if word == "table":
            self._take()
            table = self._table()
            if self._peek() == "{":
                self._block(lambda: self._in_table(table))
            self._end()
        elif word in ("chain", "set", "element"):
            self._take()
            self._named(word, self._table())
        elif word in _OBJECTS:
            self._skip()
        else:
            if word == "rule":
                self._take()
            table = self._table()
            chain = (*table, self._name("a chain"))
            # The rules that its place is counted from are not seen: what it spares counts as behind all others.
            placed = self._peek() in ("handle", "position", "index")
            if placed:
                del self._parts[self._at : self._at + 2]
            self._rule(chain, first=adding == "insert", placed=placed)

    def _in_table(self, table: Place) -> None:
        word = self._peek()
        if word in ("chain", "set"):
            self._take()
            self._named(word, table)
        elif word in ("define", "redefine"):
            self._define()
        else:
            self._skip()

    def _named(self, kind: str, table: Place) -> None:
        place = (*table, self._name(f"a {kind}"))
        if kind == "element":
            self._into.sets.setdefault(place, []).extend(self._values())
        elif kind == "set":
            self._into.sets.setdefault(place, [])
            if self._peek() == "{":
                self._block(lambda: self._in_set(place))
        else:
            self._into.chains.setdefault(place, [])
            if self._peek() == "{":
                self._block(lambda: self._in_chain(place))
        self._end()

    def _in_set(self, place: Place) -> None:
        if self._peek() != "elements":
            self._skip()
            return
        self._take()
        self._expect("=")
        self._into.sets[place].extend(self._values())
        self._end()

    def _in_chain(self, place: Place) -> None:
        if self._peek() in ("type", "policy", "comment", "flags", "include"):
            self._skip()
        elif self._peek() in ("define", "redefine"):
            self._define()
        else:
            self._rule(place)

    def _define(self) -> None:
        self._take()
        name = self._name("a variable")
        self._expect("=")
        self._variables[name] = self._values()
        self._end()

    # Rules ------------------------------------------------------------------------------------------------------

    def _rule(self, place: Place, *, first: bool = False, placed: bool = False) -> None:
        start = self._at
        rule = Rule("", _FAMILIES[place[0]])
        while self._at < len(self._parts) and self._peek() not in (*_END, "}"):
            if self._expression(rule):
                break
        self._skip()
        rule.text = " ".join(self._parts[start : self._at]).strip()
        if placed and rule.effect is not Effect.TRANSLATE:
            return
        self._into.add(place, rule, first=first or placed)

    def _expression(self, rule: Rule) -> bool:
        """Read one expression or statement of a rule; whether that decides what becomes of the packet."""
        word = self._take()
        if word in _VERDICTS:
            rule.effect = _VERDICTS[word]
            if rule.effect in (Effect.JUMP, Effect.GOTO):
                rule.target = self._name("a chain")
            return True
        if word in ("ip", "ip6") and self._peek() in _SIDES:
            return self._address(rule, word)
        if word == "counter":
            while self._peek() in ("packets", "bytes"):
                self._at += 2
        elif word == "comment":
            self._at += 1
        elif word == "meta" and self._peek() in ("nfproto", "protocol"):
            self._take()
            _restrict(rule, self._operator(), self._values())
        else:
            rule.certain = False
            self._other(rule, word)
        return False

    def _other(self, rule: Rule, word: str) -> None:
        """Pass over an expression that says nothing of addresses: no word of it is to be taken for something else."""
        if word in ("ip", "ip6", "icmp", "icmpv6"):
            rule.versions &= {_PROTOCOLS[word]}
        elif word == "ct":
            # The packet's addresses before other translations: not the ones asked for here.
            while self._peek() in ("original", "reply", "ip", "ip6", "saddr", "daddr"):
                self._take()
        elif word in ("iifname", "oifname", "iif", "oif"):
            self._operator()
            self._values()
        elif word == "{":
            self._at -= 1
            self._block(self._skip)

    def _address(self, rule: Rule, family: str) -> bool:
        side = _SIDES[self._take()]
        rule.versions &= _FAMILIES[family]
        if self._peek() == "set":
            if side is Side.SOURCE:
                rule.effect = Effect.TRANSLATE
            return side is Side.SOURCE
        if self._peek() in (".", "&", "|", "^", "<", ">", "<=", ">=", "vmap", "map", "and", "or", "xor"):
            rule.certain = False
            if self._peek() == ".":
                self._take()
                if self._peek() in ("ip", "ip6"):
                    self._take()
                    self._take()
            return False
        operator = self._operator()
        rule.conditions.append(Addresses(side, tuple(self._values()), operator in _UNEQUAL))
        return False

    def _operator(self) -> str:
        return self._take() if self._peek() in (*_EQUAL, *_UNEQUAL, "<", ">", "<=", ">=", "!") else "=="

    # Values -----------------------------------------------------------------------------------------------------

    def _values(self) -> list[str]:
        """Read a value, or a list of them in braces; variables are replaced by theirs."""
        if self._peek() == "{":
            return self._list()
        if self._peek() in (*_END, "}", ""):
            raise self._error("a value")
        value = self._take()
        if self._peek() == "-":  # a range with blanks in it
            value += self._take() + self._take()
        return self._known(value)

    def _list(self) -> list[str]:
        self._expect("{")
        found: list[str] = []
        element: list[str] = []
        while (part := self._take_inside()) != "}":
            if part == ",":
                found += self._element(element)
                element = []
            elif part == "{":
                raise self._error("an element")
            elif part != "\n":
                element.append(part)
        return found + self._element(element)

    def _element(self, words: list[str]) -> list[str]:
        if not words:
            return []
        if len(words) > 2 and words[1] == "-":
            words = ["".join(words[:3]), *words[3:]]
        # Of a map, or of a set of several fields: no address.
        whole = " ".join(words) if set(words) & {".", ":"} else words[0]
        return self._known(whole)

    def _known(self, value: str) -> list[str]:
        return self._variables.get(value[1:], [value]) if value.startswith("$") else [value]

    # Parts -----------------------------------------------------------------------------------------------------

    def _block(self, statement: Callable[[], None]) -> None:
        self._expect("{")
        while self._peek() != "}":
            if not self._peek():
                raise self._error("}")
            if self._peek() in _END:
                self._take()
            else:
                statement()
        self._take()

    def _skip(self) -> None:
        """Pass over the rest of a statement, with every block in it."""
        depth = 0
        while self._at < len(self._parts):
            part = self._peek()
            if depth == 0 and (part in _END or part == "}"):
                return
            depth += (part == "{") - (part == "}")
            self._at += 1
        if depth:
            raise self._error("}")

    def _end(self) -> None:
        """What is written belongs to no statement that is known, if it does not end here."""
        if self._peek() not in (*_END, "}", "", "comment"):
            raise self._error("the end of a statement")
        self._skip()

    def _table(self) -> Place:
        family = self._take() if self._peek() in _FAMILIES else "ip"
        return family, self._name("a table")

    def _name(self, what: str) -> str:
        part = self._peek()
        if not part or not re.fullmatch(r"[\w$\"][^\s{}]*", part):
            raise self._error(f"the name of {what}")
        return self._take()

    def _expect(self, part: str) -> None:
        if self._peek() != part:
            raise self._error(part)
        self._take()

    def _peek(self) -> str:
        return self._parts[self._at] if self._at < len(self._parts) else ""

    def _take(self) -> str:
        part = self._peek()
        self._at += 1
        return part

    def _take_inside(self) -> str:
        if not self._peek():
            raise self._error("}")
        return self._take()

    def _error(self, wanted: str) -> UnreadableError:
        found = repr(self._peek()) if self._peek() else "the end"
        before = " ".join(self._parts[max(0, self._at - 6) : self._at]).strip()
        return UnreadableError(f"as a ruleset of nft: {wanted} was expected after {before!r}, and there is {found}")


def _split(text: str) -> list[str]:
    found: list[str] = []
    at = 0
    while at < len(text):
        part = _PART.match(text, at)
        if not part:
            raise UnreadableError(f"as a ruleset of nft: it goes wrong at {text[at : at + 30].splitlines()[0]!r}")
        if part.lastgroup != "skip":
            found.append(part[0])
        at = part.end()
    return found


def _restrict(rule: Rule, operator: str, values: Iterable[str]) -> None:
    """Narrow a rule down to the IP versions that it asks for."""
    asked = {_PROTOCOLS[value] for value in values if value in _PROTOCOLS}
    rule.versions = rule.versions - asked if operator in _UNEQUAL else rule.versions & asked


# JSON -----------------------------------------------------------------------------------------------------------


def read_json(document: Mapping[str, Any], into: Ruleset) -> None:
    """Read a ruleset in JSON, or commands in JSON. Raises UnreadableError for what is none."""
    try:
        for entry in document["nftables"]:
            _json_command(entry, into)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableError(f"as JSON of nft: {error!r}") from error


def _json_command(entry: Mapping[str, Any], into: Ruleset) -> None:
    ((kind, item),) = entry.items()
    if kind in _ADDING:
        ((what, inner),) = item.items()
        if what == "rule":
            _json_rule(inner, into, kind)
            return
        kind, item = what, inner
    if kind in ("set", "element"):
        place = (item.get("family", "ip"), item["table"], item["name"])
        into.sets.setdefault(place, []).extend(_json_values(item.get("elem", [])))
    elif kind == "rule":
        _json_rule(item, into)


def _json_rule(item: Mapping[str, Any], into: Ruleset, adding: str = "") -> None:
    family = item.get("family", "ip")
    rule = Rule(json.dumps(item["expr"]), _FAMILIES[family])
    for expression in item["expr"]:
        if _json_expression(rule, expression):
            break
    # As it is listed, a handle is its own; in a command it is another rule's.
    placed = bool(adding) and ("handle" in item or "index" in item)
    if not placed or rule.effect is Effect.TRANSLATE:
        into.add((family, item["table"], item["chain"]), rule, first=adding == "insert" or placed)


def _json_expression(rule: Rule, expression: Mapping[str, Any]) -> bool:
    ((kind, value),) = expression.items()
    if kind in _VERDICTS:
        rule.effect = _VERDICTS[kind]
        rule.target = value["target"] if kind in ("jump", "goto") else ""
        return True
    if kind == "mangle" and value["key"].get("payload", {}).get("field") == "saddr":
        rule.effect = Effect.TRANSLATE
        return True
    if kind == "match":
        _json_match(rule, value)
    elif kind not in ("counter", "comment"):
        rule.certain = False
    return False


def _json_match(rule: Rule, match: Mapping[str, Any]) -> None:
    operator = match.get("op", "==")
    match match["left"]:
        case {"payload": {"protocol": ("ip" | "ip6") as family, "field": ("saddr" | "daddr") as field}}:
            rule.versions &= _FAMILIES[family]
            if operator in ("==", "!=", "in"):
                values = tuple(_json_values(match["right"]))
                rule.conditions.append(Addresses(_SIDES[field], values, operator == "!="))
                return
        case {"meta": {"key": "nfproto" | "protocol"}} if isinstance(match["right"], str):
            _restrict(rule, operator, [match["right"]])
            return
    rule.certain = False


def _json_values(value: Any) -> list[str]:
    match value:
        case list():
            return [text for part in value for text in _json_values(part)]
        case {"set": inside} | {"elem": {"val": inside}}:
            return _json_values(inside)
        case {"prefix": {"addr": str(address), "len": int(length)}}:
            return [f"{address}/{length}"]
        case {"range": [str(first), str(last)]}:
            return [f"{first}-{last}"]
    return [value if isinstance(value, str) else json.dumps(value)]
