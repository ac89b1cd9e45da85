"""What one node of the pod network should be: the document that the plan yields for each node.

Addresses and networks are text here, as the kernel and the tools print them: a node has no netaddr.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from ipaddress import ip_interface
from typing import Any, Final

ROUTE_PROTOCOL: Final = "201"
"""The protocol of podnet's routes (ip-route(8)): they can be told from all others."""

LIBRARY: Final = "/usr/local/lib/podnet"
CONFIG: Final = "/etc/podnet"
"""What a node should be, as its resources wrote it there."""

SYSCTLS: Final = {"net.ipv4.ip_forward": "1", "net.bridge.bridge-nf-call-iptables": "1"}
"""What every node needs: https://kubernetes.io/docs/setup/production-environment/container-runtimes/"""


@dataclass(frozen=True, slots=True)
class Route:
    """A static route on one node to the pods of another.

    node, peer: names of the node that holds the route and of the node that it leads to.
    destination: a pod subnet of the peer. gateway: the peer's address in that family.
    device: empty in a plan, for the kernel finds the one that holds the node's address; else the one that was seen.
    """

    node: str
    peer: str
    destination: str
    gateway: str
    device: str = ""

    def __str__(self) -> str:
        """As ip-route(8) reads it."""
        return f"{self.destination} via {self.gateway}"


@dataclass(frozen=True, slots=True)
class CniOptions:
    """What of the chapter's CNI conf can be chosen.

    network: the conf's ``name``.
    bridge: the Linux bridge that the pods of a node share.
    mtu: bytes, of the bridge and of the pods' interfaces.
    ip_masq: the bridge plugin's own masquerade. It hides a pod's address from pods on other nodes, so podnet
        turns it off and masquerades node-wide instead; on, it is the chapter's literal conf, which the
        verification refuses.
    hairpin_mode: a pod may reach itself through its Service.
    portmap: chain the portmap plugin, so that hostPort works.
    """

    network: str
    bridge: str
    mtu: int
    ip_masq: bool
    hairpin_mode: bool
    portmap: bool


@dataclass(frozen=True, slots=True)
class Masquerade:
    """Which packets of a node's pods are translated on their way to the outside.

    pod_subnets: the node's own. non_masquerade_cidrs: the destinations that see a pod under its own address: every pod;
    every other node is exempt too. service_subnets: addresses that are never outside: a packet that is still for one of
    them on its way out is for a Service that nobody serves.
    """

    pod_subnets: tuple[str, ...]
    non_masquerade_cidrs: tuple[str, ...]
    service_subnets: tuple[str, ...]

    def exempting(self, addresses: Iterable[str]) -> Masquerade:
        """Give it with more destinations: other nodes, whose agents see pods under their own addresses."""
        return replace(self, non_masquerade_cidrs=(*self.non_masquerade_cidrs, *addresses))

    def to_json(self) -> dict[str, Any]:
        """As the node notes it."""
        return {
            "podSubnets": list(self.pod_subnets),
            "nonMasqueradeCIDRs": list(self.non_masquerade_cidrs),
            "serviceSubnets": list(self.service_subnets),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Masquerade:
        """Read what to_json wrote. Raises KeyError or TypeError for anything else."""
        keys = ("podSubnets", "nonMasqueradeCIDRs", "serviceSubnets")
        return cls(*(tuple(map(str, document[key])) for key in keys))


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """One node.

    peers: the addresses of every other node, by its name. routes: to the pods of every other node.
    pods: the ranges of all pods: no other route may lead into them.
    gateway: the way to the outside, where podnet sets it; empty elsewhere.
    leaving: routes to nodes that are being taken away: they stand until the Node is gone.
    pod_subnets: what host-local hands out here, one for each address family.
    """

    node: str
    peers: Mapping[str, tuple[str, ...]]
    routes: tuple[Route, ...]
    pods: tuple[str, ...]
    gateway: str
    pod_subnets: tuple[str, ...]
    masquerade: Masquerade
    cni: CniOptions
    sysctls: Mapping[str, str] = field(default_factory=lambda: dict(SYSCTLS))
    leaving: tuple[Route, ...] = ()

    @property
    def bridge_addresses(self) -> tuple[str, ...]:
        """The bridge's address in each pod subnet, with the prefix length: what isGateway makes it take (RFC 4632)."""
        return tuple(first_host(subnet) for subnet in self.pod_subnets)

    def to_json(self) -> dict[str, Any]:
        """The document, as it travels to the node."""
        return {**asdict(self), "masquerade": self.masquerade.to_json()}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> NodeSpec:
        """Read what to_json wrote."""
        own: dict[str, Any] = dict(document)
        own["masquerade"] = Masquerade.from_json(own["masquerade"])
        own["cni"] = CniOptions(**own["cni"])
        own["peers"] = {name: tuple(addresses) for name, addresses in own["peers"].items()}
        for key in ("routes", "leaving"):
            own[key] = tuple(Route(**each) for each in own[key])
        for key in ("pods", "pod_subnets"):
            own[key] = tuple(own[key])
        return cls(**own)


NOTHING: Final = NodeSpec(
    node="this node",
    peers={},
    routes=(),
    pods=(),
    gateway="",
    pod_subnets=(),
    masquerade=Masquerade((), (), ()),
    cni=CniOptions("", "", 0, ip_masq=False, hairpin_mode=False, portmap=False),
)
"""A node of which nothing is known: what stands noted on the node itself is filled in."""


def version_of(text: str) -> int:
    """Of IP: 4 or 6, of an address or a network."""
    return ip_interface(text).version


def first_host(subnet: str) -> str:
    """The first host of a network, with its prefix length; the bridge plugin takes it for itself (isGateway)."""
    interface = ip_interface(subnet)
    return f"{interface.ip + 1}/{interface.network.prefixlen}"
