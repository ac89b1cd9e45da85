"""A page of the documentation, followed as its reader would: its commands are run, and what they print is compared.

A block of ``sh`` is run, all of them in one shell; a block of ``text`` right after it is what it prints. To write what
a page prints anew, from a stack that is up: ``eval "$(make -s env)"; python -m tests.e2e.page docs/PAGE.md``.
"""

from __future__ import annotations

import difflib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import zip_longest
from pathlib import Path
from typing import Final

_FENCE: Final = "```"
_END: Final = "\x1e"
"""Printed after each step; no command of a page prints it."""


class FailedStepError(Exception):
    """A command of a page failed."""


@dataclass(frozen=True, slots=True)
class Step:
    """Commands of a page. line: where they begin. output: what the page says they print; None where it says nothing."""

    line: int
    commands: str
    output: str | None = None


@dataclass(frozen=True, slots=True)
class _Block:
    """A fenced block. first, last: the numbers of its fences' lines, from 0."""

    kind: str
    first: int
    last: int
    text: str


def steps(page: str) -> list[Step]:
    """Read a page's steps. Raises ValueError for an output that belongs to no commands: nothing would check it."""
    lines = page.splitlines()
    found: list[Step] = []
    before = None
    for block in _blocks(lines):
        if block.kind == "sh":
            found.append(Step(block.first + 2, block.text))
        elif block.kind == "text":
            if before is None or before.kind != "sh" or any(lines[before.last + 1 : block.first]):
                raise ValueError(f"line {block.first + 1}: an output without its commands right before it")
            found[-1] = Step(found[-1].line, found[-1].commands, block.text)
        before = block
    return found


def _blocks(lines: Sequence[str]) -> Iterator[_Block]:
    start = None
    for number, line in enumerate(lines):
        if not line.startswith(_FENCE):
            continue
        if start is None:
            start = number
            continue
        text = "".join(f"{each}\n" for each in lines[start + 1 : number])
        yield _Block(lines[start].removeprefix(_FENCE).strip(), start, number, text)
        start = None
    if start is not None:
        raise ValueError(f"line {start + 1}: a block without an end")


def script(wanted: Iterable[Step]) -> str:
    """Write a shell script of steps; it ends where a command fails."""
    return "set -eo pipefail\nexec 2>&1\n" + "".join(f"{step.commands}printf '\\036'\n" for step in wanted)


def printed(output: str) -> tuple[list[str], str]:
    """Read from a script's output what each step printed, and what the one that failed did."""
    *told, rest = output.split(_END)
    return told, rest


def rewritten(page: str, outputs: Sequence[str]) -> str:
    """Write a page anew with other outputs, where it has any."""
    lines, number, kept = page.splitlines(), -1, 0
    told: list[str] = []
    for block in _blocks(lines):
        if block.kind == "sh":
            number += 1
        elif block.kind == "text":
            told += [*lines[kept : block.first + 1], *(line.rstrip() for line in outputs[number].splitlines())]
            kept = block.last
    return "\n".join([*told, *lines[kept:]]) + "\n"


def in_networks(text: str, networks: Mapping[str, str]) -> str:
    """Put addresses of other networks into a text: the page's own are those of Pulumi.dev.yaml."""
    for ours, theirs in networks.items():
        text = re.sub(rf"(?<![\d.]){re.escape(ours)}", theirs, text)
    return text


class _Known(Enum):
    """How long a value that is another in every cluster stays the same one."""

    PAGE = "all over the page"
    STEP = "within a step"
    NEVER = "nowhere"


@dataclass(frozen=True, slots=True)
class _Kind:
    """Such values. Everything that no kind stands for has to be the page's, character by character."""

    name: str
    known: _Known
    pattern: str


_POD_ADDRESS: Final = "pod's address"

_KINDS: Final = (
    _Kind("pod", _Known.PAGE, r"\bnginx-deployment-[0-9a-z]{8,10}-[0-9a-z]{5}\b"),
    # Not the broadcast's: that is everywhere the same.
    _Kind("MAC address", _Known.PAGE, r"\b(?!ff:ff)(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b"),
    _Kind("wire", _Known.PAGE, r"\bveth[0-9a-f]{8}\b"),
    _Kind("namespace", _Known.PAGE, r"\bcni(?:-[0-9a-f]+){5}\b"),
    _Kind("chain", _Known.PAGE, r"(?<=KUBE-SVC-|KUBE-SEP-)[A-Z2-7]{16}\b"),
    _Kind("interface's number", _Known.STEP, r"(?<=@if)\d+\b|^\d+(?=: )"),
    _Kind("port", _Known.STEP, r"(?<=port=)\d{4,5}\b"),
    _Kind("id", _Known.STEP, r"(?<= id )\d+\b|(?<= id=)\d+\b"),
    _Kind("number of a ping", _Known.STEP, r"(?<= seq )\d+\b"),
    _Kind("date", _Known.NEVER, r"(?<=\[)\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}(?=\])"),
    _Kind("time of day", _Known.NEVER, r"^\d\d:\d\d:\d\d\.\d{6}\b"),
    _Kind("milliseconds", _Known.NEVER, r"(?<=time=)[\d.]+(?= ms)|(?<=time )\d+(?=ms)"),
    _Kind("milliseconds of all", _Known.NEVER, r"(?<== )[\d.]+(?:/[\d.]+){3}(?= ms)"),
    _Kind("seconds", _Known.NEVER, r"(?<=icmp 1 )\d+\b|(?<=tcp 6 )\d+\b|(?<=hold, in )[\d.]+(?= s)"),
    _Kind("age", _Known.NEVER, r"(?<= )(?:\d+[dhms])+(?= 10\.)"),
    _Kind("neighbour's state", _Known.NEVER, r"\b(?:REACHABLE|STALE|DELAY|PROBE)$"),
    _Kind("number of users", _Known.NEVER, r"(?<= use=)\d+$"),
    _Kind("number of checks", _Known.NEVER, r"(?<=all )\d+(?= checks)"),
)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A piece of a line. kind: None for what has to be the page's own."""

    kind: _Kind | None
    text: str


