"""What podnet runs on the host itself: the machines' bridge, Vagrant, keys and the kubeconfig."""

from __future__ import annotations

import json
from typing import Final

from podnet.commands.shell import Command, on_host
from podnet.model import Cluster, Login, Node
from podnet.render import ssh, vagrant

_SEEN: Final = ("report.json", "network.svg", "network.html")
"""What a verification leaves in the stack's folder; it goes with the stack, and not with one verification."""


def network(cluster: Cluster) -> Command:
    """The bridge that the machines share, with the gateway's address; only the lxc provider needs one of podnet's."""
    bridge = vagrant.bridge_name(cluster)
    address = f"{cluster.gateway}/{cluster.machine_network.prefixlen}"
    networks = (cluster.machine_network, cluster.pod_subnet)
    return Command(create=on_host("network-up", bridge, address, *networks), delete=on_host("network-down", bridge))


def ssh_key(cluster: Cluster) -> Command:
    """The key pair that opens this stack's machines. Prints the private key: secret."""
    return Command(create=on_host("key-up", cluster.name), delete=on_host("key-down", cluster.name))


def login_key(login: Login) -> Command:
    """Print the private key that opens an existing host, where it lies in a file: secret."""
    return Command(create=on_host("login-key", login.key_file))


def ssh_config(cluster: Cluster) -> Command:
    """The stack's ssh_config, for everything that logs in to a node and is not Pulumi."""
    return _file(cluster, "ssh_config", ssh.config(cluster), also=_SEEN)


def known_hosts(cluster: Cluster) -> Command:
    """The pinned keys of existing hosts."""
    return _file(cluster, "known_hosts", ssh.known_hosts(cluster))


def _file(cluster: Cluster, name: str, content: str, also: tuple[str, ...] = ()) -> Command:
    return Command(
        create=on_host("file-up", cluster.name, name),
        stdin=content,
        delete=on_host("file-down", cluster.name, name, *also),
    )


def vagrant_folder(cluster: Cluster) -> Command:
    """The Vagrantfile and the list of machines."""
    return Command(
        create=on_host("folder-up", cluster.name, vagrant.version()),
        stdin=vagrant.machines(cluster),
        delete=on_host("folder-down", cluster.name),
    )


def machine(cluster: Cluster, node: Node) -> Command:
    """One machine: ``vagrant up`` and ``vagrant destroy``. Prints its public host key."""
    provider, container = cluster.provider, vagrant.container_name(cluster, node)
    return Command(
        create=on_host("machine-up", cluster.name, node.name),
        # Kept beside its keys: Vagrant has to know it until it is destroyed, when the stack no longer has it.
        stdin=json.dumps(vagrant.machine(cluster, node)) + "\n",
        delete=on_host("machine-down", cluster.name, node.name, provider, container),
    )


def bundle(cluster: Cluster, node: Node) -> Command:
    """Bring the node bundle to a node; nothing where the node's checksum says that it has it (a box of podnet's)."""
    return Command(create=on_host("bundle", cluster.name, node.name, cluster.kubernetes_version))


def kubeconfig(cluster: Cluster) -> Command:
    """Keep the cluster's kubeconfig, which comes on standard input, as admin.conf (mode 0600); prints its path."""
    return Command(create=on_host("kubeconfig", cluster.name), delete=on_host("kubeconfig-down", cluster.name))
