"""What a verification finds out about nodes beside the probes: what to look at there, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

from podnet.errors import PodnetError
from podnet.node import bridge, cni, masquerade, routes, sysctls
from podnet.node.check import Unseen
from podnet.node.iproute import BridgePort, Interface, KernelRoute, bridge_ports, interfaces
from podnet.node.spec import ROUTE_PROTOCOL, SYSCTLS
from podnet.node.system import Snapshot, parsed
from podnet.parse import iptables, nftables
from podnet.parse.kubernetes import KubernetesNode
from podnet.parse.netfilter import Table
from podnet.verify.report import Pod

_T = TypeVar("_T")

_NFT: Final = ("nft", "--json", "list", "ruleset")
_NFT_TEXT: Final = ("nft", "-a", "list", "ruleset")
_IPTABLES: Final = ("iptables-nft-save",)
_IPTABLES_LEGACY: Final = ("iptables-legacy-save",)
_LEGACY_TABLES: Final = "/proc/net/ip_tables_names"
_SERVICE: Final = ("systemctl", "is-active", "podnet-network.service")

WANTED: Final[Mapping[str, Mapping[str, Any]]] = {
    "programs": {
        "routes": list(routes.SHOW),
        "links": list(bridge.SHOW),
        # The rules of both of iptables' ways into the kernel: either may hold some.
        "iptables-nft": list(_IPTABLES),
        "iptables-legacy": list(_IPTABLES_LEGACY),
        "nft": list(_NFT),
        "nft-words": list(_NFT_TEXT),
        **{f"masquerade-{family}": list(command) for family, command in masquerade.SHOW.items()},
        "service": list(_SERVICE),
    },
    "files": {
        **{name: sysctls.path(name) for name in SYSCTLS},
        "legacy-tables": _LEGACY_TABLES,
        "default-route": routes.DEFAULT,
    },
    "folders": {"confs": cni.FOLDER, "routes.d": routes.FOLDER},
}
"""What the agent is asked for on a node, in one request."""


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What was seen on one node. None, wherever it stands: it could not be seen; unseen says why.

    system: what podnet's own checks of a node look at. tables: the packet filter's, iptables' own rules as iptables
    prints them. sysctls: by name. service: what systemd says of podnet-network.service.
    """

    node: str
    system: Snapshot
    routes: tuple[KernelRoute, ...] | None
    interfaces: tuple[Interface, ...] | None
    ports: tuple[BridgePort, ...] | None
    tables: tuple[Table, ...] | None
    sysctls: Mapping[str, str | None]
    service: str
    unseen: Mapping[str, str]

    def interface(self, name: str) -> Interface | None:
        """The interface of this name, where there is one."""
        return next((each for each in self.interfaces or () if each.name == name), None)

    @property
    def podnet_routes(self) -> tuple[KernelRoute, ...]:
        """The routes of podnet's protocol."""
        return tuple(route for route in self.routes or () if route.protocol == ROUTE_PROTOCOL)


@dataclass(frozen=True, slots=True)
class Facts:
    """What was seen of a cluster. nodes, kubernetes: by the node's name. pods: every one of the pod network."""

    nodes: Mapping[str, NodeFacts]
    kubernetes: Mapping[str, KubernetesNode]
    pods: tuple[Pod, ...]


def read(node: str, answer: Mapping[str, Any]) -> NodeFacts:
    """Read what the agent answered to WANTED. What cannot be read is None, and the rest is read all the same."""
    unseen: dict[str, str] = {}
    system = Snapshot(WANTED, answer)

    def part(name: str, reader: Callable[[], _T]) -> _T | None:
        try:
            return reader()
        except (Unseen, PodnetError) as why:
            unseen[name] = str(why)
        return None

    return NodeFacts(
        node=node,
        system=system,
        routes=part("routes", lambda: routes.actual(system)),
        interfaces=part("interfaces", lambda: parsed(interfaces, system, bridge.SHOW)),
        ports=part("ports", lambda: parsed(bridge_ports, system, bridge.SHOW)),
        tables=part("tables", lambda: _tables(system)),
        sysctls=part("sysctls", lambda: _sysctls(system)) or dict.fromkeys(SYSCTLS),
        service=part("service", lambda: _service(system)) or "unknown",
        unseen=unseen,
    )


def nothing(node: str) -> NodeFacts:
    """Give the facts of a node that did not answer."""
    return read(node, {})


def _tables(system: Snapshot) -> tuple[Table, ...]:
    """Every table once: those that iptables can print by iptables, all others by nft."""
    found: list[Table] = []
    if system.run(*_IPTABLES).status != 127:  # a node without iptables has none of its rules
        found += parsed(partial(iptables.tables, tool="iptables-nft"), system, _IPTABLES, known=PodnetError)
    taken = {(table.family, table.name) for table in found}
    listed = parsed(nftables.tables, system, _NFT, _NFT_TEXT, known=PodnetError)
    found += [table for table in listed if (table.family, table.name) not in taken]
    # The kernel's own list of tables made the legacy way; the program fails on a kernel that does not know that way.
    if system.read(_LEGACY_TABLES):
        legacy = partial(iptables.tables, tool="iptables-legacy")
        found += parsed(legacy, system, _IPTABLES_LEGACY, known=PodnetError)
    return tuple(found)


def _service(system: Snapshot) -> str:
    return system.run(*_SERVICE).output.strip()  # its exit code says the same


def _sysctls(system: Snapshot) -> dict[str, str | None]:
    found = {name: system.read(sysctls.path(name)) for name in SYSCTLS}
    return {name: None if text is None else text.strip() for name, text in found.items()}
