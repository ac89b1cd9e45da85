"""Finds the packet filter's rules and the CNI confs in a text.

A text is what it begins as: a ruleset of nft, input of iptables-restore, YAML; and else a shell script, whose
here-documents and quoted words are texts again, and whose commands may call iptables or nft. JSON is looked for at any
place of any of them, because it can be told from everything else.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from podnet_policy import iptables, nft, shell
from podnet_policy.netfilter import Ruleset
from podnet_policy.resource import documents, strings
from podnet_policy.shell import UnreadableError

_DEEPEST: Final = 8
_NFT: Final = re.compile(r"(?:.*/)?nft")
_NFT_OPTIONS_WITH_VALUE: Final = ("-f", "--file", "-I", "--includepath", "-D", "--define")
_SEARCH: Final = re.compile(r"(?:.*/)?[ef]?grep")
_PRINT: Final = ("echo", "printf")
_ESCAPES: Final = {r"\n": "\n", r"\t": "\t", r"\"": '"', r"\\": "\\"}
_UNESCAPED: Final = re.compile(r"\\[nt\"\\]")
_STDIN: Final = frozenset({"-", "/dev/stdin"})

_TRANSLATES: Final = re.compile(r"\b(?:masquerade|snat|saddr\s+set|netmap)\b", re.IGNORECASE)
"""What no ruleset translates a source without: one that has none of these words need not be readable."""

_CALLS: Final = re.compile(r"\b(?:ip6?tables|nft)\b")
_CONF_KEY: Final = re.compile(r"""\b(?:ipMasq|cniVersion)\b["']?\s*:""", re.IGNORECASE)


@dataclass(slots=True)
class Found:
    """What is in a text. masquerades: a CNI conf has ipMasq on. unreadable: what could not be read, and why."""

    rules: Ruleset = field(default_factory=Ruleset)
    masquerades: bool = False
    unreadable: list[str] = field(default_factory=list)


@lru_cache(maxsize=4096)
def read(text: str, *, for_nft: bool = False) -> Found:
    """Read a text. for_nft: it is given to nft, so it is a ruleset whatever it begins as."""
    found = Found()
    _read(text, found, 0, for_nft=for_nft)
    return found


def inside(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Walk a value for its texts, each with its path; a list of texts is a command line too, as in a container."""
    yield from strings(value, path)
    yield from _command_lines(value, path)


def gives_to_nft(script: str) -> bool:
    """Whether a command line gives its standard input to nft."""
    try:
        commands = shell.read(script).commands
    except UnreadableError:
        return False
    return any(_NFT.fullmatch(word) for each in commands if _STDIN & set(each.words) for word in each.words)


def _command_lines(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _command_lines(part, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        if len(value) > 1 and all(isinstance(part, str) for part in value):
            yield path, shlex.join(value)
        for index, part in enumerate(value):
            yield from _command_lines(part, f"{path}[{index}]")


def _read(text: str, found: Found, depth: int, *, for_nft: bool = False) -> None:
    if depth > _DEEPEST:
        found.unreadable.append("texts are quoted in texts more often than this rule follows them")
        return
    rest = _json(text, found, depth)
    if (for_nft and rest.strip()) or nft.begins(text):
        _nft(text, found)
    elif iptables.begins(text):
        _attempt(found, lambda: iptables.restore(text, found.rules))
    elif mappings := documents(text):
        found.masquerades |= any(_masquerades(_mappings(each)) for each in mappings)
        _all_inside(mappings, found, depth)
    else:
        if _CONF_KEY.search(rest):
            found.unreadable.append("a CNI conf cannot be read as JSON, so nobody can say whether its ipMasq is on")
        _script(text, found, depth)


def _json(text: str, found: Found, depth: int) -> str:
    """Read every object of JSON in a text; what is left of it."""

    def keep(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found.masquerades |= _masquerades(pairs)
        return dict(pairs)

    decoder = json.JSONDecoder(object_pairs_hook=keep)
    rest, done = "", 0
    at = text.find("{")
    while at >= 0:
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            at = text.find("{", at + 1)
            continue
        rest, done = rest + text[done:at], end
        if "nftables" in value:
            _attempt(found, lambda document=value: nft.read_json(document, found.rules))  # type: ignore[misc]
        _all_inside(value, found, depth)
        at = text.find("{", end)
    return rest + text[done:]


def _masquerades(pairs: list[tuple[Any, Any]]) -> bool:
    """Whether an object has ipMasq on. The plugins' own reader (Go's encoding/json) takes a key in any case."""
    return any(str(key).casefold() == "ipmasq" and value is not False and value is not None for key, value in pairs)


def _mappings(value: object) -> list[tuple[Any, Any]]:
    """Give every key and value in what YAML holds, at any depth."""
    if isinstance(value, Mapping):
        return [pair for key, part in value.items() for pair in ((key, part), *_mappings(part))]
    return [pair for part in value for pair in _mappings(part)] if isinstance(value, list) else []


def _all_inside(value: object, found: Found, depth: int) -> None:
    for _, text in inside(value):
        _inner(text, found, depth)


def _inner(text: str, found: Found, depth: int) -> None:
    """Read a text in a text, where it is more than a word."""
    if re.search(r"\s|[{;]", text.strip()):
        _read(text, found, depth + 1)


def _script(text: str, found: Found, depth: int) -> None:
    try:
        script = shell.read(text)
    except UnreadableError as error:
        if _CALLS.search(text) and _TRANSLATES.search(text):
            found.unreadable.append(f"as a shell script: {error}")
        return
    for command in script.commands:
        _command(command.words, text, found, depth)
    for document in script.documents:
        _inner(document, found, depth)


def _command(words: Sequence[str], text: str, found: Found, depth: int) -> None:
    if not words or _SEARCH.fullmatch(words[0]):
        return
    if call := iptables.called(words):
        _attempt(found, lambda: iptables.add(*call, found.rules))
    if any(_NFT.fullmatch(word) for word in words[:-1]):
        _nft(_arguments(words), found)
    quoted = list(words)
    if words[0] in _PRINT:
        quoted.append(_UNESCAPED.sub(lambda each: _ESCAPES[each[0]], " ".join(words[1:])))
    for word in quoted:
        if word != text:
            _inner(word, found, depth)


def _arguments(words: Sequence[str]) -> str:
    """Give the commands that nft is called with."""
    left = list(words)
    while not _NFT.fullmatch(left.pop(0)):
        pass
    while left and left[0].startswith("-"):
        del left[: 2 if left[0] in _NFT_OPTIONS_WITH_VALUE else 1]
    return " ".join(left)


def _nft(text: str, found: Found) -> None:
    if _TRANSLATES.search(text):
        _attempt(found, lambda: nft.read(text, found.rules))


def _attempt(found: Found, reading: Callable[[], None]) -> None:
    try:
        reading()
    except UnreadableError as error:
        found.unreadable.append(str(error))
