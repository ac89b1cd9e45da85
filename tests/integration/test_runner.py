"""A node that cannot be reached, under the real engine: what the user is told."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import replace

import pulumi
import pytest
from asyncssh import generate_private_key
from pulumi.automation import CommandError
from pulumi_command import local

from podnet.addressing import parse_address, parse_network
from podnet.commands.shell import Command
from podnet.kinds import Kind
from podnet.model import Login, Node, Role
from podnet.resources import runner
from podnet.resources.runner import Component, NodeHandle, on_node, secret, to_existing, to_machine, unreachable

from .conftest import Stack

NOBODY = Node("node1", Role.WORKER, (parse_address("127.7.7.7"),), (parse_network("10.22.2.0/24"),), 1024, 1)
"""A loopback address where no SSH server listens."""


def _program() -> None:
    parent = Component(Kind.STATIC_ROUTES, "node1", {})
    machine = local.Command("node1-vm", create="true", opts=pulumi.ResourceOptions(parent=parent))
    key = generate_private_key("ssh-ed25519")
    private = secret(machine.stdout.apply(lambda _: key.export_private_key().decode()))
    public = machine.stdout.apply(lambda _: key.export_public_key().decode())
    handle = NodeHandle(NOBODY, machine, machine, to_machine(NOBODY, private, public), unreachable(NOBODY))
    on_node("node1-route-to-node2", Command(create="true"), handle, parent=parent)


def test_it_is_named_with_what_to_do(stack: Stack) -> None:
    with pytest.raises(CommandError):
        stack.up(_program)
    said = "".join(stack.log)
    assert "node1 (127.7.7.7) cannot be reached over SSH" in said
    assert "make up starts it again" in said
    assert "make up REPLACE=node1" in said
    assert "Traceback" not in said


def _patient(node: Node, login: Login) -> Callable[[], None]:
    """A command of a node whose dials would wait for ever, as the official plugin's logins do that have begun."""

    def program() -> None:
        parent = Component(Kind.STATIC_ROUTES, "node1", {})
        machine = local.Command("node1-vm", create="true", opts=pulumi.ResourceOptions(parent=parent))
        private = secret(pulumi.Output.from_input(generate_private_key("ssh-ed25519").export_private_key().decode()))
        connection = to_existing(login, private, None)
        connection.dial_error_limit, connection.per_dial_timeout = -1, 0
        handle = NodeHandle(node, machine, machine, connection, unreachable(node))
        on_node("node1-route-to-node2", Command(create="true"), handle, parent=parent)

    return program


@pytest.mark.timeout(120)
def test_a_node_that_hangs_is_not_waited_for_for_ever(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its kernel takes connections, and its sshd says nothing."""
    monkeypatch.setattr(runner, "_SILENCE", 1)
    with socket.create_server(("127.0.0.1", 0)) as frozen:
        key = generate_private_key("ssh-ed25519").export_public_key().decode().strip()
        login = Login("127.0.0.1", frozen.getsockname()[1], "tester", key, "~/.ssh/id")
        with pytest.raises(CommandError):
            stack.up(_patient(replace(NOBODY, ssh=login), login))
    said = "".join(stack.log)
    assert "node1 (127.7.7.7) cannot be reached over SSH" in said
    assert f"127.0.0.1 port {login.port} takes connections, and says nothing for 1 s" in said
    assert "docs/existing-machines.md" in said
    assert "Traceback" not in said
