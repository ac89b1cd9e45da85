"""The nouns: what a cluster is, before anything is planned for it.

All values are frozen. Addresses are netaddr's; only :mod:`podnet.addressing` makes them, so that a network with
host bits or a mutable alias never gets in here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from netaddr import IPAddress, IPNetwork


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
    """How a host that somebody else made is logged in to.

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

    address: the node's address in the machine network; Kubernetes' InternalIP.
    pod_subnet: the range that host-local hands out to the pods of this node; its Node.spec.podCIDR.
    memory: MiB. It and the number of CPUs mean nothing for a host that podnet does not make.
    ssh: the login of a host that somebody else made; None for a machine that podnet makes.
    """

    name: str
    role: Role
    address: IPAddress
    pod_subnet: IPNetwork
    memory: int
    cpus: int
    ssh: Login | None = None


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
    pod_subnet: the range that holds every node's pod subnet (kubeadm's podSubnet).
    service_subnet: the range of Services (kubeadm's serviceSubnet).
    outside: the address that stands for the outside when the masquerade is verified.
    kubernetes_version: without a leading v.
    """

    name: str
    provider: MachineProvider
    machine_network: IPNetwork
    gateway: IPAddress
    pod_subnet: IPNetwork
    service_subnet: IPNetwork
    outside: IPAddress
    kubernetes_version: str
    nodes: tuple[Node, ...]
    cni: CniOptions
    images: Images

    @property
    def control_plane(self) -> Node:
        """The one control-plane node."""
        return next(node for node in self.nodes if node.role is Role.CONTROL_PLANE)

    @property
    def workers(self) -> tuple[Node, ...]:
        """Every other node, in the config's order."""
        return tuple(node for node in self.nodes if node.role is Role.WORKER)
