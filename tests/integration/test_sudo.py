"""Root by a real sudo that asks for a real password, on a terminal of the test's own."""

from __future__ import annotations

import ast
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.resources.engine import Engine

from .host import BRIDGE, DOWN, PODNET_HOST, ROOT, UP, Host, a_host

USER, UID = "podnettest", 4242
PASSWORD = "correct horse"
HOST = " ".join(PODNET_HOST)
ASKS = f"[sudo] password for {USER}: "

RUN = """
import subprocess, time
from podnet.lifecycle import preflight

def run(command):
    done = subprocess.run(
        ["/bin/sh", "-c", command], stdin=subprocess.DEVNULL, capture_output=True, text=True, process_group=0
    )
    print("SAID", repr((done.returncode, done.stdout.strip(), done.stderr.strip())), flush=True)
"""
"""What podnet is to the terminal: a program that asks sudo, and commands in a process group of their own."""


class Person:
    """A user of this host with a password, who may do everything by sudo."""

    def __init__(self, host: Host) -> None:
        self.host = host
        hashing = ["openssl", "passwd", "-6", "-stdin"]
        hashed = subprocess.run(hashing, input=PASSWORD, text=True, capture_output=True, check=True).stdout.strip()
        self._append("/etc/passwd", f"{USER}:x:{UID}:{UID}::/:/bin/sh\n")
        self._append("/etc/group", f"{USER}:x:{UID}:\n")
        self._append("/etc/shadow", f"{USER}:{hashed}:19000:0:99999:7:::\n")
        self.sudoers(minutes=15)

    def sudoers(self, minutes: float) -> None:
        """How long a ticket of theirs lasts."""
        defaults = f"Defaults env_reset, use_pty, !lecture, passwd_tries=1, timestamp_timeout={minutes}\n"
        self._put("/etc/sudoers", f"{defaults}{USER} ALL=(ALL:ALL) ALL\n")

    def _append(self, path: str, line: str) -> None:
        self._put(path, Path(path).read_text() + line)

    def _put(self, path: str, text: str) -> None:
        """Another content for a file, on this host alone."""
        file = self.host.folder / Path(path).name
        file.write_text(text)
        file.chmod(Path(path).stat().st_mode & 0o777)
        self.host.sh(f"mount --bind {file} {path}")

    def types(self, program: str, environ: dict[str, str] | None = None) -> str:
        """Run a Python program on a new terminal, and the password to whoever asks; all that is on the screen."""
        process, terminal = pty.fork()
        if process == 0:
            self._become(program, environ or {})
        shown = b""
        answered = 0
        while part := _read(terminal):
            shown += part
            if shown.count(ASKS.encode()) > answered:
                answered += 1
                os.write(terminal, f"{PASSWORD}\n".encode())
        os.waitpid(process, 0)
        os.close(terminal)
        return shown.decode().replace("\r", "")

    def _become(self, program: str, environ: dict[str, str]) -> None:
        # The checkout and the Python may lie in root's own folder.
        reads = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
        user = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", *reads]
        inside = ["nsenter", "--net", "--mount", "--target", str(self.host.holder.pid), *user, sys.executable, "-c"]
        path = {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": "/", "PYTHONPATH": str(ROOT)}
        os.chdir("/")
        os.execvpe(inside[0], [*inside, program], path | environ)  # noqa: S606


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1 << 16)
    except OSError:
        return b""  # the last one who had it open has ended


def said(shown: str) -> list[tuple[int, str, str]]:
    """How each command ended, its standard output and its standard error."""
    return [ast.literal_eval(text) for text in re.findall(r"^SAID (.*)$", shown, re.MULTILINE)]


@pytest.fixture
def person(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    with a_host(tmp_path_factory.mktemp("host")) as host:
        yield Person(host)


def test_a_password_that_was_typed_counts_for_the_commands_of_pulumi(person: Person) -> None:
    shown = person.types(f"{RUN}\npreflight.require_root()\nrun('sudo -n id -u')")
    assert shown.count(ASKS) == 1
    assert said(shown) == [(0, "0", "")]


PROGRAM = """
import pulumi
from pulumi_command import local

pulumi.export("who", local.Command("who", create="sudo -n id -u").stdout)
"""


@pytest.mark.engine
def test_the_engine_leaves_its_plugins_on_the_terminal(person: Person, tmp_path: Path, toolchain_bin: Path) -> None:
    """The whole way that make up goes: sudo is asked once, and the commands of the deployment are its children."""
    engine = Engine.at(tmp_path, toolchain_bin)
    project = engine.program("asks", PROGRAM)
    engine.run(project, "stack", "init", "dev")
    for path in (tmp_path, *tmp_path.rglob("*")):
        os.chown(path, UID, UID, follow_symlinks=False)
    up = ["pulumi", "up", "--yes", "--skip-preview", "--color=never", "--stack", "dev", "--cwd", str(project)]
    ask = f"from podnet.lifecycle import preflight; import subprocess; preflight.require_root(); subprocess.run({up})"
    shown = person.types(ask, engine.environ(project))
    assert shown.count(ASKS) == 1
    assert re.search(r'who: "0"', shown), shown


def test_cached_credentials_outlive_a_long_build(person: Person) -> None:
    person.sudoers(minutes=0.1)
    long = "\npreflight.RENEWAL_SECONDS = 1\npreflight.require_root()\ntime.sleep(12)\nrun('sudo -n id -u')"
    assert said(person.types(RUN + long)) == [(0, "0", "")]


def test_podnet_host_gets_its_root_that_way(person: Person) -> None:
    """All of podnet.host's way to root, on a host where there is nothing to do."""
    user = person.host.user("person")
    os.chown(user.stacks, UID, UID)
    os.chown(user.stacks.parent, UID, UID)
    program = f"{RUN}\npreflight.require_root()\nrun('{HOST} machine-down unit node1 lxc podnet-unit-node1')"
    assert said(person.types(program, user.environ)) == [(0, "", "")]


def test_a_bridge_that_sudo_made_is_the_persons(person: Person) -> None:
    user = person.host.user("person")
    for folder in (user.stacks, user.stacks.parent):
        os.chown(folder, UID, UID)
    run = f"{RUN}\npreflight.require_root()\n"
    assert said(person.types(f"{run}run('{HOST} {' '.join(UP)}')", user.environ)) == [(0, "", "")]
    assert person.host.sh("cd /var/lib/podnet-host; cat *; stat -c %a . *").split("\n")[:3] == [
        f"{USER} {user.stacks}", "755", "644",
    ]  # fmt: skip
    # Another user's, even root's, is refused; the person's own is not.
    assert f"belongs to {USER}" in person.host.user("other")(*UP, check=False).stderr
    both = f"{run}run('{HOST} check {BRIDGE}')\nrun('{HOST} {' '.join(DOWN)}')"
    assert said(person.types(both, user.environ)) == [(0, "", "")] * 2
    assert person.host.sh("ls /var/lib; ip -brief link show type bridge") == "lxc\n"


def test_who_has_typed_none_is_told_what_to_do(person: Person) -> None:
    user = person.host.user("person")
    os.chown(user.stacks, UID, UID)
    shown = person.types(f"{RUN}\nrun('{HOST} network-down podnet-unit')", user.environ)
    assert ASKS not in shown
    ((ended, _, error),) = said(shown)
    assert ended == 1
    assert error == "this needs root, and sudo wants to be asked first: run 'sudo -v' in this terminal, and try again"
