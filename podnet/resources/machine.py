"""A machine of the cluster, with the node bundle on it: a Vagrant box, or an existing host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pulumi
from pulumi_command import remote

from podnet.commands import bundle, claim, network, ssh, vagrant
from podnet.kinds import Kind
from podnet.model import Cluster, Login, Node
from podnet.planning import holdings
from podnet.resources.host import Host
from podnet.resources.runner import (
    Component,
    NodeHandle,
    Secrecy,
    on_host,
    on_node,
    secret,
    texts,
    to_existing,
    to_machine,
    unreachable,
)


class Machine(Component):
    """``vagrant up`` and ``vagrant destroy`` of a box, or claim and release of a host; and what it needs beside."""

    def __init__(self, cluster: Cluster, node: Node, owner: Host) -> None:
        super().__init__(
            Kind.MACHINE,
            node.name,
            {"node": node.name, "role": str(node.role), "provider": str(cluster.provider)},
            # Whoever brings the next change sees in the state what this node holds.
            outputs=holdings(node),
        )
        self._cluster = cluster
        self._node = node
        self._unreachable = unreachable(node)
        machine, connection = self._made(owner) if node.ssh is None else self._existing(node.ssh)
        installed = on_host(
            f"{node.name}-bundle",
            bundle.bundle(cluster, node),
            parent=self._component(Kind.NODE_BUNDLE, {"kubernetesVersion": cluster.kubernetes_version}),
            # It is brought over SSH.
            depends_on=[machine, *owner.needed_by_ssh],
            triggers=[
                machine.id,
                cluster.kubernetes_version,
                # A host that was installed again has another key, and no bundle.
                *([node.ssh.host_key] if node.ssh else []),
            ],
            deleted_with=machine,
        )
        reached = NodeHandle(node, machine, installed, connection, self._unreachable)
        # Its scripts are what every later command of the node calls.
        service = on_node(
            f"{node.name}-network-service",
            network.service(),
            reached,
            parent=self._component(Kind.NETWORK_SERVICE, {}),
            triggers=[machine.id],
        )
        self.handle = replace(reached, ready=service)

    def _component(self, kind: Kind, inputs: Mapping[str, Any]) -> Component:
        name = self._node.name
        return Component(kind, name, {"node": name, **inputs}, parent=self, moved_from=self)

    def _made(self, owner: Host) -> tuple[pulumi.CustomResource, remote.ConnectionArgs]:
        cluster, node = self._cluster, self._node
        inputs = {"addresses": texts([node.address]), "memory": node.memory, "cpus": node.cpus}
        machine = on_host(
            f"{node.name}-vm",
            vagrant.machine(cluster, node),
            parent=self._component(Kind.VAGRANT_MACHINE, inputs),
            # Vagrant reads its folder, and the box's interface hangs on the bridge.
            depends_on=owner.needed_by_machines,
            # The box's own checksum is not among them.
            triggers=vagrant.made_with(cluster, node),
            delete_before_replace=True,
        )
        return machine, to_machine(node, owner.machines_key, machine.stdout)

    def _existing(self, login: Login) -> tuple[pulumi.CustomResource, remote.ConnectionArgs]:
        cluster, node = self._cluster, self._node
        connection = to_existing(login, *self._keys(login))
        command = claim.claim(cluster, node)
        component = self._component(
            Kind.EXISTING_HOST, {"addresses": texts([node.address]), "host": login.host, "hostKey": login.host_key}
        )
        machine = remote.Command(
            f"{node.name}-claim",
            connection=connection,
            create=command.create,
            stdin=command.stdin,
            delete=command.delete,
            # As for a box: a node's address cannot be changed in place, so the host is released first.
            triggers=[cluster.name, str(node.address)],
            logging=remote.Logging.STDERR,
            add_previous_output_in_env=False,
            opts=pulumi.ResourceOptions(
                parent=component,
                aliases=component.aliases(),
                delete_before_replace=True,
                hooks=self._unreachable,
            ),
        )
        return machine, connection

    def _keys(self, login: Login) -> list[pulumi.Output[str] | None]:
        """The private keys for a host and for its bastion; None where the SSH agent has it, or there is no bastion."""
        files = {"ssh-key": login, "bastion-key": login.bastion}
        given = {name: each for name, each in files.items() if each is not None and each.key_file is not None}
        if not given:
            return [None, None]
        component = self._component(Kind.PRIVATE_KEY, {})
        node = self._node.name
        keys = {
            name: secret(
                on_host(f"{node}-{name}", ssh.login_key(each), parent=component, secrecy=Secrecy(stdout=True)).stdout
            )
            for name, each in given.items()
        }
        return [keys.get(name) for name in files]
