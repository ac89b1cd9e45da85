"""The bridge that the machines of a stack hang on, which holds the gateway's address."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from podnet.errors import PodnetError
from podnet.host import containers, firewall, kernel, owners, routes
from podnet.host.programs import answer, output, run
from podnet.host.root import as_root


@as_root
def check(bridge: str, *networks: str) -> str:
    """Refuse what belongs to somebody else, and what this host cannot; what will be changed on it, in words."""
    return _checked(bridge, networks)


@as_root
def network_up(bridge: str, address: str, *networks: str) -> None:
    """Make the bridge, where the host has no route of its own to these networks. address: the gateway's, /LENGTH."""
    _checked(bridge, networks)
    owners.mark(bridge)
    # Where there is a network already, its boxes have changed the kernel.
    kernel.prepare(first=not _bridges())
    if not _exists(bridge):
        run(["ip", "link", "add", bridge, "type", "bridge"])
    # Another address than before takes its place; the same one is left alone, for connections go over it.
    if address not in _addresses(bridge):
        run(["ip", "address", "flush", "dev", bridge])
        run(["ip", "address", "add", address, "dev", bridge])
    run(["ip", "link", "set", bridge, "up"])
    firewall.make_room(bridge)


@as_root
def network_down(bridge: str) -> None:
    """Remove the bridge, and with the last one all that was changed on this host. Somebody else's stays."""
    if refusal := owners.refusal(bridge):
        print(refusal, file=sys.stderr)
    else:
        _remove(bridge)


@as_root
def clear(bridge: str) -> None:
    """Remove everything of a stack whose folder is gone, which nobody can take down any more."""
    owner = owners.of(bridge)
    if owner and Path(owner.folder).is_dir():
        raise PodnetError(f"{bridge} belongs to {owner.user}, whose stacks are in {owner.folder}: take it down there")
    for container in containers.on_bridge(bridge):
        containers.destroy(container)
    _remove(bridge)


def _checked(bridge: str, networks: tuple[str, ...]) -> str:
    if refusal := owners.refusal(bridge):
        raise PodnetError(refusal)
    routes.require_free(bridge, networks)
    lines = [f"The kernel module {module} is loaded while boxes are up." for module in kernel.missing_modules()]
    lines += [
        f"This host's firewall has rules for what boxes send ({chain}): one more lets it pass while they are up."
        for chain in firewall.in_the_way()
    ]
    return "".join(f"{line}\n" for line in lines)


def _remove(bridge: str) -> None:
    firewall.take_room(bridge)
    if _exists(bridge):
        run(["ip", "link", "delete", bridge])
    owners.unmark(bridge)
    if not _bridges():
        kernel.restore()


def _exists(bridge: str) -> bool:
    return answer(["ip", "link", "show", "dev", bridge]) is not None


def _bridges() -> list[str]:
    """The bridges of all stacks on this host."""
    links = json.loads(output(["ip", "-json", "link", "show", "type", "bridge"]) or "[]")
    return [link["ifname"] for link in links if link.get("ifname", "").startswith("podnet-")]


def _addresses(bridge: str) -> list[str]:
    links = json.loads(output(["ip", "-json", "address", "show", "dev", bridge]) or "[]")
    return [f"{each['local']}/{each['prefixlen']}" for link in links for each in link.get("addr_info", [])]
