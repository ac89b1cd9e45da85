"""Hosts that somebody else made, under the real engine against real SSH servers: keys, agent, bastion, another server.

The servers run commands on this machine. What they would do as root goes to a sudo that only notes what it is told.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pulumi import automation

from podnet import config
from podnet.model import Cluster
from podnet.observe.access import Access, run
from podnet.resources.host import Host
from podnet.resources.machine import Machine

from .conftest import ROOT, Agent, Stack
from .ssh_server import USER, SshServer, ssh_server

pytestmark = [pytest.mark.engine, pytest.mark.long]

CLAIM = "sudo -n sh -s -- claim dev node1 10.9.0.201 cni0"
RELEASE = "sudo -n sh -s -- release dev node1"


@dataclass(frozen=True)
class Place:
    """Where the commands of the stack work. key: the file with the private key that opens the servers."""

    stacks: Path
    key: Path

    def node(self, server: SshServer, **changes: Any) -> dict[str, Any]:
        """Give the ssh part of a node for a server; None leaves a key out."""
        written = {"host": server.host, "port": server.port, "user": USER, "keyFile": str(self.key)}
        written["hostKey"] = " ".join(server.host_key_text.split()[:2])
        return {name: value for name, value in (written | changes).items() if value is not None}


@pytest.fixture
def place(server: SshServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    programs = tmp_path / "programs"
    programs.mkdir()
    sudo = programs / "sudo"
    sudo.write_text("#!/bin/sh\ncat > /dev/null\n")
    sudo.chmod(0o755)
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    (bundle / "checksum").write_text("of the bundle\n")
    (tmp_path / "bundle.tar").write_text("the bundle itself")
    key = tmp_path / "id_test"
    key.write_text(server.user_key_text)
    key.chmod(0o600)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PODNET_ROOT", str(ROOT))
    monkeypatch.setenv("PODNET_STACKS", str(tmp_path / "stacks"))
    monkeypatch.setenv("PODNET_BUNDLE", str(bundle))
    yield Place(tmp_path / "stacks", key)


def cluster_of(ssh: dict[str, Any], **changes: Any) -> Cluster:
    """Give a cluster whose node1 is logged in to in this way."""
    other = {"user": "nobody", "hostKey": ssh["hostKey"], "agent": True}
    nodes = [
        {"name": "master", "role": "control-plane", "address": "10.9.0.200", "ssh": other},
        {"name": "node1", "role": "worker", "address": "10.9.0.201", "ssh": ssh},
    ]
    base = {"provider": "ssh", "machineNetwork": "10.9.0.0/24", "podSubnet": "10.22.0.0/16", "nodes": nodes}
    return config.load("dev", base | changes)


def program_of(cluster: Cluster) -> Callable[[], None]:
    """Make a program of the host's part and the one machine node1."""

    def program() -> None:
        Machine(cluster, cluster.workers[0], Host(cluster))

    return program


def error_of(run: Callable[[], object]) -> str:
    with pytest.raises(automation.CommandError) as caught:
        run()
    return re.sub(r"\s+", " ", str(caught.value))


def test_a_host_is_claimed_gets_the_bundle_and_is_released(stack: Stack, server: SshServer, place: Place) -> None:
    program = program_of(cluster_of(place.node(server)))
    stack.up(program)
    assert server.commands[0] == CLAIM
    assert "podnet-claim" in server.sessions[0].stdin
    words = ["claim dev", "var/lib/podnet/bundle", "tar --extract", "sh -eus /var/lib/podnet/unpacked", "sudo sh -s"]
    assert len(server.commands) == len(words)
    assert all(word in command for word, command in zip(words, server.commands, strict=True))
    assert server.sessions[2].stdin == "the bundle itself"
    count = len(server.commands)
    assert set(stack.preview().change_summary) == {"same"}
    stack.destroy()
    # One command undoes everything: what each of the others did goes with the claim.
    assert server.commands[count:] == [RELEASE]
    assert not (place.stacks / "dev").exists()


def test_everything_goes_through_the_bastion(stack: Stack, server: SshServer, place: Place, tmp_path: Path) -> None:
    (tmp_path / "jump").mkdir()
    with ssh_server(tmp_path / "jump") as bastion:
        jump_key = tmp_path / "id_jump"
        jump_key.write_text(bastion.user_key_text)
        jump_key.chmod(0o600)
        jump = place.node(bastion, keyFile=str(jump_key))
        stack.up(program_of(cluster_of(place.node(server, bastion=jump))))
        # Pulumi's connections and ssh(1)'s, which brings the bundle.
        assert len(bastion.forwarded) == len(server.sessions)
        assert set(bastion.forwarded) == {(server.host, server.port)}
        assert bastion.commands == []
        assert any("tar --extract" in command for command in server.commands)
        stack.destroy()
        assert server.commands[-1] == RELEASE


