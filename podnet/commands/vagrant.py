"""The folder that Vagrant works in: one Vagrantfile for every provider, and what it reads."""

from __future__ import annotations

import hashlib
import json
from typing import Final

from podnet import addressing, scripts
from podnet.commands.shell import Command, on_host
from podnet.model import Cluster, MachineProvider, Node

_INTERFACE_NAME_MAX: Final = 15  # IFNAMSIZ without its closing zero

_BOXES: Final = {
    MachineProvider.VIRTUALBOX: "debian/bookworm64",
    MachineProvider.LIBVIRT: "debian/bookworm64",
}
"""Public boxes for the providers whose machines podnet does not build; the node bundle makes them nodes."""


def bridge(cluster: Cluster) -> Command:
    """The bridge that the machines share, with the gateway's address; only the lxc provider needs one of podnet's."""
    name = bridge_name(cluster)
    address = f"{cluster.gateway}/{cluster.machine_network.prefixlen}"
    networks = (cluster.machine_network, cluster.pod_subnet)
    return Command(create=on_host("network-up", name, address, *networks), delete=on_host("network-down", name))


def folder(cluster: Cluster) -> Command:
    """The Vagrantfile and the list of machines."""
    return Command(
        create=on_host("folder-up", cluster.name, version()),
        stdin=machines(cluster),
        delete=on_host("folder-down", cluster.name),
    )


def machine(cluster: Cluster, node: Node) -> Command:
    """One machine: ``vagrant up`` and ``vagrant destroy``. Prints its public host key."""
    provider, container = cluster.provider, container_name(cluster, node)
    return Command(
        create=on_host("machine-up", cluster.name, node.name),
        # Kept beside its keys: Vagrant has to know it until it is destroyed, when the stack no longer has it.
        stdin=json.dumps(described(cluster, node)) + "\n",
        delete=on_host("machine-down", cluster.name, node.name, provider, container),
    )


def bridge_name(cluster: Cluster) -> str:
    """The host's bridge for this cluster, named by the stack; a long name is shortened to a checksum of itself."""
    name = f"podnet-{cluster.name}"
    if len(name) <= _INTERFACE_NAME_MAX:
        return name
    return f"podnet-{hashlib.sha256(cluster.name.encode()).hexdigest()[:8]}"


def container_name(cluster: Cluster, node: Node) -> str:
    """The provider's own name for a machine: what ``lxc-ls`` or VirtualBox shows."""
    return f"podnet-{cluster.name}-{node.name}"


def described(cluster: Cluster, node: Node) -> dict[str, object]:
    """One machine, as the Vagrantfile reads it."""
    return {
        "name": node.name,
        "container": container_name(cluster, node),
        "address": str(node.address),
        "memory": node.memory,
        "cpus": node.cpus,
    }


def made_with(cluster: Cluster, node: Node) -> list[object]:
    """What a machine cannot change while it is there: with another of these it is another machine.

    A gateway that is the network's first address, as it is by default, goes without saying: it came to this list late.
    """
    network = cluster.machine_network
    gateway = [] if cluster.gateway == addressing.host(network, 1) else [str(cluster.gateway)]
    return [str(cluster.provider), described(cluster, node), str(network), *gateway]


def version() -> str:
    """A checksum of the Vagrantfile: another one is brought to stacks that are up."""
    return hashlib.sha256(scripts.text("Vagrantfile").encode()).hexdigest()[:8]


def machines(cluster: Cluster) -> str:
    """machines.json: the network and every machine.

    podnet's own box is named by the checksum of what it is made of, which the host knows and fills in for @BOX@: a
    stack does not change with it.
    """
    document = {
        "box": _BOXES.get(cluster.provider, "@BOX@"),
        "provider": str(cluster.provider),
        "bridge": bridge_name(cluster),
        "gateway": str(cluster.gateway),
        "prefix_length": cluster.machine_network.prefixlen,
        "netmask": str(cluster.machine_network.netmask),
        "prefix": f"podnet-{cluster.name}-",
        "machines": [described(cluster, node) for node in cluster.nodes],
    }
    return json.dumps(document, indent=2) + "\n"
