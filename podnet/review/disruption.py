"""What a change ends or cuts off while it is made, in words; what nobody notices is not named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from podnet.kinds import Kind
from podnet.review.steps import Action, InputChange, Step, logged, proposed


@dataclass(frozen=True, slots=True)
class Disruption:
    """who: nodes or resources, by name. what: a sentence about them."""

    who: tuple[str, ...]
    what: str


_RECREATED: Final = (
    "the machine is destroyed and recreated; its pods end, and the node joins again with an empty disk. "
    "Nothing on the other nodes is disrupted, but they reach no pod of it meanwhile"
)
_DESTROYED: Final = "the node is drained and its machine destroyed; pods without a controller are lost"
_TAKEN_AGAIN: Final = "the host is given back as it was found, and taken again; its pods end, and the node joins again"
_GIVEN_BACK: Final = "the node is drained and its host given back as it was found; pods without a controller are lost"
_PODS_END: Final = "every pod ends and is recreated, with another address; connections to and from them break"
_REFUSED: Final = (
    "kubeadm's configuration of a cluster that runs cannot be changed in place: up will refuse this. "
    "It takes the stack down and up again, and everything in the cluster with it"
)
_NEW_CLUSTER: Final = "the control plane is recreated: every object in the cluster is lost"

_OF_KINDS: Final[dict[tuple[Kind, Action], str]] = {
    (Kind.VAGRANT_MACHINE, Action.REPLACE): _RECREATED,
    (Kind.VAGRANT_MACHINE, Action.DELETE): _DESTROYED,
    (Kind.EXISTING_HOST, Action.REPLACE): _TAKEN_AGAIN,
    (Kind.EXISTING_HOST, Action.DELETE): _GIVEN_BACK,
    (Kind.BRIDGE, Action.REPLACE): (
        "the machines' network goes away and comes back: meanwhile no node reaches another"
    ),
    (Kind.NODE_BUNDLE, Action.REPLACE): (
        "the node's binaries are installed again; kubelet and containerd restart, pods stay"
    ),
    (Kind.NET_CONF, Action.UPDATE): _PODS_END,
    (Kind.NET_CONF, Action.REPLACE): _PODS_END,
    (Kind.NET_CONF, Action.DELETE): _PODS_END,
    (Kind.MASQUERADE, Action.DELETE): "pods no longer reach the outside; connections that are open stay",
    (Kind.INIT, Action.UPDATE): _REFUSED,
    (Kind.INIT, Action.REPLACE): _NEW_CLUSTER,
    (Kind.INIT, Action.DELETE): _NEW_CLUSTER,
    (Kind.JOIN, Action.REPLACE): "the node is drained, leaves the cluster and joins it again; its machine stays",
    (Kind.REGISTRATION, Action.UPDATE): (
        "its Node is recreated with another pod CIDR, and its pods get other addresses; the cluster stays"
    ),
}
"""By the kind of a command. What is not here disrupts nothing."""

_OF_OBJECTS: Final[dict[tuple[str, Action], str]] = {
    ("Deployment", Action.UPDATE): "the pods are replaced one after another; the Service always has one that answers",
    ("Deployment", Action.REPLACE): "it is deleted and recreated: no pod of it answers meanwhile",
    ("Deployment", Action.DELETE): "its pods end",
    ("Service", Action.REPLACE): "it is deleted and recreated, with another cluster address",
    ("Service", Action.DELETE): "its address answers no more",
}
"""By the type of an object in the cluster."""

_MACHINES: Final = (Kind.VAGRANT_MACHINE, Kind.EXISTING_HOST)
"""With the end of these everything on a node ends, but what is said of the control plane stays worth saying."""

_OF_A_NODE: Final = {*(kind for kind, _ in _OF_KINDS)} - {Kind.BRIDGE, Kind.INIT}
"""What disrupts the node that the component is named after; of others the resource is named."""


def disruptions(steps: Sequence[Step]) -> tuple[Disruption, ...]:
    """Say what each step ends; steps of a machine that goes away anyway are part of that.

    A command that only runs again finds everything as it should be, and ends nothing.
    """
    ending = (Action.REPLACE, Action.DELETE)
    ended = {step.component for step in steps if step.kind in _MACHINES and step.action in ending}
    by_sentence: dict[str, list[str]] = {}
    for step in steps:
        of_node = step.kind in _OF_A_NODE
        part_of_machine = of_node and step.kind not in _MACHINES and step.component in ended
        if sentence := None if part_of_machine else _sentence(step):
            by_sentence.setdefault(sentence, []).append(step.component if of_node else step.name)
    return tuple(Disruption(tuple(dict.fromkeys(who)), what) for what, who in by_sentence.items())


def in_words(events: str) -> str:
    """Say what a preview would disrupt, from the engine's own log of it."""
    lines = [f"  - {', '.join(sorted(each.who))}: {each.what}" for each in disruptions(proposed(logged(events)))]
    return "\n".join(["It disrupts:", *lines] if lines else ["It disrupts nothing that is up."])


def _sentence(step: Step) -> str | None:
    if step.action is Action.UPDATE and not any(_matters(step, change) for change in step.changes):
        return None
    if step.type.startswith("kubernetes:"):
        return _OF_OBJECTS.get((step.type.rpartition(":")[2], step.action))
    return _OF_KINDS.get((step.kind, step.action)) if step.kind else None


def _matters(step: Step, change: InputChange) -> bool:
    # A pod CIDR is an argument of a registration; what else a command does with other arguments ends nothing.
    path = "create" if step.kind is Kind.REGISTRATION else "stdin"
    return step.type.startswith("kubernetes:") or change.path == path
