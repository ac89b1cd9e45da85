"""podnet-host as a user who has to ask for root: the real script, and a stand-in for sudo that notes what it runs."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOBODY = 65534
SUDO = """#!/bin/sh
[ "$1" = -n ] && shift
echo "$*" >> "$ASKED"
exit_code=$(cat "$REFUSES" 2> /dev/null || echo 0)
[ "$exit_code" = 0 ] && exec "$@"
echo "sudo: a password is required" >&2
exit "$exit_code"
"""
GONE = ("machine-down", "unit", "node1", "lxc", "podnet-unit-node1")
"""A machine that is not there any more: the script looks as root, and finds nothing."""


class User:
    """A user who is not root, with a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        programs = folder / "bin"
        programs.mkdir()
        (programs / "sudo").write_text(SUDO)
        (programs / "sudo").chmod(0o755)
        self.asked = folder / "asked"
        self.refuses = folder / "refuses"
        self._environ = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(folder),
            "PODNET_STACKS": str(folder / "stacks"),
            "ASKED": str(self.asked),
            "REFUSES": str(self.refuses),
        }

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = ["sh", "-s", *words]
        if os.geteuid() == 0:
            command = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *command]
        script = (ROOT / "podnet/scripts/podnet-host").read_text()
        return subprocess.run(
            command, input=script, env=self._environ, cwd="/", text=True, capture_output=True, check=False
        )


@pytest.fixture
def user() -> Iterator[User]:
    with tempfile.TemporaryDirectory(prefix="podnet-test-") as folder:  # pytest's own folders are root's alone
        Path(folder).chmod(0o777)
        yield User(Path(folder))


def test_what_root_does_not_find_is_no_lack_of_rights(user: User) -> None:
    done = user.run(*GONE)
    assert (done.returncode, done.stderr) == (0, "")
    assert "test -e /var/lib/lxc/podnet-unit-node1" in user.asked.read_text()


def test_who_gets_no_root_is_told_what_to_do(user: User) -> None:
    user.refuses.write_text("1")
    done = user.run(*GONE)
    assert done.returncode == 1
    assert done.stderr.strip() == "this needs root, and sudo wants to be asked first: run 'sudo -v' and try again"
