"""The config's keys: the type of each value, its default, and what is said where a required one is missing."""

from __future__ import annotations

from typing import Annotated, Final

from podnet import model, versions
from podnet.addressing import parse_network
from podnet.config import values
from podnet.config.reading import Needed, Shape

DEFAULT_SERVICE_SUBNET: Final = parse_network("10.96.0.0/12")
"""kubeadm's own default."""


class LoginShape(Shape):
    """What ``ssh`` and ``bastion`` share; see :class:`podnet.model.Login`."""

    host: values.Host | None = None
    port: values.Port = 22
    user: Annotated[values.User, Needed("the user to log in as; on a node it needs sudo without a password")]
    host_key: Annotated[
        values.HostKey, Needed(values.HOST_KEY, found="missing: podnet talks to no host whose key is not pinned")
    ]
    agent: bool = False
    key_file: values.KeyFile | None = None


class BastionShape(LoginShape):
    """``bastion`` of a login."""

    host: Annotated[values.Host, Needed("the bastion's name or address")]


class SshShape(LoginShape):
    """``ssh`` of a node. The host is the node's address where it is not written."""

    bastion: BastionShape | None = None


class NodeShape(Shape):
    """One entry of ``nodes``."""

    name: Annotated[values.NodeName, Needed("the node's name, like node1")]
    role: Annotated[values.Role, Needed("control-plane or worker")]
    address: Annotated[values.Address, Needed("the node's address in machineNetwork")]
    pod_subnet: values.NodePodSubnet | None = None
    memory: int = 2048
    cpus: int = 2
    ssh: SshShape | None = None


class CniShape(Shape):
    """``cni``; see :class:`podnet.node.spec.CniOptions`."""

    network: values.CniNetwork = "mynet"
    bridge: values.Bridge = "cni0"
    mtu: values.Mtu = 1500
    ip_masq: bool = False
    hairpin_mode: bool = True
    portmap: bool = True


class ImagesShape(Shape):
    """``images``; see :class:`podnet.model.Images`."""

    nginx: values.Image = "podnet.local/nginx:1.22.1"
    probe: values.Image = "podnet.local/probe:1"


class ClusterShape(Shape):
    """All keys of the namespace ``podnet``."""

    provider: values.Provider = model.MachineProvider.LXC
    machine_network: Annotated[values.MachineNetwork, Needed("the network that the machines share, as address/prefix")]
    gateway: values.Address | None = None
    pod_subnet: Annotated[values.PodSubnet, Needed("the range that holds every pod's address, as address/prefix")]
    service_subnet: values.ServiceSubnet = DEFAULT_SERVICE_SUBNET
    outside: values.Address | None = None
    kubernetes_version: values.KubernetesVersion = versions.KUBERNETES
    nodes: Annotated[list[NodeShape], Needed("a list with one control-plane node and at least one worker")]
    cni: CniShape = CniShape()
    images: ImagesShape = ImagesShape()
