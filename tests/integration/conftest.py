"""The real Pulumi engine, the command plugin under test, and a real SSH server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pulumi import automation
from pulumi.runtime._callbacks import _CallbackServicer

from toolchain.ensure import ensure
from toolchain.settings import from_environ

from .ssh_server import SshServer, ssh_server

ROOT = Path(__file__).parents[2]
OFFICIAL_PLUGIN = os.environ.get("PODNET_COMMAND_PLUGIN")


@pytest.fixture(scope="session")
def stand_in() -> Path:
    """Give the stand-in for the official plugin; it is built where it is not there yet."""
    return ensure(["pulumi-command"], settings=from_environ(os.environ, "build")).bin("pulumi-resource-command")


@pytest.fixture(scope="session")
def pulumi_home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a PULUMI_HOME with nothing in it but the command plugin that is under test."""
    home = tmp_path_factory.mktemp("pulumi")
    folder = home / "plugins" / "resource-command-v1.2.1"
    folder.mkdir(parents=True)
    shutil.copy(OFFICIAL_PLUGIN or request.getfixturevalue("stand_in"), folder / "pulumi-resource-command")
    return home


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, toolchain_bin: Path) -> None:
    """Put the engine on the PATH; without one, skip (or fail where tests must not be skipped in silence)."""
    if not (toolchain_bin / "pulumi").exists():
        message = f"no Pulumi engine in {toolchain_bin} (PODNET_TOOLCHAIN_BIN names its folder)"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    path = [str(toolchain_bin), str(Path(sys.executable).parent), os.environ["PATH"]]
    monkeypatch.setenv("PATH", os.pathsep.join(path))
    # An agent of whoever runs the tests must not log in for them.
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)


@dataclass(frozen=True)
class Agent:
    """An SSH agent of the test."""

    socket: Path

    def add(self, private_key: str) -> None:
        """Give it a key."""
        environ = os.environ | {"SSH_AUTH_SOCK": str(self.socket)}
        subprocess.run(["ssh-add", "-q", "-"], input=private_key, text=True, check=True, env=environ)


@pytest.fixture
def agent() -> Iterator[Agent]:
    """Run an SSH agent with no keys; its socket's path is short, as the kernel wants it."""
    with tempfile.TemporaryDirectory(prefix="agent-") as folder:
        socket = Path(folder) / "socket"
        process = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL)
        while not socket.exists():
            assert process.poll() is None
            time.sleep(0.01)
        yield Agent(socket)
        process.terminate()
        process.wait()


class Stack:
    """A stack whose program can be changed between runs."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.program: Callable[[], None] = lambda: None
        self.log: list[str] = []
        self._home = home
        self._backend = folder / "state"
        self._backend.mkdir()
        options = automation.LocalWorkspaceOptions(
            work_dir=str(folder),
            pulumi_home=str(home),
            project_settings=automation.ProjectSettings(
                name="plugin", runtime="python", backend=automation.ProjectBackend(f"file://{self._backend}")
            ),
            env_vars={
                "PULUMI_CONFIG_PASSPHRASE": "test",
                "PULUMI_SKIP_UPDATE_CHECK": "true",
                "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            },
        )
        self._stack = automation.create_stack("test", project_name="plugin", program=self._run_program, opts=options)

    def up(self, program: Callable[[], None] | None = None, parallel: int | None = None) -> automation.UpResult:
        """Run the program (or the last one again) for real."""
        self.program = program or self.program
        return self._stack.up(on_output=self.log.append, parallel=parallel)

    def preview(self, program: Callable[[], None] | None = None) -> automation.PreviewResult:
        """Run the program without doing anything."""
        self.program = program or self.program
        return self._stack.preview(diff=True, on_output=self.log.append)

    def destroy(self) -> automation.DestroyResult:
        """Delete all."""
        return self._stack.destroy(on_output=self.log.append)

    def forget(self, name: str) -> None:
        """Take a resource out of the state, as `pulumi state delete` does."""
        urn = self.state()[name]["urn"]
        environ = os.environ | dict(self._stack.workspace.env_vars) | {"PULUMI_HOME": str(self._home)}
        command = ["pulumi", "state", "delete", urn, "--yes", "--stack", "test"]
        folder = self._stack.workspace.work_dir
        subprocess.run(command, cwd=folder, env=environ, check=True, capture_output=True, text=True)

    def state(self) -> dict[str, Any]:
        """Give the resources of the state by name, secrets as they are stored."""
        resources = json.loads(self._state_text())["checkpoint"]["latest"].get("resources", [])
        return {resource["urn"].split("::")[-1]: resource for resource in resources}

    def clear_text(self) -> str:
        """Give all that was shown and all that is stored."""
        return "\n".join([*self.log, self._state_text()])

    def _run_program(self) -> None:
        # The SDK keeps the servers of hooks for a process's one program; those of an earlier one, whose loop is gone,
        # would be waited for at the end of this one.
        _CallbackServicer._servicers.clear()
        self.program()

    def _state_text(self) -> str:
        return (self._backend / ".pulumi/stacks/plugin/test.json").read_text(encoding="utf-8")


@pytest.fixture
def stack(engine: None, pulumi_home: Path, tmp_path: Path) -> Stack:  # noqa: ARG001
    """Give an empty stack."""
    folder = tmp_path / "project"
    folder.mkdir()
    return Stack(folder, pulumi_home)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    """Give an SSH server whose commands run in a folder of the test."""
    root = tmp_path / "machine"
    root.mkdir()
    with ssh_server(root) as each:
        yield each
