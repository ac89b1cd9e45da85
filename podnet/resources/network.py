"""One node's share of the pod network: CNI conf, masquerade, a route to every other node."""

from __future__ import annotations

import pulumi

from podnet.commands import network
from podnet.node import cni
from podnet.planning import NodePlan
from podnet.resources.runner import NodeHandle, on_node


class PodNetwork(pulumi.ComponentResource):
    """The files, rules and routes of one node."""

    def __init__(self, plan: NodePlan, handle: NodeHandle) -> None:
        name = plan.node.name
        super().__init__("podnet:network:PodNetwork", f"{name}-pod-network")
        machine = handle.machine.id
        self.masquerade = on_node(
            f"{name}-masquerade",
            network.masquerade(plan.spec.masquerade),
            handle,
            parent=self,
            triggers=[machine],
        )
        self.conf = on_node(
            f"{name}-cni-conf",
            network.conf(plan.spec),
            handle,
            parent=self,
            # Another path or bridge: the old one has to be deleted by the old command, so this is a replacement.
            triggers=[machine, cni.path(plan.spec.cni), plan.spec.cni.bridge],
            depends_on=[self.masquerade],  # with the conf pods come, and find their rules
        )
        self.routes = {
            peer.name: on_node(
                f"{name}-route-to-{peer.name}",
                network.routes(peer.name, plan.routes_to(peer.name)),
                handle,
                parent=self,
                triggers=[machine],
            )
            for peer in plan.peers
        }
        self.all: list[pulumi.Resource] = [self.conf, self.masquerade, *self.routes.values()]
        self.register_outputs({})
