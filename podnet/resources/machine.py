"""A machine of the cluster, with the node bundle on it: a Vagrant box, or a host that somebody else made."""

from __future__ import annotations

from dataclasses import replace

import pulumi
from pulumi_command import remote

from podnet.commands import claim, host, network
from podnet.model import Cluster, Login, Node
from podnet.planning import holdings
from podnet.render import vagrant
from podnet.resources.host import Host
from podnet.resources.runner import (
    NodeHandle,
    Secrecy,
    on_host,
    on_node,
    secret,
    to_existing,
    to_machine,
    unreachable,
)


class Machine(pulumi.ComponentResource):
    """``vagrant up`` and ``vagrant destroy`` of a box, or claim and release of a host; and what it needs beside."""

    def __init__(self, cluster: Cluster, node: Node, owner: Host) -> None:
        super().__init__("podnet:machine:Machine", node.name)
        self._cluster = cluster
        self._node = node
        self._unreachable = unreachable(node)
        machine, connection = self._made(owner) if node.ssh is None else self._existing(node.ssh)
        bundle = on_host(
            f"{node.name}-bundle",
            host.bundle(cluster, node),
            parent=self,
            # It is brought over SSH.
            depends_on=[machine, *owner.needed_by_ssh],
            triggers=[
                machine.id,
                cluster.kubernetes_version,
                # A host that was installed anew has another key, and no bundle.
                *([node.ssh.host_key] if node.ssh else []),
            ],
            deleted_with=machine,
        )
        reached = NodeHandle(node, machine, bundle, connection, self._unreachable)
        # Its scripts are what every later command of the node calls.
        service = on_node(
            f"{node.name}-network-service", network.service(), reached, parent=self, triggers=[machine.id]
        )
        self.handle = replace(reached, ready=service)
        # Whoever brings the next change sees in the state what this node holds.
        self.register_outputs(holdings(node))

    def _made(self, owner: Host) -> tuple[pulumi.CustomResource, remote.ConnectionArgs]:
        cluster, node = self._cluster, self._node
        machine = on_host(
            f"{node.name}-vm",
            host.machine(cluster, node),
            parent=self,
            # Vagrant reads its folder, and the box's interface hangs on the bridge.
            depends_on=owner.needed_by_machines,
            # The box's own checksum is not among them.
            triggers=vagrant.made_with(cluster, node),
            delete_before_replace=True,
        )
        return machine, to_machine(node, owner.machines_key, machine.stdout)

    def _existing(self, login: Login) -> tuple[pulumi.CustomResource, remote.ConnectionArgs]:
        cluster, node = self._cluster, self._node
        connection = to_existing(
            login,
            self._key(f"{node.name}-ssh-key", login),
            self._key(f"{node.name}-bastion-key", login.bastion),
        )
        command = claim.claim(cluster, node)
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
                parent=self,
                delete_before_replace=True,
                hooks=self._unreachable,
            ),
        )
        return machine, connection

    def _key(self, name: str, login: Login | None) -> pulumi.Output[str] | None:
        """The private key for a login; None where the SSH agent has it."""
        if login is None or login.key_file is None:
            return None
        command = on_host(name, host.login_key(login), parent=self, secrecy=Secrecy(stdout=True))
        return secret(command.stdout)