@dataclass(slots=True)
class _Names:
    """What the page calls one thing and the cluster another, in both directions."""

    real: dict[tuple[str, str], str] = field(default_factory=dict)
    shown: dict[tuple[str, str], str] = field(default_factory=dict)

    def agree(self, kind: str, shown: str, real: str) -> bool:
        """Whether these two can be the same thing, after all that was said before; if so, they are from now on."""
        return self.real.setdefault((kind, shown), real) == real and self.shown.setdefault((kind, real), shown) == shown


class Comparison:
    """Holds what was printed against what a page shows.

    What is another in every cluster (a pod's address, a wire's name) may differ, but it has to be the same thing
    wherever the page shows the same: a packet that arrives from another pod's address is a difference.
    pods, services: how addresses of pods and of Services begin: ``10.22.``.
    """

    def __init__(self, pods: str, services: str) -> None:
        # .0 is a network and .1 the bridge of a node: the plan's.
        pod = _Kind(_POD_ADDRESS, _Known.PAGE, rf"\b{re.escape(pods)}\d+\.(?![01]\b)\d+\b")
        # The API server's and the DNS server's are the first and the tenth of their network.
        service = _Kind("Service's address", _Known.PAGE, rf"\b{re.escape(services)}(?!0\.(?:1|10)\b)\d+\.\d+\b")
        self._kinds = (pod, service, *_KINDS)
        self._pattern = re.compile("|".join(f"({kind.pattern})" for kind in self._kinds))
        self._page = _Names()
        self._step = _Names()

    def step(self, shown: str, real: str) -> list[str]:
        """Compare a step's output; a line for each difference."""
        self._step = _Names()
        ours, theirs = ([_tidy(line) for line in text.splitlines()] for text in (shown, real))
        if len(ours) != len(theirs):
            return [*difflib.unified_diff(ours, theirs, "the page", "here", lineterm="")]
        found = []
        for one, other in zip(ours, theirs, strict=True):
            why = self._differ(one, other)
            if why:
                found += [f"{why}:", f"  the page: {one}", f"  here:     {other}"]
        return found

    def _differ(self, shown: str, real: str) -> str:
        for one, other in zip_longest(self._pieces(shown), self._pieces(real)):
            if one is None or other is None or one.kind != other.kind:
                return "not the same words"
            if one.kind is None:
                if one.text != other.text:
                    return f"{other.text!r} is not {one.text!r}"
            elif not self._agree(one.kind, one.text, other.text):
                return f"{other.text} is not the {one.kind.name} that the page calls {one.text}"
        return ""

    def _agree(self, kind: _Kind, shown: str, real: str) -> bool:
        if kind.known is _Known.NEVER:
            return True
        names = self._page if kind.known is _Known.PAGE else self._step
        return names.agree(kind.name, shown, real)

    def _pieces(self, line: str) -> Iterator[_Piece]:
        end = 0
        for match in self._pattern.finditer(line):
            assert match.lastindex is not None
            kind = self._kinds[match.lastindex - 1]
            # A pod may have another address than the page's, but none of another node.
            network = match[0].rpartition(".")[0] if kind.name == _POD_ADDRESS else ""
            yield _Piece(None, line[end : match.start()] + network)
            yield _Piece(kind, match[0])
            end = match.end()
        yield _Piece(None, line[end:])


def _tidy(line: str) -> str:
    """A column is as wide as its widest entry, so how many blanks are between two says nothing."""
    return re.sub(r"\s+", " ", line).strip()


def differences(page: str, outputs: Sequence[str], comparison: Comparison) -> str:
    """Compare a whole page, each difference with the line of the commands; empty where there is none.

    outputs: what each step printed, of all that were run.
    """
    told = []
    for step, output in zip(steps(page), outputs, strict=False):
        found = comparison.step(step.output, output) if step.output is not None else []
        if found:
            told += [f"line {step.line}: {step.commands.strip()}", *(f"    {line}" for line in found)]
    return "\n".join(told)


def follow(page: str, environ: Mapping[str, str], folder: Path) -> list[str]:
    """Run a page's commands in a folder; what each step printed. Raises FailedStepError where one fails."""
    wanted = steps(page)
    with tempfile.TemporaryFile("w+") as output:  # not a pipe: what runs on in the background holds that open
        command = ["bash", "-c", script(wanted)]
        done = subprocess.run(command, cwd=folder, env=dict(environ), stdout=output, timeout=900, check=False)
        output.seek(0)
        told, rest = printed(output.read())
    if done.returncode or len(told) != len(wanted):
        failed = wanted[len(told)]
        raise FailedStepError(f"line {failed.line}: {failed.commands}exit code {done.returncode}\n{rest}")
    return told


if __name__ == "__main__":
    file = Path(sys.argv[1])
    shown = file.read_text()
    file.write_text(rewritten(shown, follow(shown, os.environ, Path.cwd())))
