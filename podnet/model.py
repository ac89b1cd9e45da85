"""The nouns: what a cluster is, before anything is planned for it.

All values are frozen. Addresses are netaddr's; only :mod:`podnet.addressing` makes them, so that a network with
host bits or a mutable alias never gets in here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from netaddr import IPAddress, IPNetwork

from podnet.node.spec import CniOptions


class Role(StrEnum):
    """What a node is in the cluster, in Kubernetes' words."""

    CONTROL_PLANE = "control-plane"
    WORKER = "worker"


class MachineProvider(StrEnum):
    """Who makes the machines: one of Vagrant's providers, or (ssh) somebody else, before podnet comes."""

    LXC = "lxc"
    VIRTUALBOX = "virtualbox"
    LIBVIRT = "libvirt"
    SSH = "ssh"


@dataclass(frozen=True, slots=True)
class Login:
    """How an existing host is logged in to.

    host: a name or an address. host_key: its public key, type and base64: nothing else is ever talked to there.
    key_file: the private key's path on the machine that podnet runs on, absolute or from ``~``; None stands for the
        keys of the SSH agent.
    bastion: the host that leads there, where it cannot be reached directly.
    """

    host: str
    port: int
    user: str
    host_key: str
    key_file: str | None
    bastion: Login | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """One machine of the cluster.

    addresses: the node's in the machine network, one for each address family; Kubernetes' InternalIP.
    pod_subnets: the ranges that host-local hands out to the pods of this node; its Node.spec.podCIDRs.
    memory: MiB. It and the number of CPUs mean nothing for a host that podnet does not make.
    ssh: the login of an existing host; None for a machine that podnet makes.
    """

    name: str
    role: Role
    addresses: tuple[IPAddress, ...]
    pod_subnets: tuple[IPNetwork, ...]
    memory: int
    cpus: int
    ssh: Login | None = None

    @property
    def address(self) -> IPAddress:
        """The address in the cluster's first family: the one that podnet logs in to."""
        return self.addresses[0]

    @property
    def pod_subnet(self) -> IPNetwork:
        """The pod subnet in the cluster's first family."""
        return self.pod_subnets[0]


@dataclass(frozen=True, slots=True)
class Images:
    """Container images that podnet itself runs, by full reference with a tag."""

    nginx: str
    probe: str


@dataclass(frozen=True, slots=True)
class Cluster:
    """A checked description of a cluster: what the config says, with every default filled in.

    name: the stack's name; everything that podnet makes on a host carries it.
    machine_network: the network that the machines share.
    gateway: the machine network's gateway, which podnet's bridge on the host holds; the way to the outside.
    pod_subnets: the ranges that hold every node's pod subnets, one for each address family (kubeadm's podSubnet).
    service_subnets: the ranges of Services (kubeadm's serviceSubnet).
    outside: the address that stands for the outside when the masquerade is verified.
    kubernetes_version: without a leading v.
    """

    name: str
    provider: MachineProvider
    machine_network: IPNetwork
    gateway: IPAddress
    pod_subnets: tuple[IPNetwork, ...]
    service_subnets: tuple[IPNetwork, ...]
    outside: IPAddress
    kubernetes_version: str
    nodes: tuple[Node, ...]
    cni: CniOptions
    images: Images

    @property
    def pod_subnet(self) -> IPNetwork:
        """The range of all pods in the first family."""
        return self.pod_subnets[0]

    @property
    def service_subnet(self) -> IPNetwork:
        """The range of Services in the first family."""
        return self.service_subnets[0]

    @property
    def control_plane(self) -> Node:
        """The one control-plane node."""
        return next(node for node in self.nodes if node.role is Role.CONTROL_PLANE)

    @property
    def workers(self) -> tuple[Node, ...]:
        """Every other node, in the config's order."""
        return tuple(node for node in self.nodes if node.role is Role.WORKER)
