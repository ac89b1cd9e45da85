"""What a verification finds out about nodes beside the probes: what to look at there, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from podnet.errors import PodnetError, last_words, shortened
from podnet.parse import iproute, iptables, nftables
from podnet.parse.iproute import BridgePort, Interface, KernelRoute
from podnet.parse.kubernetes import KubernetesNode
from podnet.parse.netfilter import Table
from podnet.verify.report import Pod

_T = TypeVar("_T")

CONFS: Final = "/etc/cni/net.d"
"""Where containerd looks for confs."""

KEPT: Final = "/etc/podnet/routes.d"
"""A file for every route that podnet-network keeps on a node, by the peer's name."""

MARK: Final = "201"
"""podnet's mark on its routes (ip-route(8), "protocol"), as podnet-network sets it."""

SYSCTLS: Final = {
    "net.ipv4.ip_forward": "/proc/sys/net/ipv4/ip_forward",
    "net.bridge.bridge-nf-call-iptables": "/proc/sys/net/bridge/bridge-nf-call-iptables",
}

WANTED: Final[Mapping[str, Any]] = {
    "programs": {
        "routes": ["ip", "-json", "-4", "route", "show"],
        "links": ["ip", "-json", "-details", "addr", "show"],
        # The rules of both of iptables' ways into the kernel: either may hold some.
        "iptables-nft": ["iptables-nft-save"],
        "iptables-legacy": ["iptables-legacy-save"],
        "nft": ["nft", "--json", "list", "ruleset"],
        "nft-words": ["nft", "-a", "list", "ruleset"],
        "timer": ["systemctl", "is-active", "podnet-network.timer"],
    },
    "files": {**SYSCTLS, "legacy-tables": "/proc/net/ip_tables_names"},
    "folders": {"confs": CONFS, "kept": KEPT},
}
"""What the agent is asked for on a node, in one request."""


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What was seen on one node. None, wherever it stands: it could not be seen; unseen says why.

    tables: the packet filter's, iptables' own rules as iptables prints them. confs: name to content of every file in
    containerd's folder for them. sysctls: by name. timer: what systemd says of podnet-network.timer. kept: the route
    that podnet-network keeps for each peer.
    """

    node: str
    routes: tuple[KernelRoute, ...] | None
    interfaces: tuple[Interface, ...] | None
    ports: tuple[BridgePort, ...] | None
    tables: tuple[Table, ...] | None
    confs: Mapping[str, str] | None
    sysctls: Mapping[str, str | None]
    timer: str
    unseen: Mapping[str, str]
    kept: Mapping[str, str] = field(default_factory=dict)

    def interface(self, name: str) -> Interface | None:
        """The interface of this name, where there is one."""
        return next((each for each in self.interfaces or () if each.name == name), None)

    @property
    def marked_routes(self) -> tuple[KernelRoute, ...]:
        """The routes with podnet's mark."""
        return tuple(route for route in self.routes or () if route.protocol == MARK)


@dataclass(frozen=True, slots=True)
class Facts:
    """What was seen of a cluster. nodes, kubernetes: by the node's name. pods: every one of the pod network."""

    nodes: Mapping[str, NodeFacts]
    kubernetes: Mapping[str, KubernetesNode]
    pods: tuple[Pod, ...]


class _Unseen(Exception):  # noqa: N818  # no error of the program: a part of the node cannot be seen
    pass


def read(node: str, answer: Mapping[str, Any]) -> NodeFacts:
    """Read what the agent answered to WANTED. What cannot be read is None, and the rest is read all the same."""
    unseen: dict[str, str] = {}

    def part(name: str, reader: Callable[[], _T]) -> _T | None:
        try:
            return reader()
        except (_Unseen, PodnetError) as error:
            unseen[name] = str(error)
        return None

    return NodeFacts(
        node=node,
        routes=part("routes", lambda: _parsed(iproute.routes, answer, "routes")),
        interfaces=part("interfaces", lambda: _parsed(iproute.interfaces, answer, "links")),
        ports=part("ports", lambda: _parsed(iproute.bridge_ports, answer, "links")),
        tables=part("tables", lambda: _tables(answer)),
        confs=part("confs", lambda: _confs(answer)),
        sysctls=part("sysctls", lambda: _sysctls(answer)) or dict.fromkeys(SYSCTLS),
        timer=part("timer", lambda: _timer(answer)) or "unknown",
        unseen=unseen,
        kept={str(name): text or "" for name, text in (answer.get("folders", {}).get("kept") or {}).items()},
    )


@dataclass(frozen=True, slots=True)
class _Program:
    """What a program of the node's printed."""

    status: int
    output: str
    errors: str


def _answered(answer: Mapping[str, Any], kind: str, name: str) -> Any:
    try:
        return answer[kind][name]
    except (KeyError, TypeError):
        raise _Unseen("the node gave no answer") from None


def _program(answer: Mapping[str, Any], name: str) -> _Program:
    try:
        return _Program(**_answered(answer, "programs", name))
    except TypeError:
        raise _Unseen("the node gave no answer") from None


def _parsed(reader: Callable[..., _T], answer: Mapping[str, Any], *names: str) -> _T:
    """Read what programs printed. An error that a reader does not know of is podnet's own, and is said to be."""
    printed = []
    for name in names:
        program = _program(answer, name)
        if program.status != 0:
            raise _Unseen(f"{_line(name)}: {last_words(program.errors, program.status)}")
        printed.append(program.output)
    try:
        return reader(*printed)
    except PodnetError:
        raise
    except Exception as error:
        what = f"podnet could not read what `{_line(names[0])}` printed ({type(error).__name__}: {error})"
        raise _Unseen(f"{what}: {shortened(printed[0])}") from error


def _line(name: str) -> str:
    return " ".join(WANTED["programs"][name])


def _tables(answer: Mapping[str, Any]) -> tuple[Table, ...]:
    """Every table once: those that iptables can print by iptables, all others by nft."""
    found: list[Table] = []
    if _program(answer, "iptables-nft").status != 127:  # a node without iptables has none of its rules
        found += _parsed(lambda text: iptables.tables(text, "iptables-nft"), answer, "iptables-nft")
    taken = {(table.family, table.name) for table in found}
    listed = _parsed(nftables.tables, answer, "nft", "nft-words")
    found += [table for table in listed if (table.family, table.name) not in taken]
    # The kernel's own list of tables made the legacy way; the program fails on a kernel that does not know that way.
    if _answered(answer, "files", "legacy-tables"):
        found += _parsed(lambda text: iptables.tables(text, "iptables-legacy"), answer, "iptables-legacy")
    return tuple(found)


def _timer(answer: Mapping[str, Any]) -> str:
    return _program(answer, "timer").output.strip()  # its exit code says the same


def _confs(answer: Mapping[str, Any]) -> dict[str, str]:
    folder = _answered(answer, "folders", "confs")
    if folder is None:
        raise _Unseen(f"{CONFS} cannot be read")
    return {str(name): text or "" for name, text in folder.items()}


def _sysctls(answer: Mapping[str, Any]) -> dict[str, str | None]:
    found = {name: _answered(answer, "files", name) for name in SYSCTLS}
    return {name: None if text is None else str(text).strip() for name, text in found.items()}
