"""The node itself, or what was captured of it: programs, files and folders."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from podnet.node.check import Unseen

_T = TypeVar("_T")
_ABSENT: Final = 127
_LONGEST: Final = 300


@dataclass(frozen=True, slots=True)
class Ran:
    """What a program did. status: its exit code; 127 where there is no such program."""

    status: int
    output: str
    errors: str

    @property
    def why(self) -> str:
        """What it said when it failed, in one line."""
        said = "; ".join(line.strip() for line in (self.errors or self.output).splitlines() if line.strip())
        return shortened(said) or f"it said nothing (exit code {self.status})"


class System(Protocol):
    """What can be seen of a node."""

    def run(self, *command: str, stdin: str = "") -> Ran:
        """Run a program to its end. Raises Unseen where nobody can."""

    def read(self, path: str) -> str | None:
        """Give the content of a file; None where there is none."""

    def folder(self, path: str) -> Mapping[str, str] | None:
        """Give the content of every file of a folder, by name, the newest first; None where it cannot be read."""


class Live:
    """The machine that runs this. timeout: seconds that a program has."""

    def __init__(self, timeout: float = 30) -> None:
        self._timeout = timeout

    def run(self, *command: str, stdin: str = "") -> Ran:
        """Run a program here; one that hangs is ended."""
        try:
            done = subprocess.run(
                command,
                input=stdin,
                text=True,
                capture_output=True,
                check=False,
                timeout=self._timeout,
                errors="replace",
            )
        except FileNotFoundError:
            return Ran(_ABSENT, "", f"there is no {command[0]}")
        except subprocess.TimeoutExpired:
            return Ran(124, "", f"{command[0]} has not ended after {self._timeout:.0f} s")
        return Ran(done.returncode, done.stdout, done.stderr)

    def read(self, path: str) -> str | None:
        """Read a file. Raises Unseen where it is there and cannot be read."""
        try:
            with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123  # pathlib is slow to import
                return file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Unseen(f"cannot read {path}: {error.strerror}") from None

    def folder(self, path: str) -> Mapping[str, str] | None:
        """Read a folder's files; what goes away meanwhile is not among them."""
        try:
            entries = [entry for entry in os.scandir(path) if entry.is_file()]
            entries.sort(key=lambda entry: entry.stat().st_mtime_ns, reverse=True)
        except OSError:
            return None
        read = {entry.name: self.read(entry.path) for entry in entries}
        return {name: text for name, text in read.items() if text is not None}


class Snapshot:
    """What an agent answered when it was asked for programs, files and folders, each by a name of its own.

    wanted: what it was asked for. A program that it was not asked for cannot be run.
    """

    def __init__(self, wanted: Mapping[str, Mapping[str, Any]], answer: Mapping[str, Any]) -> None:
        self._programs = {tuple(command): name for name, command in wanted["programs"].items()}
        self._paths = {path: name for kind in ("files", "folders") for name, path in wanted[kind].items()}
        self._answer = answer

    def run(self, *command: str, stdin: str = "") -> Ran:
        """Give what the program printed then."""
        del stdin
        try:
            return Ran(**self._of("programs", self._programs[command]))
        except TypeError:
            raise Unseen("the node gave no answer") from None

    def read(self, path: str) -> str | None:
        """Give the file as it was then."""
        found: str | None = self._of("files", self._paths[path])
        return found

    def folder(self, path: str) -> Mapping[str, str] | None:
        """Give the folder as it was then."""
        found = self._of("folders", self._paths[path])
        return None if found is None else {str(name): text or "" for name, text in found.items()}

    def _of(self, kind: str, name: str) -> Any:
        try:
            return self._answer[kind][name]
        except (KeyError, TypeError):
            raise Unseen("the node gave no answer") from None


def printed(system: System, *command: str) -> str:
    """Give what a program prints. Raises Unseen where it fails."""
    ran = system.run(*command)
    if ran.status:
        raise Unseen(f"{' '.join(command)}: {ran.why}")
    return ran.output


def parsed(
    reader: Callable[..., _T], system: System, *commands: tuple[str, ...], known: type[Exception] = Unseen
) -> _T:
    """Read what programs print. Raises Unseen where one fails, or prints what nobody can read.

    known: what the reader raises besides. Every other error is podnet's own, and is said to be.
    """
    texts = [printed(system, *command) for command in commands]
    try:
        return reader(*texts)
    except (Unseen, known):
        raise
    except Exception as error:
        what = f"podnet could not read what `{' '.join(commands[0])}` printed ({type(error).__name__}: {error})"
        raise Unseen(f"{what}: {shortened(texts[0])}") from error


def shortened(text: str) -> str:
    """Give the text in one line, with its end left out where it is very long."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]} ..."


def json_of(text: str) -> Any:
    """Read JSON; the text itself where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
