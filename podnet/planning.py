"""From a cluster to everything that has to be made for it: a pure function, and the heart of podnet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from netaddr import IPAddress, IPNetwork

from podnet.addressing import host
from podnet.model import Cluster, Login, Node

WEB_PODS: Final = 2
"""How many pods the workload, nginx, has: each on a node of its own."""


@dataclass(frozen=True, slots=True)
class Route:
    """A static route on one node to the pods of another.

    node, peer: names of the node that holds the route and of the node that it leads to.
    destination: the peer's pod subnet. gateway: the peer's address.
    There is no device: the kernel finds the one that holds the node's address.
    """

    node: str
    peer: str
    destination: IPNetwork
    gateway: IPAddress


@dataclass(frozen=True, slots=True)
class NetConf:
    """One node's CNI network configuration.

    subnet: the node's pod subnet. gateway: the bridge's address in it (its first host).
    """

    node: str
    subnet: IPNetwork
    gateway: IPAddress


@dataclass(frozen=True, slots=True)
class Masquerade:
    """One node's rules for pods that talk to the outside.

    source: the node's pod subnet. unmasqueraded: the destinations that see a pod under its own address: every
    pod (the cluster's pod subnet). Other nodes' addresses are added with the route to each. services: addresses that
    are never outside: a packet that is still for one of them on its way out is for a Service that nobody serves.
    """

    node: str
    source: IPNetwork
    unmasqueraded: tuple[IPNetwork, ...]
    services: IPNetwork


@dataclass(frozen=True, slots=True)
class NodePlan:
    """Everything that one node gets."""

    node: Node
    net_conf: NetConf
    masquerade: Masquerade
    routes: tuple[Route, ...]


@dataclass(frozen=True, slots=True)
class ClusterPlan:
    """Everything that is made for a cluster. Rendering, resources, verification and picture are functions of it."""

    cluster: Cluster
    nodes: tuple[NodePlan, ...]

    @property
    def routes(self) -> tuple[Route, ...]:
        """Every route, node by node."""
        return tuple(route for node in self.nodes for route in node.routes)

    def of(self, name: str) -> NodePlan:
        """The plan of the node with this name; KeyError where there is none."""
        for node in self.nodes:
            if node.node.name == name:
                return node
        raise KeyError(name)


def holdings(node: Node) -> dict[str, str]:
    """Give what no two nodes can hold at the same time. host: where a host that podnet did not make is logged in to."""
    return {"address": str(node.address), "podSubnet": str(node.pod_subnet), "host": _place(node.ssh)}


def _place(login: Login | None) -> str:
    if login is None:
        return ""
    return f"{login.host}:{login.port}" + (f" behind {_place(login.bastion)}" if login.bastion else "")


def bridge_address(subnet: IPNetwork) -> IPAddress:
    """The address that the bridge plugin takes for itself with isGateway: the subnet's first host."""
    return host(subnet, 1)


def plan(cluster: Cluster) -> ClusterPlan:
    """Plan a cluster: a conf and a masquerade for each node, a route for every ordered pair of nodes.

    The control plane is a node like the others here: its pods are reached and reach too.
    """
    return ClusterPlan(cluster, tuple(_plan_node(cluster, node) for node in cluster.nodes))


def _plan_node(cluster: Cluster, node: Node) -> NodePlan:
    return NodePlan(
        node=node,
        net_conf=NetConf(node.name, node.pod_subnet, bridge_address(node.pod_subnet)),
        masquerade=Masquerade(node.name, node.pod_subnet, (cluster.pod_subnet,), cluster.service_subnet),
        routes=tuple(
            Route(node.name, peer.name, peer.pod_subnet, peer.address)
            for peer in cluster.nodes
            if peer.name != node.name
        ),
    )
