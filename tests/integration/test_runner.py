"""A node that cannot be reached, under the real engine: what the user is told."""

from __future__ import annotations

import pulumi
import pytest
from asyncssh import generate_private_key
from pulumi.automation import CommandError
from pulumi_command import local

from podnet.addressing import parse_address, parse_network
from podnet.commands.shell import Command
from podnet.model import Node, Role
from podnet.resources.runner import NodeHandle, on_node, secret, to_machine, unreachable

from .conftest import Stack

NOBODY = Node("node1", Role.WORKER, parse_address("127.7.7.7"), parse_network("10.22.2.0/24"), 1024, 1)
"""A loopback address where no SSH server listens."""


class _Parent(pulumi.ComponentResource):
    def __init__(self) -> None:
        super().__init__("podnet:test:Parent", "parent")


def _program() -> None:
    parent = _Parent()
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
