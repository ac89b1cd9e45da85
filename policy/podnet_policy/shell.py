"""The commands of a shell script, as far as a rule needs them: their words, what joins them, where they write.

The grammar is that of POSIX (https://pubs.opengroup.org/onlinepubs/9699919799/utilities/V3_chap02.html), with bash's
here-string. Nothing is expanded: ``$name`` stays in its word. A command in a substitution is a command of its own,
and so is one between reserved words, which stay where they are, as the first words of commands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final


class UnreadableError(ValueError):
    """A text is not what it begins as. The text of the error says what is wrong."""


@dataclass(slots=True)
class Command:
    """A simple command.

    joined_by: the operator before it; empty for the first. writes: the files that its output goes to.
    """

    joined_by: str
    words: list[str] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Script:
    """The commands of a script in their order, and the here-documents in theirs."""

    commands: list[Command]
    documents: list[str]


_TOKEN: Final = re.compile(
    r"""
      (?P<document><<-?[ \t]*(?:'[^'\n]+'|"[^"\n]+"|\\?[\w.-]+))
    | (?P<redirection>\d*(?:<<<|&>>|&>|>>|>\||>&|<&|<>|<|>))
    | (?P<operator>&&|\|\||;;|\|&|[;&|()`\n])
    | (?P<continued>\\\n)
    | (?P<blank>[ \t\r]+)
    | '(?P<single>[^']*)'
    | "(?P<double>(?:[^"\\]|\\.)*)"
    | \\(?P<escaped>.)
    | (?P<plain>[^\s'"\\<>;&|()`]+)
    """,
    re.VERBOSE | re.DOTALL,
)
_IN_DOUBLE: Final = re.compile(r"\\(?:([$`\"\\])|\n)")
_NUMBER: Final = re.compile(r"\d+(?=[<>])")


def read(text: str) -> Script:
    """Read a script. Raises UnreadableError where a quote is not closed."""
    return _Reader(text).read()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._commands = [Command("")]
        self._word: str | None = None
        self._redirection = ""
        self._awaited: list[tuple[str, bool]] = []
        self._documents: list[str] = []

    def read(self) -> Script:
        for kind, value in self._tokens():
            if kind == "word":
                self._word = (self._word or "") + value
                continue
            self._end_word()
            if kind == "document":
                self._await(value)
            elif kind == "redirection":
                self._redirection = value
            elif kind == "operator":
                self._end_command(value)
        self._end_word()
        return Script([each for each in self._commands if each.words or each.writes], self._documents)

    def _tokens(self) -> Iterator[tuple[str, str]]:
        while self._at < len(self._text):
            if self._word is None and self._text[self._at] == "#":
                end = self._text.find("\n", self._at)
                self._at = len(self._text) if end < 0 else end
                continue
            # The number of a redirection is one only where a word would begin.
            number = _NUMBER.match(self._text, self._at) if self._word is None else None
            found = _TOKEN.match(self._text, number.end() if number else self._at)
            if not found:
                raise UnreadableError(f"a quote is not closed: {_line_at(self._text, self._at)}")
            self._at = found.end()
            kind = str(found.lastgroup)
            value = found[kind]
            if kind == "continued":
                continue
            if kind == "double":
                value = _IN_DOUBLE.sub(lambda each: each[1] or "", value)
            yield ("word" if kind in ("single", "double", "escaped", "plain") else kind), value

    def _end_word(self) -> None:
        if self._word is None:
            return
        command = self._commands[-1]
        if self._redirection.endswith("<<<") or not self._redirection:
            command.words.append(self._word)
        elif ">" in self._redirection:
            command.writes.append(self._word)
        self._word, self._redirection = None, ""

    def _end_command(self, operator: str) -> None:
        self._redirection = ""
        if self._commands[-1].words or self._commands[-1].writes:
            self._commands.append(Command(operator))
        elif operator not in ("\n", "(", "`"):
            self._commands[-1].joined_by = operator
        if operator == "\n":
            self._take_documents()

    def _await(self, value: str) -> None:
        dash = value.startswith("<<-")
        self._awaited.append((value[3 if dash else 2 :].strip(" \t").strip("'\"\\"), dash))

    def _take_documents(self) -> None:
        for end, dash in self._awaited:
            lines = []
            while self._at < len(self._text):
                line, newline, _ = self._text[self._at :].partition("\n")
                self._at += len(line) + len(newline)
                line = line.lstrip("\t") if dash else line
                if line == end:
                    break
                lines.append(line)
            self._documents.append("\n".join(lines) + "\n")
        self._awaited = []


def _line_at(text: str, at: int) -> str:
    return text[text.rfind("\n", 0, at) + 1 :].partition("\n")[0].strip()
