"""One node's share of the pod network: CNI conf, masquerade, a route to every other node."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from podnet.commands import network
from podnet.kinds import Kind
from podnet.model import CniOptions
from podnet.planning import Masquerade, NetConf, NodePlan, Route
from podnet.render import cni
from podnet.resources.runner import Component, NodeHandle, component_urn, on_node, texts


@dataclass(frozen=True, slots=True)
class PodNetwork:
    """The commands of one node. routes: by the name of the peer that each leads to."""

    masquerade: pulumi.Resource
    conf: pulumi.Resource
    routes: dict[str, pulumi.Resource]

    @property
    def all(self) -> list[pulumi.Resource]:
        """Every command."""
        return [self.conf, self.masquerade, *self.routes.values()]


def pod_network(plan: NodePlan, options: CniOptions, handle: NodeHandle) -> PodNetwork:
    """Declare the files, rules and routes of one node."""
    masquerade = _masquerade(plan.masquerade, handle)
    return PodNetwork(
        masquerade,
        _conf(plan.net_conf, options, handle, masquerade),
        _routes(plan.routes, handle),
    )


def earlier_component(node: str) -> pulumi.Output[str]:
    """Give the component that held all of this in stacks of an earlier version."""
    return component_urn("podnet:network:PodNetwork", f"{node}-pod-network")


def _masquerade(planned: Masquerade, handle: NodeHandle) -> pulumi.Resource:
    name = planned.node
    component = Component(
        Kind.MASQUERADE,
        name,
        {
            "node": name,
            "podSubnets": texts([planned.source]),
            "nonMasqueradeCIDRs": texts(planned.unmasqueraded),
            "serviceSubnets": texts([planned.services]),
        },
        moved_from=earlier_component(name),
    )
    command = network.masquerade(planned)
    return on_node(f"{name}-masquerade", command, handle, parent=component, triggers=[handle.machine.id])


def _conf(planned: NetConf, options: CniOptions, handle: NodeHandle, masquerade: pulumi.Resource) -> pulumi.Resource:
    name = planned.node
    component = Component(
        Kind.NET_CONF,
        name,
        {
            "node": name,
            "podSubnets": texts([planned.subnet]),
            "network": options.network,
            "bridge": options.bridge,
            "mtu": options.mtu,
            "ipMasq": options.ip_masq,
            "hairpinMode": options.hairpin_mode,
            "portmap": options.portmap,
        },
        moved_from=earlier_component(name),
    )
    return on_node(
        f"{name}-cni-conf",
        network.conf(planned, options),
        handle,
        parent=component,
        # Another path or bridge: the old one has to be deleted by the old command, so this is a replacement.
        triggers=[handle.machine.id, cni.path(options), options.bridge],
        depends_on=[masquerade],  # with the conf pods come, and find their rules
    )


def _routes(planned: tuple[Route, ...], handle: NodeHandle) -> dict[str, pulumi.Resource]:
    name = handle.node.name
    component = Component(
        Kind.STATIC_ROUTES,
        name,
        {
            "node": name,
            "routes": [
                {"peer": route.peer, "destination": str(route.destination), "gateway": str(route.gateway)}
                for route in planned
            ],
        },
        moved_from=earlier_component(name),
    )
    return {
        route.peer: on_node(
            f"{name}-route-to-{route.peer}",
            network.route(route),
            handle,
            parent=component,
            triggers=[handle.machine.id],
        )
        for route in planned
    }
