"""Checks of the nodes: their names, roles, addresses, sizes, and the range that each one's pods get."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from netaddr import IPAddress, IPNetwork

from podnet import addressing
from podnet.config.findings import Findings, known, place, shown
from podnet.config.networks import Ranges, check_machine_address, read_address, read_network
from podnet.config.shape import NodeShape
from podnet.model import Login, Node, Role

NODE_PREFIX: Final = 24
"""The prefix length of a node's pod subnet that is not written: the chapter's, and kubeadm's default."""

_NODE_PREFIXES: Final = (16, 28)
"""A /28 has 13 addresses for pods; with fewer, a worker is full with Kubernetes' own."""

_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
"""An RFC 1123 label, which may have 63 characters; 40 leave room for the names that are derived from it."""

_NAME_RULE: Final = "at most 40 small letters, digits and hyphens, with a letter or digit at both ends"

_TAKEN_NAME: Final = re.compile(r"localhost[46]?|ip6-.*|broadcasthost")
"""What /etc/hosts of Debian and of others means by these is no node: the loopback address, groups, a broadcast."""

_ADDRESS_LIKE: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""inet_aton(3) reads these as an IPv4 address, and so does every program that takes a name or an address."""

_ROUTE: Final = "-route-to-"
"""Stands between two nodes' names in the name of a route's resource, which would be ambiguous with it in a node's."""

_CONTAINER_LONGEST: Final = 64
"""Characters of a container's name: LXC makes it the host name, of which the kernel takes so many (HOST_NAME_MAX)."""


@dataclass(frozen=True, slots=True)
class _Size:
    """How large a node can be in one respect; the least depends on its role."""

    unit: str
    least: dict[Role, int]
    most: int


_MEMORY: Final = _Size(" MiB", {Role.CONTROL_PLANE: 1700, Role.WORKER: 1024}, 1024 * 1024)
"""kubeadm refuses a control plane with less than 1700 (ControlPlaneMem). More than a TiB was meant as bytes or KiB."""

_CPUS: Final = _Size("", {Role.CONTROL_PLANE: 2, Role.WORKER: 1}, 512)
"""kubeadm refuses a control plane with fewer than 2 (ControlPlaneNumCPU)."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A node as far as it could be read; None where a problem was noted.

    index: its place in ``nodes``. pinned: whether its pod subnet is written, not derived from its address.
    """

    index: int
    name: str | None
    role: Role | None
    address: IPAddress | None
    memory: int
    cpus: int
    pinned: bool
    pod_subnet: IPNetwork | None = None

    def place(self, key: str) -> str:
        """Name the place of one of the node's values."""
        return place("nodes", self.index, key)

    def finished(self, login: Login | None) -> Node:
        """Give the node of a config without problems. login: how its host is logged in to, where podnet makes none."""
        return Node(
            name=known(self.name),
            role=known(self.role),
            addresses=(known(self.address),),
            pod_subnets=(known(self.pod_subnet),),
            memory=self.memory,
            cpus=self.cpus,
            ssh=login,
        )


def check(written: Sequence[NodeShape] | None, ranges: Ranges, findings: Findings) -> tuple[Draft, ...]:
    """Read and check the nodes, each alone and then beside the others."""
    if written is None:
        findings.add(place("nodes"), "missing", "a list with one control-plane node and at least one worker")
        return ()
    drafts = [_read(index, node, ranges, findings) for index, node in enumerate(written)]
    _check_roles(drafts, findings)
    _check_unique("name", [draft.name for draft in drafts], findings)
    _check_unique("address", [draft.address for draft in drafts], findings)
    planned = tuple(
        replace(draft, pod_subnet=_pod_subnet(draft, node, drafts, ranges, findings))
        for draft, node in zip(drafts, written, strict=True)
    )
    _check_overlaps(planned, findings)
    return planned


def check_container_names(stack: str, drafts: Sequence[Draft], findings: Findings) -> None:
    """Check that LXC takes the name of each node's container (render.vagrant.container_name)."""
    room = _CONTAINER_LONGEST - len(f"podnet-{stack}-")
    for draft in drafts:
        if draft.name is not None and len(draft.name) > room:
            found = f"{draft.name} makes the container's name podnet-{stack}-{draft.name} longer than LXC takes"
            expected = f"at most {room} characters in this stack, or a shorter stack name"
            findings.add(draft.place("name"), found, expected)


def _read(index: int, node: NodeShape, ranges: Ranges, findings: Findings) -> Draft:
    role = _role(index, node.role, findings)
    _check_size(place("nodes", index, "memory"), node.memory, _MEMORY, role, findings)
    _check_size(place("nodes", index, "cpus"), node.cpus, _CPUS, role, findings)
    return Draft(
        index=index,
        name=_name(index, node.name, findings),
        role=role,
        address=_address(index, node.address, ranges, findings),
        memory=node.memory,
        cpus=node.cpus,
        pinned=node.pod_subnet is not None or findings.refused(place("nodes", index, "podSubnet")),
    )


def _name(index: int, name: str | None, findings: Findings) -> str | None:
    where = place("nodes", index, "name")
    if name is None:
        findings.add(where, "missing", "the node's name, like node1")
    elif not _NAME.fullmatch(name):
        findings.add(where, f"{shown(name)} is not a valid node name", _NAME_RULE)
    elif _TAKEN_NAME.fullmatch(name):
        findings.add(where, f"{shown(name)} means something else on every machine", "a name of the node's own")
    elif _ADDRESS_LIKE.fullmatch(name):
        findings.add(where, f"{shown(name)} reads as an IPv4 address", "a name with a letter in it, like node1")
    elif _ROUTE in name:
        found = f"{shown(name)} holds {_ROUTE}, as podnet's own names of routes do"
        findings.add(where, found, "a name without it")
    else:
        return name
    return None


