"""The folder that Vagrant works in: one Vagrantfile for every provider, and what it reads."""

from __future__ import annotations

import hashlib
import json
from importlib import resources
from typing import Final

from podnet.model import Cluster, MachineProvider, Node

_INTERFACE_NAME_MAX: Final = 15  # IFNAMSIZ without its closing zero


def bridge_name(cluster: Cluster) -> str:
    """The host's bridge for this cluster, named by the stack; a long name is shortened to a checksum of itself."""
    name = f"podnet-{cluster.name}"
    if len(name) <= _INTERFACE_NAME_MAX:
        return name
    return f"podnet-{hashlib.sha256(cluster.name.encode()).hexdigest()[:8]}"


def container_name(cluster: Cluster, node: Node) -> str:
    """The provider's own name for a machine: what ``lxc-ls`` or VirtualBox shows."""
    return f"podnet-{cluster.name}-{node.name}"


def vagrantfile() -> str:
    """The Vagrantfile: the same bytes for every cluster."""
    return resources.files("podnet.render").joinpath("Vagrantfile").read_text()


def machine(cluster: Cluster, node: Node) -> dict[str, object]:
    """One machine, as the Vagrantfile reads it."""
    return {
        "name": node.name,
        "container": container_name(cluster, node),
        "address": str(node.address),
        "memory": node.memory,
        "cpus": node.cpus,
    }


def machines(cluster: Cluster, box: str) -> str:
    """machines.json: the network and every machine. box: Vagrant's name of the box."""
    document = {
        "box": box,
        "provider": str(cluster.provider),
        "bridge": bridge_name(cluster),
        "gateway": str(cluster.gateway),
        "prefix_length": cluster.machine_network.prefixlen,
        "netmask": str(cluster.machine_network.netmask),
        "prefix": f"podnet-{cluster.name}-",
        "machines": [machine(cluster, node) for node in cluster.nodes],
    }
    return json.dumps(document, indent=2) + "\n"


BOXES: Final = {
    MachineProvider.VIRTUALBOX: "debian/bookworm64",
    MachineProvider.LIBVIRT: "debian/bookworm64",
}
"""Public boxes for the providers whose machines podnet does not build; the node bundle makes them nodes."""
