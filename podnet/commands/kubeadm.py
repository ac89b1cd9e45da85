"""kubeadm on the nodes."""

from __future__ import annotations

from podnet.commands.shell import Command, on_node
from podnet.model import Cluster, Node
from podnet.render import kubeadm


def init(cluster: Cluster) -> Command:
    """Make the control plane; nothing where it was made from the same configuration."""
    return Command(create=on_node("kubeadm-init"), stdin=kubeadm.init_config(cluster), delete=on_node("kubeadm-reset"))


def bootstrap_token(node: Node) -> Command:
    """Make a bootstrap token for one worker, on the control plane; prints a line of JSON that is secret.

    The token ends when the node is registered, or with this resource.
    """
    return Command(create=on_node("bootstrap-token", node.name), delete=on_node("bootstrap-token-remove", node.name))


def join() -> Command:
    """Join a worker, with the configuration on standard input; nothing where it has joined."""
    return Command(create=on_node("join"), delete=on_node("kubeadm-reset"))


def register(node: Node) -> Command:
    """Give a node its pod CIDR and wait until it is Ready; on deletion drain it and delete the Node. Control plane."""
    return Command(create=on_node("register", node.name, *node.pod_subnets), delete=on_node("unregister", node.name))


def admin_conf() -> Command:
    """Print the cluster's kubeconfig: secret."""
    return Command(create=on_node("admin-conf"))
