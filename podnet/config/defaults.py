"""What follows from what is written: the values that need not be, and with them the cluster."""

from __future__ import annotations

from typing import Final

from netaddr import IPAddress, IPNetwork

from podnet import addressing
from podnet.addressing import AddressError, Family
from podnet.config.reading import UnknownError
from podnet.config.shape import ClusterShape, LoginShape, NodeShape, SshShape
from podnet.model import Cluster, Images, Login, Node, Role
from podnet.node.spec import CniOptions

NODE_PREFIX: Final = {Family.IPV4: 24, Family.IPV6: 64}
"""The prefix length of a node's pod subnet: the chapter's, and what Kubernetes' controller manager gives a node
(``--node-cidr-mask-size-ipv4`` and ``-ipv6``)."""


def gateway(cluster: ClusterShape) -> IPAddress:
    """Give the machine network's gateway: its first address."""
    return addressing.host(cluster.machine_network, 1) if cluster.gateway is None else cluster.gateway


def host(node: NodeShape, ssh: SshShape) -> str:
    """Give the name or address that an existing host answers at: the node's own."""
    return str(node.address) if ssh.host is None else ssh.host


def pod_subnet(cluster: ClusterShape, node: NodeShape) -> IPNetwork:
    """Give a node's pod subnet: of the ranges in the cluster's, the one that the node's address stands for.

    The control plane's is number 1, and the others are counted from it by their addresses, never by their places in
    the list: a node that comes or goes must not renumber the pods of the others.

    Raises AddressError where the cluster's pod subnet has no range of that number.
    """
    if node.pod_subnet is not None:
        return node.pod_subnet
    pods = cluster.pod_subnet
    prefix = NODE_PREFIX[addressing.family_of(pods)]
    number = int(node.address) - int(_control_plane(cluster).address) + 1
    subnets = addressing.count(pods, prefix)
    if not 0 <= number < subnets:
        raise AddressError(
            f"podSubnet {pods} has too few subnets: it holds {subnets} of /{prefix}, numbered from 0, "
            f"and {node.address} asks for number {number}",
            "a podSubnet written for this node, or an address nearer to the control plane's (whose subnet is number 1)",
        )
    return addressing.carve(pods, prefix, number)


def _control_plane(cluster: ClusterShape) -> NodeShape:
    heads = [node for node in cluster.nodes if getattr(node, "role", None) is Role.CONTROL_PLANE]
    if len(heads) != 1:
        raise UnknownError(f"there is no one control plane, but {len(heads)}")
    return heads[0]


def finished(stack: str, written: ClusterShape) -> Cluster:
    """Give the cluster that a config describes. Raises UnknownError or AddressError where it describes none."""
    way_out = gateway(written)
    return Cluster(
        name=stack,
        provider=written.provider,
        machine_network=written.machine_network,
        gateway=way_out,
        pod_subnets=(written.pod_subnet,),
        service_subnets=(written.service_subnet,),
        outside=way_out if written.outside is None else written.outside,
        kubernetes_version=written.kubernetes_version,
        nodes=tuple(_node(written, node) for node in written.nodes),
        cni=CniOptions(**written.cni.values()),
        images=Images(**written.images.values()),
    )


def _node(cluster: ClusterShape, node: NodeShape) -> Node:
    return Node(
        name=node.name,
        role=node.role,
        addresses=(node.address,),
        pod_subnets=(pod_subnet(cluster, node),),
        memory=node.memory,
        cpus=node.cpus,
        ssh=None if node.ssh is None else _ssh(node, node.ssh),
    )


def _ssh(node: NodeShape, ssh: SshShape) -> Login:
    bastion = ssh.bastion
    return _login(ssh, host(node, ssh), None if bastion is None else _login(bastion, bastion.host))


def _login(written: LoginShape, host: str, bastion: Login | None = None) -> Login:
    return Login(host, written.port, written.user, written.host_key, written.key_file, bastion)
