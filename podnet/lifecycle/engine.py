"""Pulumi's engine, run on one stack.

It is run as the program ``pulumi`` and not by its Automation API (pulumi.automation), which runs the same program but
with pipes for a terminal, so that nobody sees the live display; which exports a state with every secret in clear and
hands it back in a file of the temporary folder; and which asks for the version first, once for each workspace.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from podnet.files import write_whole
from podnet.lifecycle.places import ROOT
from podnet.lifecycle.prerequisites import Prerequisites
from podnet.lifecycle.scratch import Scratch, scratch
from podnet.lifecycle.workspace import Workspace
from podnet.program import run


@dataclass(frozen=True, slots=True)
class Engine:
    """The engine on a stack. variables: its environment. scratch: its temporary files, and those for it."""

    workspace: Workspace
    variables: Mapping[str, str]
    scratch: Scratch

    def show(self, *arguments: str, variables: Mapping[str, str] | None = None) -> bool:
        """Run ``pulumi`` on the terminal; whether it succeeded. variables: what else its environment has.

        Ctrl-C reaches it too: it lets what it has begun come to an end, and only then is KeyboardInterrupt raised.
        """
        sys.stdout.flush()
        command = ["pulumi", *arguments, "--stack", self.workspace.stack]
        with _interrupt_deferred():
            return not subprocess.run(
                command, check=False, env={**self.variables, **(variables or {})}, cwd=ROOT,
                pass_fds=[self.scratch.lock],
            ).returncode  # fmt: skip

    def state(self) -> dict[str, Any]:
        """Export the stack's state; secrets stay encrypted in it."""
        return dict(json.loads(self._run("stack", "export", "--stack", self.workspace.stack)))

    def put_state(self, state: Mapping[str, Any]) -> None:
        """Import a state that ``state`` gave, with what was changed in it."""
        self._run("stack", "import", "--stack", self.workspace.stack, stdin=json.dumps(state))

    def has_stack(self) -> bool:
        """Whether there is the stack."""
        found = json.loads(self._run("stack", "ls", "--json"))
        # A backend that has organizations says whose it is.
        return any(each["name"].rpartition("/")[2] == self.workspace.stack for each in found)

    def add_stack(self) -> bool:
        """Make sure that there is the stack; whether it is a new one."""
        if self.has_stack():
            return False
        forget_salt(self.workspace.stack_file)
        self._run("stack", "init", self.workspace.stack)
        return True

    def remove_stack(self) -> str:
        """End a stack in which nothing is up; what the engine says of it."""
        said = self._run("stack", "rm", "--yes", "--preserve-config", self.workspace.stack)
        forget_salt(self.workspace.stack_file)
        return said

    def _run(self, *arguments: str, stdin: str = "") -> str:
        return run(
            ["pulumi", *arguments, "--non-interactive"],
            env=self.variables, cwd=ROOT, stdin=stdin, pass_fds=[self.scratch.lock],
        )  # fmt: skip


@contextmanager
def _interrupt_deferred() -> Iterator[None]:
    """Raise KeyboardInterrupt only at the end."""
    interrupts: list[int] = []
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:  # else it is ignored, as in the background of a shell
        signal.signal(signal.SIGINT, lambda number, _: interrupts.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if interrupts:
        raise KeyboardInterrupt


@contextmanager
def engine(workspace: Workspace, made: Prerequisites) -> Iterator[Engine]:
    """Give the engine on a stack, with a folder for temporary files that goes afterwards."""
    with scratch(workspace.places.scratch) as its_own:
        variables = workspace.variables(made) | {"TMPDIR": str(its_own.folder)}
        yield Engine(workspace, variables, its_own)


def forget_salt(stack_file: Path) -> None:
    """Take the salt that Pulumi adds to a stack's file out again: it belongs to a stack that is gone.

    It stays where the file holds secrets, which it opens.
    """
    text = stack_file.read_text()
    kept = without_salt(text)
    if kept != text and "secure:" not in text:
        whole = stack_file.resolve()
        write_whole(whole, kept, whole.stat().st_mode & 0o777)


def without_salt(stack_file: str) -> str:
    """Give the text of a stack's file without the salt."""
    return "".join(line for line in stack_file.splitlines(keepends=True) if not line.startswith("encryptionsalt:"))
