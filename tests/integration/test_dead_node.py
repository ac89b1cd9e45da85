"""Slow is told from dead by ssh(1) itself, as the stack's ssh_config has it do: against a real server, and none."""

from __future__ import annotations

import asyncio
import os
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from podnet import config
from podnet.commands import ssh
from podnet.observe import drift, sessions
from podnet.observe.access import Access, CannotLookError
from podnet.planning import ClusterPlan, plan
from podnet.resources.node_state import _Provider

from .ssh_server import USER, SshServer


def planned(server: SshServer, port: int, key: Path) -> ClusterPlan:
    login: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": port,
        "user": USER,
        "keyFile": str(key),
        "hostKey": " ".join(server.host_key_text.split()[:2]),
    }
    nodes = [
        {"name": "master", "role": "control-plane", "address": "10.9.0.10", "ssh": login | {"port": 1}},
        {"name": "node1", "role": "worker", "address": "10.9.0.11", "ssh": login},
    ]
    networks = {"machineNetwork": "10.9.0.0/24", "podSubnet": "10.22.0.0/16", "serviceSubnet": "10.96.0.0/16"}
    return plan(config.load("dev", {"provider": "ssh", **networks, "nodes": nodes}))


@pytest.fixture
def stack(server: SshServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[SshServer, Path]]:
    """Give a server that takes a login, and runs nothing before it has heard all of it; and the stack's folder."""
    key = tmp_path / "key"
    key.write_text(server.user_key_text)
    key.chmod(0o600)
    # What is run in the end, on this machine, is nobody's agent.
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/sudo").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "bin/sudo").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    yield server, tmp_path
    # The server notices the end of a login, and runs the command with what it has heard: not in the midst of its stop.
    deadline = time.monotonic() + 20
    while server.running and time.monotonic() < deadline:
        time.sleep(0.05)


def look(server: SshServer, port: int, folder: Path) -> str:
    """Give what is said in the end; the times of the ssh_config are made shorter, and nothing else of it."""
    made = planned(server, port, folder / "key")
    text = ssh.config(made.cluster).replace(ssh.FOLDER, str(folder))
    for setting, shorter in (("ConnectTimeout 8", "ConnectTimeout 2"), ("AliveInterval 5", "AliveInterval 1")):
        assert setting in text
        text = text.replace(setting, shorter)
    (folder / "ssh_config").write_text(text)
    (folder / "known_hosts").write_text(ssh.pinned(made.cluster))
    with pytest.raises(CannotLookError) as caught:
        asyncio.run(drift.look(made, "node1", Access(folder)))
    return str(caught.value)


@contextmanager
def deaf() -> Iterator[int]:
    """A server that takes connections, as the kernel of a frozen node does, and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def test_a_node_that_is_frozen_before_the_login_is_named(stack: tuple[SshServer, Path]) -> None:
    server, folder = stack
    with deaf() as port:
        said = look(server, port, folder)
    assert said.startswith("node node1 (10.9.0.11) cannot be asked: Connection timed out during banner exchange")


@contextmanager
def wire(server: SshServer) -> Iterator[int]:
    """A way to the server that is cut without a word as soon as a command runs there."""
    with socket.create_server(("127.0.0.1", 0)) as listening, ExitStack() as kept:

        def carry() -> None:
            near = kept.enter_context(listening.accept()[0])
            far = kept.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            others = {near: far, far: near}
            while not server.running:
                for each in select.select(list(others), [], [], 0.05)[0]:
                    others[each].sendall(each.recv(65536))

        carrying = threading.Thread(target=carry)
        carrying.start()
        yield listening.getsockname()[1]
        carrying.join()


def test_a_node_that_dies_after_the_login_is_named(stack: tuple[SshServer, Path]) -> None:
    server, folder = stack
    with wire(server) as port:
        said = look(server, port, folder)
    assert said.startswith("node node1 (10.9.0.11) cannot be asked: the connection was lost.")


def test_a_node_that_only_takes_its_time_is_waited_for(
    stack: tuple[SshServer, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Longer than a dead one is: ssh has an answer to its own questions all the while."""
    server, folder = stack
    monkeypatch.setattr(sessions, "NODE_TIMEOUT", 6)
    said = look(server, server.port, folder)
    assert said.startswith(
        "node node1 (10.9.0.11) cannot be asked: no answer within 6 s, though its connection stands "
        "(PODNET_TIMEOUT=SECONDS waits longer)."
    )


def test_a_node_that_the_stack_no_longer_names_is_still_looked_at(
    stack: tuple[SshServer, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An `up` without it was cut off after the ssh_config was written anew: the state has it, and so has its host."""
    server, folder = stack
    made = planned(server, server.port, folder / "key")
    (folder / "dev").mkdir()
    (folder / "dev/ssh_config").write_text("Host another\n")
    monkeypatch.setenv("PODNET_STACKS", str(folder))
    monkeypatch.setattr(sessions, "NODE_TIMEOUT", 3)
    props = {"stack": "dev", "node": "node1", "cluster": config.dump(made.cluster), "drift": []}
    with pytest.raises(CannotLookError) as caught:
        _Provider().read("dev-node1", props)
    assert "resolve" not in str(caught.value)
    assert "connection stands" in str(caught.value)  # with a server that answers nothing
