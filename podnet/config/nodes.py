"""Checks of the nodes in their cluster: names, roles, addresses, sizes, and each one's pod subnet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from netaddr import IPNetwork

from podnet import addressing
from podnet.addressing import AddressError
from podnet.config import defaults
from podnet.config.networks import unusable
from podnet.config.problems import shown
from podnet.config.reading import UnknownError, check
from podnet.config.shape import ClusterShape, NodeShape
from podnet.errors import Problem
from podnet.model import MachineProvider, Role

_STACK: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?")

_CONTAINER_LONGEST: Final = 64
"""Characters of a container's name: LXC makes it the host name, of which the kernel takes so many (HOST_NAME_MAX)."""

_SIZES: Final = {
    # kubeadm refuses a control plane with less than 1700 (ControlPlaneMem). More than a TiB was meant as bytes or KiB.
    "memory": (" MiB", {Role.CONTROL_PLANE: 1700, Role.WORKER: 1024}, 1024 * 1024),
    # kubeadm refuses a control plane with fewer than 2 (ControlPlaneNumCPU).
    "cpus": ("", {Role.CONTROL_PLANE: 2, Role.WORKER: 1}, 512),
}
"""How large a node can be: the unit, the least by role, the most."""


def problems(stack: str, cluster: ClusterShape) -> Iterator[Problem]:
    """Check the stack's name, which is a part of the machines' names, and the nodes."""
    if not _STACK.fullmatch(stack):
        rule = "at most 30 small letters, digits and hyphens, with a letter or digit at both ends"
        yield Problem("stack", f"{shown(stack)} is not a valid stack name", rule)
    for node in getattr(cluster, "nodes", ()):
        yield from _container_name(stack, cluster, node)
        yield from _address(cluster, node)
        for name in _SIZES:
            yield from _size(node, name)
    yield from _roles(cluster)
    yield from _unique(cluster, "name")
    yield from _unique(cluster, "address")
    yield from _pod_subnets(cluster)


@check
def _container_name(stack: str, cluster: ClusterShape, node: NodeShape) -> Iterator[Problem]:
    """LXC must take the name of the node's container (render.vagrant.container_name)."""
    prefix = f"podnet-{stack}-"
    room = _CONTAINER_LONGEST - len(prefix)
    if cluster.provider is MachineProvider.LXC and _STACK.fullmatch(stack) and len(node.name) > room:
        yield node.problem(
            "name",
            f"{node.name} makes the container's name {prefix}{node.name} longer than LXC takes",
            f"at most {room} characters in this stack, or a shorter stack name",
        )


@check
def _address(cluster: ClusterShape, node: NodeShape) -> Iterator[Problem]:
    if wrong := unusable(node.address, cluster.machine_network):
        yield node.refuse("address", *wrong)
    elif node.address == defaults.gateway(cluster):
        found = f"{node.address} is the gateway of machineNetwork"
        yield node.refuse("address", found, "an address of the node's own")


@check
def _size(node: NodeShape, name: str) -> Iterator[Problem]:
    value, role = getattr(node, name), getattr(node, "role", None)
    unit, leasts, most = _SIZES[name]
    least = leasts[role] if role else min(leasts.values())
    if not least <= value <= most:
        owner = f"a {role} node" if role else "any node"
        verdict = "not enough" if value < least else "too much"
        found = f"{shown(value)}{unit} is {verdict} for {owner}"
        yield node.problem(name, found, f"a number from {least} to {most}")


@check
def _roles(cluster: ClusterShape) -> Iterator[Problem]:
    heads = [node for node in cluster.nodes if node.role is Role.CONTROL_PLANE]
    if not heads:
        yield cluster.problem("nodes", "no node has the role control-plane", "exactly one that has it")
    for node in heads[1:]:
        yield node.problem(
            "role",
            f"{heads[0].label} is the control plane already",
            "worker: podnet builds clusters with one control-plane node",
        )
    if all(node.role is not Role.WORKER for node in cluster.nodes):
        yield cluster.problem("nodes", "no node has the role worker", "at least one that has it")


@check
def _unique(cluster: ClusterShape, name: str) -> Iterator[Problem]:
    first: dict[object, NodeShape] = {}
    for node in cluster.nodes:
        value = getattr(node, name, None)
        if value is not None and (holder := first.setdefault(value, node)) is not node:
            found = f"{value} is already the {name} of {holder.label}"
            yield node.refuse(name, found, "one that no other node has")


@check
def _pod_subnets(cluster: ClusterShape) -> Iterator[Problem]:
    pods = getattr(cluster, "pod_subnet", None)
    earlier: list[tuple[NodeShape, IPNetwork]] = []
    for node in cluster.nodes:
        try:
            subnet = defaults.pod_subnet(cluster, node)
        except UnknownError:
            continue
        except AddressError as error:
            yield node.problem("pod_subnet", error.found, error.expected)
            continue
        if pods is not None and not addressing.within(subnet, pods):
            yield node.problem("pod_subnet", f"{subnet} lies outside podSubnet {pods}", "a part of it")
            continue
        if clash := next((each for each in earlier if addressing.overlap(subnet, each[1])), None):
            found = f"{_origin(node, subnet)} overlaps {_origin(*clash)} of {clash[0].label}"
            yield node.problem("pod_subnet", found, "a range that shares no address with another node's")
        earlier.append((node, subnet))


def _origin(node: NodeShape, subnet: IPNetwork) -> str:
    return f"{subnet}" if node.pod_subnet is not None else f"{subnet} (from the address {node.address})"
