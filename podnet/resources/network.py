"""One node's share of the pod network: CNI conf, masquerade, a route to every other node."""

from __future__ import annotations

import pulumi

from podnet.commands import network
from podnet.model import CniOptions
from podnet.planning import NodePlan
from podnet.render import cni
from podnet.resources.runner import NodeHandle, on_node


class PodNetwork(pulumi.ComponentResource):
    """The files, rules and routes of one node."""

    def __init__(self, plan: NodePlan, options: CniOptions, handle: NodeHandle) -> None:
        name = plan.node.name
        super().__init__("podnet:network:PodNetwork", f"{name}-pod-network")
        machine = handle.machine.id
        self.masquerade = on_node(
            f"{name}-masquerade",
            network.masquerade(plan.masquerade),
            handle,
            parent=self,
            triggers=[machine],
        )
        self.conf = on_node(
            f"{name}-cni-conf",
            network.conf(plan.net_conf, options),
            handle,
            parent=self,
            # Another path or bridge: the old one has to be deleted by the old command, so this is a replacement.
            triggers=[machine, cni.path(options), options.bridge],
            depends_on=[self.masquerade],  # with the conf pods come, and find their rules
        )
        self.routes = {
            route.peer: on_node(
                f"{name}-route-to-{route.peer}",
                network.route(route),
                handle,
                parent=self,
                triggers=[machine],
            )
            for route in plan.routes
        }
        self.all: list[pulumi.Resource] = [self.conf, self.masquerade, *self.routes.values()]
        self.register_outputs({})
