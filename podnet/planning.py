"""From a cluster to everything that has to be made for it: a pure function, and the heart of podnet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from netaddr import IPNetwork

from podnet.addressing import family_of
from podnet.model import Cluster, Login, MachineProvider, Node
from podnet.node.spec import Masquerade, NodeSpec, Route

WEB_PODS: Final = 2
"""How many pods the workload, nginx, has: each on a node of its own."""


@dataclass(frozen=True, slots=True)
class NodePlan:
    """Everything that one node gets.

    peers: every other node. spec: what the node should be, in the node's own words.
    """

    node: Node
    peers: tuple[Node, ...]
    spec: NodeSpec

    @property
    def routes(self) -> tuple[Route, ...]:
        """The node's static routes, peer by peer."""
        return self.spec.routes

    def routes_to(self, peer: str) -> tuple[Route, ...]:
        """The routes to one peer, one for each address family."""
        return tuple(route for route in self.spec.routes if route.peer == peer)


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


def plan(cluster: Cluster) -> ClusterPlan:
    """Plan a cluster: a conf and a masquerade for each node, a route for every ordered pair of nodes.

    The control plane is a node like the others here: its pods are reached and reach too.
    """
    return ClusterPlan(cluster, tuple(_plan_node(cluster, node) for node in cluster.nodes))


def _plan_node(cluster: Cluster, node: Node) -> NodePlan:
    peers = tuple(peer for peer in cluster.nodes if peer.name != node.name)
    return NodePlan(node, peers, _spec(cluster, node, peers))


def _spec(cluster: Cluster, node: Node, peers: Sequence[Node]) -> NodeSpec:
    pod_subnets = _texts(node.pod_subnets)
    everywhere = _texts(cluster.pod_subnets)
    return NodeSpec(
        node=node.name,
        peers={peer.name: tuple(map(str, peer.addresses)) for peer in peers},
        routes=tuple(route for peer in peers for route in _routes(node, peer)),
        pods=everywhere,
        # Machines of other providers, and existing hosts, have a default route of their own.
        gateway=str(cluster.gateway) if cluster.provider is MachineProvider.LXC else "",
        pod_subnets=pod_subnets,
        masquerade=Masquerade(pod_subnets, everywhere, _texts(cluster.service_subnets)),
        cni=cluster.cni,
    )


def _routes(node: Node, peer: Node) -> Iterator[Route]:
    for subnet in peer.pod_subnets:
        gateway = next(each for each in peer.addresses if family_of(each) is family_of(subnet))
        yield Route(node.name, peer.name, str(subnet), str(gateway))


def _texts(networks: Sequence[IPNetwork]) -> tuple[str, ...]:
    return tuple(map(str, networks))