def test_another_server_at_the_address_stops_the_up(stack: Stack, place: Place, tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    (tmp_path / "other").mkdir()
    with ssh_server(tmp_path / "first") as first:
        place.key.write_text(first.user_key_text)
        ssh = place.node(first)
        stack.up(program_of(cluster_of(ssh)))
    with ssh_server(tmp_path / "other", first.port) as other:
        # It would let anybody in that the first one let in.
        other.user_key = first.user_key
        changed = cluster_of(ssh, cni={"bridge": "pods0"})
        error = error_of(lambda: stack.up(program_of(changed)))
        assert f"127.0.0.1:{first.port}: the host key is not the expected one, SHA256:" in error
        status, _, said = asyncio.run(run(Access(place.stacks / "dev").ssh(changed.workers[0], "true"), "", 20))
        assert status == 255
        assert "Host key verification failed" in said
        assert other.dials > 0
        assert other.sessions == []


def test_a_bastion_that_is_another_one_stops_the_up(
    stack: Stack, server: SshServer, place: Place, tmp_path: Path
) -> None:
    (tmp_path / "jump").mkdir()
    with ssh_server(tmp_path / "jump") as bastion:
        bastion.user_key = server.user_key
        jump = place.node(bastion, hostKey=" ".join(server.host_key_text.split()[:2]))
        error = error_of(lambda: stack.up(program_of(cluster_of(place.node(server, bastion=jump)))))
        assert f"127.0.0.1:{bastion.port}: the host key is not the expected one" in error
        assert bastion.forwarded == []
    assert server.dials == 0


def test_the_agents_socket_is_no_input(
    stack: Stack, server: SshServer, place: Place, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent.add(server.user_key_text)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(agent.socket))
    ssh = place.node(server, keyFile=None, agent=True)
    stack.up(program_of(cluster_of(ssh)))
    assert server.commands[0] == CLAIM
    assert any("tar --extract" in command for command in server.commands)
    monkeypatch.setenv("SSH_AUTH_SOCK", "/nowhere")
    assert set(stack.preview().change_summary) == {"same"}
    assert str(agent.socket) not in stack.clear_text()


def test_a_preview_needs_no_key_file(stack: Stack, server: SshServer, place: Place) -> None:
    kept = place.key.read_text()
    place.key.unlink()
    program = program_of(cluster_of(place.node(server)))
    assert "create" in stack.preview(program).change_summary
    error = error_of(stack.up)
    assert f"the key file {place.key} cannot be read on this machine" in error
    assert server.dials == 0
    place.key.write_text(kept)
    place.key.chmod(0o600)
    stack.up()
    # Nor does the preview of a stack that is up, from a machine that has no such file.
    place.key.unlink()
    assert set(stack.preview().change_summary) == {"same"}


def test_an_encrypted_key_file_is_for_the_agent(stack: Stack, server: SshServer, place: Place) -> None:
    subprocess.run(["ssh-keygen", "-q", "-p", "-N", "a passphrase", "-f", str(place.key)], check=True)
    error = error_of(lambda: stack.up(program_of(cluster_of(place.node(server)))))
    assert "is encrypted: give that one to ssh-agent, and write agent: true" in error
    assert server.dials == 0


def test_a_host_that_is_gone_for_good_is_forgotten(stack: Stack, place: Place, tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    with ssh_server(tmp_path / "gone") as gone:
        place.key.write_text(gone.user_key_text)
        stack.up(program_of(cluster_of(place.node(gone))))
    error_of(stack.destroy)
    # What the claim ends is gone from the state, so that nothing stands in the way of forgetting it.
    assert [name for name in stack.state() if name.startswith("node1-") and name != "node1-ssh-key"] == ["node1-claim"]
    stack.forget("node1-claim")
    stack.destroy()
    assert stack.state() == {}


def test_the_private_key_is_nowhere_in_clear(stack: Stack, server: SshServer, place: Place) -> None:
    stack.up(program_of(cluster_of(place.node(server))))
    for line in server.user_key_text.splitlines():
        if line and not line.startswith("-----"):
            assert line not in stack.clear_text()
