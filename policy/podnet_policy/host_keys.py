"""SSH goes only to hosts whose key is known: another server at the address gets nothing.

A connection is one secret input, so as long as any of it is unknown (before the first ``up`` the key itself is), the
engine shows none of it. Then all that can be seen is what the connection is made of; the exact check follows in the
same ``up``, before the command runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from podnet_policy.resource import UNKNOWN, Resource

_HOST_KEY: Final = "hostKey"
_MAKES_A_MACHINE: Final = "podnet.host machine-up "
"""The command that prints the public host key of the machine that it makes."""

_OPENS_A_HOST: Final = "podnet.host login-key "
"""The command that prints the private key for a host that somebody else made, whose host key is a value of the config:
nothing to see before the private key is known.
"""


def check(resource: Resource) -> list[str]:
    """Find connections without a host key, also the one to a bastion."""
    connection = resource.inputs.get("connection") if resource.type.startswith("command:remote:") else None
    if not isinstance(connection, Mapping):
        return []
    found = [] if _given(connection) else ["connection.hostKey is not set: any server at the address is believed"]
    proxy = connection.get("proxy")
    if isinstance(proxy, Mapping) and not _given(proxy):
        found.append("connection.proxy.hostKey is not set: any server at the bastion's address is believed")
    return found


def check_stack(resources: Sequence[Resource]) -> list[tuple[str, str]]:
    """Find connections that are not known yet, and in which no host key can be, as (URN, problem)."""
    lines = {each.name: each.text("create").replace('"', "") for each in resources}
    judged = {name for name, line in lines.items() if _MAKES_A_MACHINE in line or _OPENS_A_HOST in line}
    return [
        (resource.urn, "connection takes nothing from a machine that would print its host key")
        for resource in resources
        if resource.inputs.get("connection") is UNKNOWN and not judged & set(resource.depends.get("connection", ()))
    ]


def _given(connection: Mapping[str, Any]) -> bool:
    key = connection.get(_HOST_KEY)
    return key is UNKNOWN or (isinstance(key, str) and bool(key.strip()))
