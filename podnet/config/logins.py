"""Checks of how existing hosts are logged in to: there with the provider ssh, absent with every other."""

from __future__ import annotations

from collections.abc import Iterator

from podnet.config import defaults
from podnet.config.reading import check
from podnet.config.shape import ClusterShape, LoginShape, NodeShape
from podnet.errors import Problem
from podnet.model import MachineProvider


@check
def problems(cluster: ClusterShape) -> Iterator[Problem]:
    """Check the login of every node."""
    if cluster.provider is not MachineProvider.SSH:
        for node in cluster.nodes:
            yield from _no_login(cluster.provider, node)
        return
    first: dict[object, str] = {}
    for node in cluster.nodes:
        yield from _no_sizes(node)
        yield from _login(node)
        yield from _own_host(node, first)


@check
def _no_login(provider: MachineProvider, node: NodeShape) -> Iterator[Problem]:
    if node.ssh is not None:
        found = f"the provider {provider} makes the machines itself, and logs in with a key of its own"
        yield node.problem("ssh", found, "no such key, or the provider ssh")


def _no_sizes(node: NodeShape) -> Iterator[Problem]:
    for name in {"memory", "cpus"} & node.model_fields_set:
        yield node.problem(name, "with the provider ssh a host has what it has", "no such key")


@check
def _login(node: NodeShape) -> Iterator[Problem]:
    if node.ssh is None:
        yield node.problem("ssh", "missing", "how the host is logged in to: user, hostKey, and keyFile or agent")
        return
    yield from _key(node.ssh)
    if node.ssh.bastion is not None:
        yield from _key(node.ssh.bastion)


@check
def _key(login: LoginShape) -> Iterator[Problem]:
    if login.agent and login.key_file is not None:
        yield login.problem("key_file", "both a key file and the agent are asked for", "one of them")
    if not login.agent and login.key_file is None:
        expected = "the private key's path, or agent: true for the SSH agent's keys"
        yield login.problem("key_file", "missing", expected)


@check
def _own_host(node: NodeShape, first: dict[object, str]) -> Iterator[Problem]:
    """Two nodes on one host would each undo the other. Behind another bastion the same name is another place."""
    if (ssh := node.ssh) is None:
        return
    host, bastion = defaults.host(node, ssh), ssh.bastion
    holder = first.setdefault((host, ssh.port, bastion and (bastion.host, bastion.port)), node.label)
    if holder != node.label:
        found = f"{host} port {ssh.port} is already the host of {holder}"
        yield ssh.problem("host", found, "a host of the node's own")
