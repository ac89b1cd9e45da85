"""A machine of the cluster: a Vagrant box that runs, with the node bundle on it."""

from __future__ import annotations

from dataclasses import replace

import pulumi

from podnet.commands import host, network
from podnet.model import Cluster, Node
from podnet.render import vagrant
from podnet.resources.host import Host
from podnet.resources.runner import NodeHandle, on_host, on_node, unreachable


class Machine(pulumi.ComponentResource):
    """``vagrant up`` and ``vagrant destroy`` of one box, and what it needs before Kubernetes."""

    def __init__(self, cluster: Cluster, node: Node, owner: Host) -> None:
        super().__init__("podnet:machine:Machine", node.name)
        machine = on_host(
            f"{node.name}-vm",
            host.machine(cluster, node),
            parent=self,
            # Vagrant reads its folder, and the box's interface hangs on the bridge.
            depends_on=owner.needed_by_machines,
            # Whatever of these changes makes another machine; the box's own checksum does not.
            triggers=[str(cluster.provider), vagrant.machine(cluster, node), str(cluster.machine_network)],
            delete_before_replace=True,
        )
        bundle = on_host(
            f"{node.name}-bundle",
            host.bundle(cluster, node),
            parent=self,
            depends_on=[machine],  # it is brought over SSH
            triggers=[machine.id, cluster.kubernetes_version],
            deleted_with=machine,
        )
        reached = NodeHandle(node, machine, bundle, owner.private_key, machine.stdout, unreachable(node))
        # Its scripts are what every later command of the node calls.
        service = on_node(
            f"{node.name}-network-service", network.service(), reached, parent=self, triggers=[machine.id]
        )
        self.handle = replace(reached, ready=service)
        self.register_outputs({})
