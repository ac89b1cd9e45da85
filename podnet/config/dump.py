"""From a cluster back to the config that describes it, with every default written out; and from that to the cluster."""

from __future__ import annotations

from collections.abc import Mapping

from podnet.addressing import AddressError, parse_address, parse_network
from podnet.config import options, shape
from podnet.config.findings import Findings
from podnet.config.shape import LoginShape, NodeShape, SshShape
from podnet.errors import PodnetError
from podnet.model import Cluster, Login, MachineProvider, Node, Role


def dump(cluster: Cluster) -> dict[str, object]:
    """Write out the config of a cluster, such that loading it gives the same cluster."""
    return {
        "provider": str(cluster.provider),
        "machineNetwork": str(cluster.machine_network),
        "gateway": str(cluster.gateway),
        "podSubnet": str(cluster.pod_subnet),
        "serviceSubnet": str(cluster.service_subnet),
        "outside": str(cluster.outside),
        "kubernetesVersion": cluster.kubernetes_version,
        "nodes": [_node(node) for node in cluster.nodes],
        "cni": {
            "network": cluster.cni.network,
            "bridge": cluster.cni.bridge,
            "mtu": cluster.cni.mtu,
            "ipMasq": cluster.cni.ip_masq,
            "hairpinMode": cluster.cni.hairpin_mode,
            "portmap": cluster.cni.portmap,
        },
        "images": {"nginx": cluster.images.nginx, "probe": cluster.images.probe},
    }


def _node(node: Node) -> dict[str, object]:
    written: dict[str, object] = {
        "name": node.name,
        "role": str(node.role),
        "address": str(node.address),
        "podSubnet": str(node.pod_subnet),
    }
    if node.ssh is not None:
        return written | {"ssh": _login(node.ssh)}
    return written | {"memory": node.memory, "cpus": node.cpus}


def _login(login: Login) -> dict[str, object]:
    written: dict[str, object] = {
        "host": login.host,
        "port": login.port,
        "user": login.user,
        "hostKey": login.host_key,
    }
    written |= {"agent": True} if login.key_file is None else {"keyFile": login.key_file}
    return written | ({} if login.bastion is None else {"bastion": _login(login.bastion)})


def restore(stack: str, dumped: Mapping[str, object]) -> Cluster:
    """Read back what :func:`dump` wrote, now or in another version of podnet.

    No rule is applied: what is described stands already, and rules are for what is to be made. A key that this version
    does not know is left out; one that the other version did not know has its default.

    Raises PodnetError where a value that is needed cannot be read.
    """
    written = shape.read(dumped, Findings())
    try:
        return Cluster(
            name=stack,
            provider=MachineProvider(written.provider),
            machine_network=parse_network(written.machine_network or ""),
            gateway=parse_address(written.gateway or ""),
            pod_subnets=(parse_network(written.pod_subnet or ""),),
            service_subnets=(parse_network(written.service_subnet),),
            outside=parse_address(written.outside or ""),
            kubernetes_version=written.kubernetes_version,
            nodes=tuple(_restored_node(node) for node in written.nodes or ()),
            cni=options.cni(written),
            images=options.images(written),
        )
    except (AddressError, ValueError) as error:
        raise PodnetError(
            f"the cluster {stack} was described by a podnet that this one does not know: {error}"
        ) from None


def _restored_node(written: NodeShape) -> Node:
    return Node(
        name=written.name or "",
        role=Role(written.role or ""),
        addresses=(parse_address(written.address or ""),),
        pod_subnets=(parse_network(written.pod_subnet or ""),),
        memory=written.memory,
        cpus=written.cpus,
        ssh=None if written.ssh is None else _restored_login(written.ssh),
    )


def _restored_login(written: LoginShape) -> Login:
    bastion = written.bastion if isinstance(written, SshShape) else None
    return Login(
        host=written.host or "",
        port=written.port,
        user=written.user or "",
        host_key=written.host_key or "",
        key_file=written.key_file,
        bastion=None if bastion is None else _restored_login(bastion),
    )
