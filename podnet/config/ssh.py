"""Checks of how hosts that somebody else made are logged in to."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from podnet.addressing import AddressError, parse_address
from podnet.config.findings import Findings, place, shown
from podnet.config.shape import ClusterShape, LoginShape, NodeShape
from podnet.model import Login, MachineProvider

_USER: Final = re.compile(r"[a-z_][a-z0-9_.-]{0,31}")
"""What useradd(8) takes, and dots."""

_LABEL: Final = r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_HOST: Final = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*")

_KEY_FILE: Final = re.compile(r"~?(/[a-zA-Z0-9_.@+-]+)+")
"""No space, quote or %: the path also stands in an ssh_config, which would read them as its own."""

_PORTS: Final = (1, 65535)

_KEY_TYPES: Final = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521")
"""An RSA key is not among them: Pulumi's command provider asks for it with SHA-1, which no sshd offers any more."""

_KEY_RULE: Final = "its public host key, like the first two words of /etc/ssh/ssh_host_ed25519_key.pub on that host"
_KEY_FILE_RULE: Final = "an absolute path, or one that begins with ~/, of letters, digits and /._@+-"

Path = tuple[str | int, ...]


def check(written: ClusterShape, findings: Findings) -> tuple[Login | None, ...]:
    """Read and check the login of each node: there with the provider ssh, absent with every other."""
    nodes = written.nodes or []
    if written.provider not in set(MachineProvider) or findings.refused(place("provider")):
        return tuple(None for _ in nodes)
    if written.provider != MachineProvider.SSH:
        _refuse_logins(nodes, written.provider, findings)
        return tuple(None for _ in nodes)
    for index, node in enumerate(nodes):
        _refuse_sizes(index, node, findings)
    logins = tuple(_node_login(index, node, findings) for index, node in enumerate(nodes))
    _check_unique(logins, nodes, findings)
    return logins


def _refuse_logins(nodes: Sequence[NodeShape], provider: str, findings: Findings) -> None:
    for index, node in enumerate(nodes):
        if node.ssh is not None:
            found = f"the provider {provider} makes the machines itself, and logs in with a key of its own"
            findings.add(place("nodes", index, "ssh"), found, "no such key, or the provider ssh")


def _refuse_sizes(index: int, node: NodeShape, findings: Findings) -> None:
    for key in ("memory", "cpus"):
        if key in node.model_fields_set:
            found = "with the provider ssh a host has what it has"
            findings.add(place("nodes", index, key), found, "no such key")


def _node_login(index: int, node: NodeShape, findings: Findings) -> Login | None:
    path: Path = ("nodes", index, "ssh")
    if node.ssh is None:
        findings.add(place(*path), "missing", "how the host is logged in to: user, hostKey, and keyFile or agent")
        return None
    # Where nothing else is said, the host answers at the node's own address; what is wrong with that is said there.
    login = _login(path, node.ssh, node.address or "", findings)
    bastion_path = (*path, "bastion")
    if node.ssh.bastion is None:
        return None if findings.refused(place(*bastion_path)) else login
    bastion = _login(bastion_path, node.ssh.bastion, None, findings)
    return None if login is None or bastion is None else replace(login, bastion=bastion)


def _login(path: Path, written: LoginShape, default_host: str | None, findings: Findings) -> Login | None:
    """Read a login; None where a problem was noted."""
    host = _host(path, written.host, default_host, findings)
    user = _user(path, written.user, findings)
    host_key = _host_key(path, written.host_key, findings)
    _check_port(path, written.port, findings)
    key_file = _key_file(path, written, findings)
    if host is None or user is None or host_key is None:
        return None
    return Login(host, written.port, user, host_key, key_file)


