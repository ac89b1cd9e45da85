"""One node's share of the pod network: CNI conf, masquerade, a route to every other node."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import pulumi

from podnet.commands import network
from podnet.kinds import Kind
from podnet.node import cni
from podnet.planning import NodePlan
from podnet.resources.runner import Component, NodeHandle, component_urn, on_node


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


def pod_network(plan: NodePlan, handle: NodeHandle) -> PodNetwork:
    """Declare the files, rules and routes of one node."""
    masquerade = _masquerade(plan, handle)
    return PodNetwork(masquerade, _conf(plan, handle, masquerade), _routes(plan, handle))


def earlier_component(node: str) -> pulumi.Output[str]:
    """Give the component that held all of this in stacks of an earlier version."""
    return component_urn("podnet:network:PodNetwork", f"{node}-pod-network")


def _masquerade(plan: NodePlan, handle: NodeHandle) -> pulumi.Resource:
    name = plan.node.name
    inputs = {"node": name, **plan.spec.masquerade.to_json()}
    return on_node(
        f"{name}-masquerade",
        network.masquerade(plan.spec.masquerade),
        handle,
        parent=Component(Kind.MASQUERADE, name, inputs, moved_from=earlier_component(name)),
        triggers=[handle.machine.id],
    )


def _conf(plan: NodePlan, handle: NodeHandle, masquerade: pulumi.Resource) -> pulumi.Resource:
    name, options = plan.node.name, plan.spec.cni
    inputs = {
        "node": name,
        "podSubnets": list(plan.spec.pod_subnets),
        "network": options.network,
        "bridge": options.bridge,
        "mtu": options.mtu,
        "ipMasq": options.ip_masq,
        "hairpinMode": options.hairpin_mode,
        "portmap": options.portmap,
    }
    return on_node(
        f"{name}-cni-conf",
        network.conf(plan.spec),
        handle,
        parent=Component(Kind.NET_CONF, name, inputs, moved_from=earlier_component(name)),
        # Another path or bridge: the old one has to be deleted by the old command, so this is a replacement.
        triggers=[handle.machine.id, cni.path(options), options.bridge],
        depends_on=[masquerade],  # with the conf pods come, and find their rules
    )


def _routes(plan: NodePlan, handle: NodeHandle) -> dict[str, pulumi.Resource]:
    name = plan.node.name
    known = ("peer", "destination", "gateway")
    routes = [{key: asdict(route)[key] for key in known} for route in plan.routes]
    component = Component(
        Kind.STATIC_ROUTES, name, {"node": name, "routes": routes}, moved_from=earlier_component(name)
    )
    return {
        peer.name: on_node(
            f"{name}-route-to-{peer.name}",
            network.routes(peer, plan.routes_to(peer.name)),
            handle,
            parent=component,
            triggers=[handle.machine.id],
        )
        for peer in plan.peers
    }
