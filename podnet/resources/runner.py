"""Commands as Pulumi resources: on the host, and on a node over SSH."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import pulumi
from pulumi_command import local, remote

from podnet.commands.shell import Command
from podnet.model import Node

_DIALS: Final = 8
_DIAL_SECONDS: Final = 5
"""A node that does not answer is given up after about 50 s (nine dials, and the provider's pauses between them); one
that refuses, while its sshd starts, after 5 s."""


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
    private_key: pulumi.Output[str]
    host_key: pulumi.Output[str]
    unreachable: pulumi.ErrorHook

    def connection(self) -> remote.ConnectionArgs:
        """How every command logs in: with podnet's own key, to the one host key that it brought there itself."""
        return remote.ConnectionArgs(
            host=str(self.node.address),
            user="vagrant",
            private_key=self.private_key,
            host_key=self.host_key,
            dial_error_limit=_DIALS,
            per_dial_timeout=_DIAL_SECONDS,
        )


def unreachable(node: Node) -> pulumi.ErrorHook:
    """What is said beside the engine's own error where a node cannot be logged in to: which one, and what to do."""

    def tell(failed: pulumi.ErrorHookArgs) -> bool:
        if any(word in error for error in failed.errors for word in _NOT_REACHED):
            pulumi.log.error(
                f"{node.name} ({node.address}) cannot be reached over SSH. Where it only stands still, start it "
                f"(vagrant up {node.name}) and repeat the command; where it is lost, make up REPLACE={node.name} makes "
                "it anew. The other nodes are untouched, and what is done stays done."
            )
        return False  # the provider has dialled again and again already

    return pulumi.ErrorHook(f"{node.name}-unreachable", tell)


_NOT_REACHED: Final = ("failed attempts", "connection was lost", "host key is not the expected one", "ssh: handshake")
"""Words of the command provider, the official one's and the stand-in's."""


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
        connection=handle.connection(),
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
            hooks=pulumi.ResourceHookBinding(on_error=[handle.unreachable]),
            additional_secret_outputs=["stdout", "stderr"] if secrecy.stdout else None,
        ),
    )
