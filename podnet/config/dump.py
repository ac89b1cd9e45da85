"""From a cluster back to the config that describes it, with every default written out."""

from __future__ import annotations

from podnet.model import Cluster, Login, Node


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
