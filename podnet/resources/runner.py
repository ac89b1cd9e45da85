"""Commands as Pulumi resources: on the host, and on a node over SSH."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import pulumi
from pulumi_command import local, remote

from podnet.commands.shell import Command
from podnet.model import Login, Node
from podnet.render import ssh

_CREATE_DIALS = 30
"""Dials before giving up on a node while something is made there: about 111 s with the provider's own pauses."""

_EXISTING_DIALS = 8
_EXISTING_DIAL_SECONDS = 5
"""A host that was there before need not boot first: where it does not answer, that is said within 50 s."""


@dataclass(frozen=True, slots=True)
class Secrecy:
    """What of a command's traffic is secret. A secret standard output is never logged and is encrypted in the state."""

    stdout: bool = False


def on_host(
    name: str,
    command: Command,
    *,
    parent: pulumi.Resource,
    depends_on: Sequence[pulumi.Resource] = (),
    triggers: Sequence[Any] = (),
    stdin: pulumi.Input[str] | None = None,
    secrecy: Secrecy = Secrecy(),
    logging: local.Logging | None = local.Logging.STDERR,
    deleted_with: pulumi.Resource | None = None,
    delete_before_replace: bool = False,
) -> local.Command:
    """A command of the host."""
    return local.Command(
        name,
        create=command.create,
        delete=command.delete,
        stdin=stdin if stdin is not None else command.stdin,
        triggers=list(triggers),
        logging=local.Logging.NONE if secrecy.stdout else logging,
        add_previous_output_in_env=False,
        opts=pulumi.ResourceOptions(
            parent=parent,
            depends_on=list(depends_on),
            deleted_with=deleted_with,
            delete_before_replace=delete_before_replace,
            additional_secret_outputs=["stdout", "stderr"] if secrecy.stdout else None,
        ),
    )


def secret(text: pulumi.Output[str]) -> pulumi.Output[str]:
    """The same text, secret wherever it goes."""
    return pulumi.Output.secret(cast("str", text))


@dataclass(frozen=True, slots=True)
class NodeHandle:
    """A node that can be logged in to. machine: the resource whose end ends everything on the node."""

    node: Node
    machine: pulumi.CustomResource
    ready: pulumi.Resource
    connection: remote.ConnectionArgs


def to_machine(node: Node, private_key: pulumi.Output[str], host_key: pulumi.Output[str]) -> remote.ConnectionArgs:
    """How commands log in to a machine of podnet's: with its own key, to the one host key that it brought there."""
    return remote.ConnectionArgs(
        host=str(node.address),
        user=ssh.VAGRANT_USER,
        private_key=private_key,
        host_key=host_key,
        dial_error_limit=_CREATE_DIALS,
    )


def to_existing(
    login: Login, private_key: pulumi.Output[str] | None, bastion_key: pulumi.Output[str] | None
) -> remote.ConnectionArgs:
    """How commands log in to a host that somebody else made: to the one host key that is pinned in the config.

    A key that is None stands for the SSH agent's keys. The agent's socket is no input, for it is another in every
    session: the plugin finds it in its own environment (SSH_AUTH_SOCK).
    """
    return remote.ConnectionArgs(
        **_endpoint(login, private_key),
        proxy=None if login.bastion is None else remote.ProxyConnectionArgs(**_endpoint(login.bastion, bastion_key)),
    )


def _endpoint(login: Login, private_key: pulumi.Output[str] | None) -> dict[str, Any]:
    return {
        "host": login.host,
        "port": login.port,
        "user": login.user,
        "private_key": private_key,
        "host_key": login.host_key,
        "dial_error_limit": _EXISTING_DIALS,
        "per_dial_timeout": _EXISTING_DIAL_SECONDS,
    }


def on_node(
    name: str,
    command: Command,
    handle: NodeHandle,
    *,
    parent: pulumi.Resource,
    depends_on: Sequence[pulumi.Resource] = (),
    triggers: Sequence[Any] = (),
    stdin: pulumi.Input[str] | None = None,
    secrecy: Secrecy = Secrecy(),
) -> remote.Command:
    """A command of a node. It waits for the node's bundle, and is not undone where the machine goes away anyway."""
    return remote.Command(
        name,
        connection=handle.connection,
        create=command.create,
        delete=command.delete,
        stdin=stdin if stdin is not None else command.stdin,
        triggers=list(triggers),
        logging=remote.Logging.NONE if secrecy.stdout else remote.Logging.STDERR,
        add_previous_output_in_env=False,
        opts=pulumi.ResourceOptions(
            parent=parent,
            # The machine itself is named too: deleted_with needs it, and it reads like the chapter.
            depends_on=[handle.machine, handle.ready, *depends_on],
            deleted_with=handle.machine,
            delete_before_replace=True,
            additional_secret_outputs=["stdout", "stderr"] if secrecy.stdout else None,
        ),
    )
