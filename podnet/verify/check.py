"""A check: one thing that must hold of the network, between which ends, and what is expected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class EndpointKind(StrEnum):
    """What one end of a check is. name: a DNS name, which is asked for and not connected to."""

    NODE = "node"
    POD = "pod"
    SERVICE = "service"
    NODE_PORT = "node-port"
    OUTSIDE = "outside"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One end of a check.

    name: as an id shows it. node: the node that it is on, of a Service or a node port the one with the pod behind it;
    empty where it is on none (the outside, a DNS name) or nobody knows. address: empty where it has none of its own.
    pod: of a pod, its name in the API.
    """

    kind: EndpointKind
    name: str
    node: str
    address: str
    pod: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.address})" if self.address else self.name

    def is_node(self, name: str) -> bool:
        """Whether it is this node itself, and nothing on it."""
        return self.kind is EndpointKind.NODE and self.node == name


class PathKind(StrEnum):
    """The way that a check's packets take; of NODE_STATE none: what a node and the API server have is read."""

    POD_TO_POD = "pod-to-pod"
    POD_TO_WEB = "pod-to-web"
    NODE_TO_WEB = "node-to-web"
    NODE_TO_POD = "node-to-pod"
    POD_TO_NODE = "pod-to-node"
    POD_TO_SERVICE = "pod-to-service"
    HAIRPIN = "hairpin-by-service"
    DNS = "pod-to-dns"
    NODE_PORT = "node-to-node-port"
    EGRESS = "pod-to-outside"
    MTU = "packet-of-mtu"
    OVER_MTU = "packet-of-mtu-plus-1"
    BULK = "bulk-10-mb"
    NODE_STATE = "node-state"


class Locality(StrEnum):
    """Whether both ends are on one node."""

    SAME_NODE = "same-node"
    OTHER_NODE = "other-node"


@dataclass(frozen=True, slots=True)
class Scenario:
    """A kind of check. locality: None where the kind is one for both, or nobody knows where the other end is."""

    path: PathKind
    locality: Locality | None = None

    def __str__(self) -> str:
        return f"{self.path}-{self.locality}" if self.locality else str(self.path)


class Expectation(StrEnum):
    """When a check holds; the value says so in a report."""

    REACHED = "reached"
    """The other end answers, and sees one of the check's sources."""
    TOO_BIG = "refused as too big"
    """The packet does not fit, and whoever refuses it says so (RFC 1191)."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold.

    sources: the addresses under which the destination may see the source; empty where any will do.
    parameters: of the probe, as the agent reads it.
    untried: why it cannot be made, where it cannot: it is due all the same.
    """

    scenario: Scenario
    action: str
    source: Endpoint
    destination: Endpoint
    parameters: Mapping[str, Any]
    sources: tuple[str, ...] = ()
    expectation: Expectation = Expectation.REACHED
    untried: str = ""

    @property
    def id(self) -> str:
        """The same in the terminal, in reports, in tests and in the picture; for people: nothing reads it."""
        return check_id(self.scenario, self.action, self.source, self.destination)

    @property
    def expected(self) -> str:
        """What is expected, in words."""
        return " or ".join(self.sources) or str(self.expectation)


def check_id(scenario: Scenario, action: str, source: Endpoint, destination: Endpoint | None) -> str:
    """Name a check: its kind and its ends."""
    return f"{scenario}/{action}: {source}" + (f" -> {destination}" if destination else "")
