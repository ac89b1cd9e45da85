"""SSH goes only to hosts whose key is known: another server at the address gets nothing.

A connection is one secret input, so as long as any of it is unknown (before the first ``up`` the key itself is), the
engine shows none of it. Then all that can be seen is what the connection is made of; the exact check follows in the
same ``up``, before the command runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from podnet_policy.resource import UNKNOWN, Resource, components

_HOST_KEY: Final = "hostKey"
_VAGRANT_MACHINE: Final = "podnet:machine:VagrantMachine"
"""The kind whose command prints the public host key of the machine that it makes."""

_EXISTING_HOST: Final = "podnet:machine:ExistingHost"
"""The kind that says the host key of a host that was there before."""

_PRIVATE_KEY: Final = "podnet:ssh:PrivateKey"


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
    pinned = {each.name for each in components(resources, _EXISTING_HOST) if _given(each.inputs)}
    keys = {each.urn for each in components(resources, _PRIVATE_KEY) if each.text("node") in pinned}
    judged = {each.urn for each in resources if each.kind == _VAGRANT_MACHINE or each.parent in keys}
    return [
        (resource.urn, "connection takes nothing from a machine that would print its host key")
        for resource in resources
        if resource.inputs.get("connection") is UNKNOWN and not judged & set(resource.depends.get("connection", ()))
    ]


def _given(connection: Mapping[str, Any]) -> bool:
    key = connection.get(_HOST_KEY)
    return key is UNKNOWN or (isinstance(key, str) and bool(key.strip()))