def _role(index: int, role: str | None, findings: Findings) -> Role | None:
    where = place("nodes", index, "role")
    if role is None:
        findings.add(where, "missing", "control-plane or worker")
    elif role not in set(Role):
        findings.add(where, f"{shown(role)} is not a role", "control-plane or worker")
    else:
        return Role(role)
    return None


def _address(index: int, text: str | None, ranges: Ranges, findings: Findings) -> IPAddress | None:
    where = place("nodes", index, "address")
    if text is None:
        findings.add(where, "missing", "the node's address in machineNetwork")
        return None
    address = read_address(("nodes", index, "address"), text, findings)
    if address is None:
        return None
    if ranges.machine is not None and not check_machine_address(where, address, ranges.machine, findings):
        return None
    if address == ranges.gateway:
        findings.add(where, f"{address} is the gateway of machineNetwork", "an address of the node's own")
        return None
    return address


def _check_size(where: str, value: int, size: _Size, role: Role | None, findings: Findings) -> None:
    least = min(size.least.values()) if role is None else size.least[role]
    if not least <= value <= size.most:
        owner = f"a {role} node" if role else "any node"
        verdict = "not enough" if value < least else "too much"
        found = f"{shown(value)}{size.unit} is {verdict} for {owner}"
        findings.add(where, found, f"a number from {least} to {size.most}")


def _check_roles(drafts: Sequence[Draft], findings: Findings) -> None:
    if any(draft.role is None for draft in drafts):
        return
    heads = [draft.index for draft in drafts if draft.role is Role.CONTROL_PLANE]
    if not heads:
        findings.add(place("nodes"), "no node has the role control-plane", "exactly one that has it")
    for index in heads[1:]:
        findings.add(
            place("nodes", index, "role"),
            f"nodes[{heads[0]}] is the control plane already",
            "worker: podnet builds clusters with one control-plane node",
        )
    if not any(draft.role is Role.WORKER for draft in drafts):
        findings.add(place("nodes"), "no node has the role worker", "at least one that has it")


def _check_unique(key: str, values: Sequence[object], findings: Findings) -> None:
    first: dict[object, int] = {}
    for index, value in enumerate(values):
        if value is None:
            continue
        if value in first:
            found = f"{value} is already the {key} of nodes[{first[value]}]"
            findings.add(place("nodes", index, key), found, "one that no other node has")
        first.setdefault(value, index)


def _pod_subnet(
    draft: Draft, node: NodeShape, drafts: Sequence[Draft], ranges: Ranges, findings: Findings
) -> IPNetwork | None:
    """Read a node's pod subnet, or derive it from the node's address.

    A derived one is pinned by the node's own address, never by its place in the list: a node that comes or goes
    must not renumber the pods of the others.
    """
    if node.pod_subnet is not None:
        return _written_subnet(draft, node.pod_subnet, ranges.pods, findings)
    heads = [other for other in drafts if other.role is Role.CONTROL_PLANE]
    if draft.pinned or draft.address is None or ranges.pods is None or len(heads) != 1 or heads[0].address is None:
        return None
    index = int(draft.address) - int(heads[0].address) + 1
    subnets = addressing.count(ranges.pods, NODE_PREFIX)
    if 0 <= index < subnets:
        return addressing.carve(ranges.pods, NODE_PREFIX, index)
    findings.add(
        draft.place("podSubnet"),
        f"podSubnet {ranges.pods} has too few subnets: it holds {subnets} of /{NODE_PREFIX}, numbered from 0, "
        f"and {draft.address} asks for number {index}",
        "a podSubnet written for this node, or an address nearer to the control plane's (whose subnet is number 1)",
    )
    return None


def _written_subnet(draft: Draft, text: str, pods: IPNetwork | None, findings: Findings) -> IPNetwork | None:
    subnet = read_network(("nodes", draft.index, "podSubnet"), text, _NODE_PREFIXES, findings)
    if subnet is None or pods is None:
        return subnet
    if not addressing.within(subnet, pods):
        findings.add(draft.place("podSubnet"), f"{subnet} lies outside podSubnet {pods}", "a part of it")
        return None
    return subnet


def _check_overlaps(drafts: Sequence[Draft], findings: Findings) -> None:
    """Compare each subnet with the one before it that reaches farthest: enough to find every node that overlaps."""
    ranges = [(draft.pod_subnet, draft) for draft in drafts if draft.pod_subnet is not None]
    farthest: tuple[IPNetwork, Draft] | None = None
    for subnet, draft in sorted(ranges, key=lambda entry: (entry[0].version, entry[0].first, entry[1].index)):
        if farthest is not None and addressing.overlap(farthest[0], subnet) and not _same_address(farthest[1], draft):
            _note_overlap(farthest[1], draft, findings)
        if farthest is None or subnet.version != farthest[0].version or subnet.last > farthest[0].last:
            farthest = (subnet, draft)


def _same_address(one: Draft, other: Draft) -> bool:
    """Two derived subnets are equal because the addresses are; that problem is noted already."""
    return one.address == other.address and not one.pinned and not other.pinned


def _note_overlap(one: Draft, other: Draft, findings: Findings) -> None:
    first, second = sorted((one, other), key=lambda draft: draft.index)
    findings.add(
        second.place("podSubnet"),
        f"{_origin(second)} overlaps {_origin(first)} of nodes[{first.index}]",
        "a range that shares no address with another node's",
    )


def _origin(draft: Draft) -> str:
    return f"{draft.pod_subnet}" if draft.pinned else f"{draft.pod_subnet} (from the address {draft.address})"
