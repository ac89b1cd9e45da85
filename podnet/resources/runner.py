"""Components, and commands in them as Pulumi resources: on the host, and on a node over SSH."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import pulumi
from pulumi_command import local, remote

from podnet.commands import ssh
from podnet.commands.shell import Command
from podnet.errors import PodnetError
from podnet.kinds import Kind
from podnet.model import Login, Node
from podnet.observe import advice
from podnet.observe.silence import is_silent

_DIALS: Final = 8
_DIAL_SECONDS: Final = 5
"""A node that does not answer is given up after about 50 s (nine dials, and the provider's pauses between them); one
that refuses, while its sshd starts, after 5 s."""

_SILENCE: Final = 50
"""Seconds in which a node's sshd says its first word. A node that hangs still takes connections, and the official
provider then waits for ever: its time-outs, the resource's own too, end no login that has begun."""


@dataclass(frozen=True, slots=True)
class Secrecy:
    """What of a command's traffic is secret. A secret standard output is never logged and is encrypted in the state."""

    stdout: bool = False


class Component(pulumi.ComponentResource):
    """Commands of one kind.

    inputs: values of the plan, by the names that Kubernetes, CNI or the config have for them; ``node`` is the node that
        the commands are for. The engine records them: reviews and policies read these, and no command line.
    outputs: what others read in the stack's state.
    moved_from: what held the commands in stacks of an earlier version: a component, or the URN of one
        (:func:`component_urn`).
    """

    def __init__(
        self,
        kind: Kind,
        name: str,
        inputs: Mapping[str, Any],
        *,
        outputs: Mapping[str, Any] | None = None,
        parent: pulumi.Resource | None = None,
        moved_from: pulumi.Input[str] | pulumi.Resource | None = None,
    ) -> None:
        super().__init__(str(kind), name, dict(inputs), pulumi.ResourceOptions(parent=parent))
        self._moved_from = moved_from
        self.register_outputs(dict(outputs or {}))

    def aliases(self, renamed_from: str | None = None) -> list[pulumi.Input[str | pulumi.Alias]]:
        """Give the place that a resource in it had in stacks of an earlier version.

        renamed_from: its name there, where it had another. By this the engine knows the resource again.
        """
        if self._moved_from is None:
            return []
        before = self._moved_from
        return [pulumi.Alias(name=renamed_from, parent=before) if renamed_from else pulumi.Alias(parent=before)]


def component_urn(type_: str, name: str) -> pulumi.Output[str]:
    """Give the URN of a component that stacks of an earlier version have."""
    return pulumi.create_urn(name, type_)


def texts(values: Iterable[object]) -> list[str]:
    """Give addresses or networks as a component's inputs hold them."""
    return [str(value) for value in values]


def on_host(
    name: str,
    command: Command,
    *,
    parent: Component,
    depends_on: Sequence[pulumi.Resource] = (),
    triggers: Sequence[Any] = (),
    stdin: pulumi.Input[str] | None = None,
    environment: Mapping[str, pulumi.Input[str]] | None = None,
    secrecy: Secrecy = Secrecy(),
    logging: local.Logging | None = local.Logging.STDERR,
    deleted_with: pulumi.Resource | None = None,
    delete_before_replace: bool = False,
    keeps_triggers: bool = False,
) -> local.Command:
    """A command of the host. keeps_triggers: those that an earlier version gave it stay, and replace nothing."""
    return local.Command(
        name,
        create=command.create,
        delete=command.delete,
        stdin=stdin if stdin is not None else command.stdin,
        environment=environment,
        triggers=list(triggers),
        logging=local.Logging.NONE if secrecy.stdout else logging,
        add_previous_output_in_env=False,
        opts=pulumi.ResourceOptions(
            parent=parent,
            aliases=parent.aliases(),
            depends_on=list(depends_on),
            deleted_with=deleted_with,
            delete_before_replace=delete_before_replace,
            ignore_changes=["triggers"] if keeps_triggers else None,
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
    unreachable: pulumi.ResourceHookBinding


def to_machine(node: Node, private_key: pulumi.Output[str], host_key: pulumi.Output[str]) -> remote.ConnectionArgs:
    """How commands log in to a machine of podnet's: with its own key, to the one host key that it brought there."""
    return remote.ConnectionArgs(
        host=str(node.address),
        user=ssh.VAGRANT_USER,
        private_key=private_key,
        host_key=host_key,
        dial_error_limit=_DIALS,
        per_dial_timeout=_DIAL_SECONDS,
    )


def to_existing(
    login: Login, private_key: pulumi.Output[str] | None, bastion_key: pulumi.Output[str] | None
) -> remote.ConnectionArgs:
    """How commands log in to an existing host: to the one host key that is pinned in the config.

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
        "dial_error_limit": _DIALS,
        "per_dial_timeout": _DIAL_SECONDS,
    }


def unreachable(node: Node) -> pulumi.ResourceHookBinding:
    """What is done about a node that cannot be logged in to: it is named, with what to do, and not waited for for ever.

    A command that is undone has no such bound: the engine has no hook for that which a plain destroy could run.
    """
    outermost = node.ssh and (node.ssh.bastion or node.ssh)
    host, port = (outermost.host, outermost.port) if outermost else (str(node.address), ssh.PORT)

    async def listen(_: pulumi.ResourceHookArgs) -> None:
        if await is_silent(host, port, dial=_DIAL_SECONDS, patience=_SILENCE):
            raise PodnetError(f"{said('')} {host} port {port} takes connections, and says nothing for {_SILENCE} s.")

    def said(errors: str) -> str:
        where = f"{node.name} ({node.address}) cannot be reached over SSH."
        return f"{where} {_what_to_do(node, errors)} The other nodes are untouched, and what is done stays done."

    def tell(failed: pulumi.ErrorHookArgs) -> bool:
        """Say which node it is beside the engine's own error."""
        if any(word in error for error in failed.errors for word in _NOT_REACHED):
            pulumi.log.error(said("".join(failed.errors)))
        return False  # the provider has dialled again and again already

    answers = pulumi.ResourceHook(f"{node.name}-answers", listen)
    failed = pulumi.ErrorHook(f"{node.name}-unreachable", tell)
    return pulumi.ResourceHookBinding(before_create=[answers], before_update=[answers], on_error=[failed])


def _what_to_do(node: Node, errors: str) -> str:
    if node.ssh is not None and "host key" in errors:
        return (
            "Another host key answers there than the one that is pinned in the config. Where the host was installed "
            "again, write its new key there and repeat the command; where you know of nothing, find out who answers."
        )
    return advice.for_lost(node)


_NOT_REACHED: Final = ("failed attempts", "connection was lost", "host key is not the expected one", "ssh: handshake")
"""Words of the command provider, the official one's and the stand-in's."""


def on_node(
    name: str,
    command: Command,
    handle: NodeHandle,
    *,
    parent: Component,
    renamed_from: str | None = None,
    depends_on: Sequence[pulumi.Resource] = (),
    triggers: Sequence[Any] = (),
    stdin: pulumi.Input[str] | None = None,
    secrecy: Secrecy = Secrecy(),
) -> remote.Command:
    """A command of a node. It waits for the node's bundle, and is not undone where the machine goes away anyway.

    renamed_from: its name in stacks of an earlier version, where it had another.
    """
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
            aliases=parent.aliases(renamed_from),
            # The machine itself is named too: deleted_with needs it, and it reads like the chapter.
            depends_on=[handle.machine, handle.ready, *depends_on],
            deleted_with=handle.machine,
            delete_before_replace=True,
            hooks=handle.unreachable,
            additional_secret_outputs=["stdout", "stderr"] if secrecy.stdout else None,
        ),
    )
