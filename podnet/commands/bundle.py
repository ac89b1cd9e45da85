"""The node bundle: what a machine needs to be a node."""

from __future__ import annotations

from podnet.commands.shell import Command, on_host
from podnet.model import Cluster, Node


def bundle(cluster: Cluster, node: Node) -> Command:
    """Bring the node bundle to a node; nothing where the node's checksum says that it has it (a box of podnet's)."""
    return Command(create=on_host("bundle", cluster.name, node.name, cluster.kubernetes_version))