def _host(path: Path, host: str | None, default: str | None, findings: Findings) -> str | None:
    where = place(*path, "host")
    if findings.refused(where):
        return None
    if host is None:
        if default is None:
            findings.add(where, "missing", "the bastion's name or address")
        return default
    numeric = re.fullmatch(r"[0-9.]+", host) is not None
    if (numeric and not _is_address(host)) or not _HOST.fullmatch(host):
        findings.add(where, f"{shown(host)} is not a host", "a host's name or IPv4 address")
        return None
    return host


def _is_address(text: str) -> bool:
    try:
        parse_address(text)
    except AddressError:
        return False
    return True


def _user(path: Path, user: str | None, findings: Findings) -> str | None:
    where = place(*path, "user")
    if user is None:
        findings.add(where, "missing", "the user to log in as; on a node it needs sudo without a password")
    elif not _USER.fullmatch(user):
        rule = "at most 32 small letters, digits, dots, underscores and hyphens, with a letter or underscore first"
        findings.add(where, f"{shown(user)} is not a user's name", rule)
    else:
        return user
    return None


def _check_port(path: Path, port: int, findings: Findings) -> None:
    least, most = _PORTS
    if not least <= port <= most:
        findings.add(place(*path, "port"), f"{shown(port)} is not a port", f"a number from {least} to {most}")


def _host_key(path: Path, text: str | None, findings: Findings) -> str | None:
    """Read a public key without its comment."""
    where = place(*path, "hostKey")
    if text is None:
        findings.add(where, "missing: podnet talks to no host whose key is not pinned", _KEY_RULE)
        return None
    kind, _, rest = text.strip().partition(" ")
    data = rest.strip().partition(" ")[0]
    if kind == "ssh-rsa":
        findings.add(where, "an RSA key cannot be checked by every plugin that podnet runs with", _KEY_RULE)
    elif kind not in _KEY_TYPES or not _is_key(kind, data):
        findings.add(where, f"{shown(text)} is not a public host key", _KEY_RULE)
    else:
        return f"{kind} {data}"
    return None


def _is_key(kind: str, data: str) -> bool:
    """Tell whether base64 text is a key of this type: length-prefixed strings, its type first (RFC 4253 6.6)."""
    try:
        rest = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return False
    strings = []
    while len(rest) >= 4:
        end = 4 + int.from_bytes(rest[:4], "big")
        strings.append(rest[4:end])
        if end > len(rest):
            return False
        rest = rest[end:]
    # Of ed25519 the point, of ECDSA the curve and the point.
    return not rest and len(strings) == (2 if kind == "ssh-ed25519" else 3) and strings[0] == kind.encode()


def _key_file(path: Path, written: LoginShape, findings: Findings) -> str | None:
    where = place(*path, "keyFile")
    if findings.refused(where) or findings.refused(place(*path, "agent")):
        return None
    if written.key_file is None:
        if not written.agent:
            findings.add(where, "missing", "the private key's path, or agent: true for the SSH agent's keys")
    elif written.agent:
        findings.add(where, "both a key file and the agent are asked for", "one of them")
    elif not _KEY_FILE.fullmatch(written.key_file):
        findings.add(where, f"{shown(written.key_file)} is not a key's path", _KEY_FILE_RULE)
    else:
        return written.key_file
    return None


def _check_unique(logins: Sequence[Login | None], nodes: Sequence[NodeShape], findings: Findings) -> None:
    """Two nodes on one host would each undo the other. Behind another bastion the same name is another place."""
    first: dict[object, int] = {}
    for index, (login, node) in enumerate(zip(logins, nodes, strict=True)):
        if login is None:
            continue
        at = (login.host, login.port, login.bastion and (login.bastion.host, login.bastion.port))
        # Where the hosts are the nodes' own addresses, that two are the same is noted already.
        if at in first and (login.host != node.address or login.host != nodes[first[at]].address):
            found = f"{login.host} port {login.port} is already the host of nodes[{first[at]}]"
            findings.add(place("nodes", index, "ssh", "host"), found, "a host of the node's own")
        first.setdefault(at, index)
