"""How every node is logged in to, as ssh(1) reads it: one ssh_config for the stack, and the pinned host keys.

``ssh -F <the stack's folder>/ssh_config node1`` is what podnet itself uses beside Pulumi, and what a user may type.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from podnet.commands.shell import Command, on_host
from podnet.model import Cluster, Login, Node

VAGRANT_USER: Final = "vagrant"
"""Who logs in to the machines that podnet makes."""

PORT: Final = 22
"""Where their sshd listens."""

FOLDER: Final = "@FOLDER@"
"""Stands for the stack's folder, which the host knows and fills in: a stack does not change with it."""

_FOR_ALL: Final = {
    # Only what is pinned counts: neither what this user nor what this host has accepted elsewhere.
    "StrictHostKeyChecking": "yes",
    "GlobalKnownHostsFile": "none",
    "UpdateHostKeys": "no",
    "BatchMode": "yes",
    "ConnectTimeout": "8",
    # A node that goes away in the middle is noticed within seconds, and nobody else has to guess whether it is slow.
    "ServerAliveInterval": "5",
    "ServerAliveCountMax": "3",
    "LogLevel": "ERROR",
}


_SEEN: Final = ("report.json", "network.svg", "network.html")
"""What a verification leaves in the stack's folder; it goes with the stack, and not with one verification."""


def ssh_key(cluster: Cluster) -> Command:
    """The key pair that opens this stack's machines. Prints the private key: secret."""
    return Command(create=on_host("key-up", cluster.name), delete=on_host("key-down", cluster.name))


def login_key(login: Login) -> Command:
    """Print the private key that opens an existing host, where it lies in a file: secret."""
    return Command(create=on_host("login-key", login.key_file))


def ssh_config(cluster: Cluster) -> Command:
    """The stack's ssh_config, for everything that logs in to a node and is not Pulumi."""
    return _file(cluster, "ssh_config", config(cluster), also=_SEEN)


def known_hosts(cluster: Cluster) -> Command:
    """The pinned keys of existing hosts."""
    return _file(cluster, "known_hosts", pinned(cluster))


def _file(cluster: Cluster, name: str, content: str, also: tuple[str, ...] = ()) -> Command:
    return Command(
        create=on_host("file-up", cluster.name, name),
        stdin=content,
        delete=on_host("file-down", cluster.name, name, *also),
    )


def config(cluster: Cluster) -> str:
    """The ssh_config(5) of a stack."""
    blocks = []
    for node in cluster.nodes:
        if node.ssh is None:
            blocks.append(_block(node.name, _made(node)))
            continue
        blocks.append(_block(node.name, _existing(node.name, node.ssh)))
        if node.ssh.bastion is not None:
            blocks.append(_block(bastion_name(node), _existing(bastion_name(node), node.ssh.bastion)))
    blocks.append(_block("*", _FOR_ALL))
    return "\n".join(blocks)


def pinned(cluster: Cluster) -> str:
    """The pinned keys of existing hosts, each under its name in the ssh_config."""
    logins = [(node.name, node.ssh) for node in cluster.nodes]
    logins += [(bastion_name(node), node.ssh and node.ssh.bastion) for node in cluster.nodes]
    return "".join(f"{name} {login.host_key}\n" for name, login in logins if login is not None)


def bastion_name(node: Node) -> str:
    """The bastion of a node, as the ssh_config calls it; no node can have this name."""
    return f"{node.name}.bastion"


def _made(node: Node) -> Mapping[str, str]:
    """A machine of podnet's: its key came with it."""
    return {
        "HostName": str(node.address),
        "User": VAGRANT_USER,
        "UserKnownHostsFile": f'"{FOLDER}/machines/{node.name}/known_hosts"',
        "IdentityFile": f'"{FOLDER}/id_ed25519"',
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
    }


def _existing(name: str, login: Login) -> Mapping[str, str]:
    found = {
        "HostName": login.host,
        "Port": str(login.port),
        "User": login.user,
        # The pinned key counts for the name, whatever the address and the port are.
        "HostKeyAlias": name,
        "HostKeyAlgorithms": login.host_key.partition(" ")[0],
        "UserKnownHostsFile": f'"{FOLDER}/known_hosts"',
    }
    if login.key_file is None:
        found |= {"IdentityFile": "none"}
    else:
        found |= {"IdentityFile": login.key_file, "IdentitiesOnly": "yes", "IdentityAgent": "none"}
    return found if login.bastion is None else found | {"ProxyJump": f"{name}.bastion"}


def _block(name: str, settings: Mapping[str, str]) -> str:
    return f"Host {name}\n" + "".join(f"    {key} {value}\n" for key, value in settings.items())
