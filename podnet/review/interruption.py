"""What a change ends or cuts off while it is made, in words; what nobody notices is not named."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from podnet.review.steps import Action, InputChange, Step


@dataclass(frozen=True, slots=True)
class Interruption:
    """who: nodes or resources, by name. what: a sentence about them."""

    who: tuple[str, ...]
    what: str


_MADE_ANEW: Final = (
    "the machine is destroyed and made again; its pods end, and the node joins anew with an empty disk. "
    "Nothing on the other nodes is interrupted, but they reach no pod of it meanwhile"
)
_RELEASED: Final = "the host is given back as it was found, and taken anew; its pods end, and the node joins anew"
_GIVEN_BACK: Final = "the node is drained and its host given back as it was found; pods without a controller are lost"
_GONE: Final = "the node is drained and its machine destroyed; pods without a controller are lost"
_PODS_END: Final = "every pod ends and is made anew, with another address; connections to and from them break"
_REFUSED: Final = (
    "kubeadm's configuration of a cluster that runs cannot be changed in place: up will refuse this. "
    "It takes the stack down and up again, and everything in the cluster with it"
)
_JOINS_ANEW: Final = "the node is drained, leaves the cluster and joins it again; its machine stays"
_NEW_NODE: Final = "its Node is made anew with another pod CIDR, and its pods get other addresses; the cluster stays"
_NEW_CLUSTER: Final = "the control plane is made anew: every object in the cluster is lost"

_WORDS: Final[dict[tuple[str, Action], str]] = {
    ("machine-up", Action.REPLACE): _MADE_ANEW,
    ("machine-up", Action.DELETE): _GONE,
    ("claim", Action.REPLACE): _RELEASED,
    ("claim", Action.DELETE): _GIVEN_BACK,
    ("network-up", Action.REPLACE): "the machines' network goes away and comes back: meanwhile no node reaches another",
    ("bundle", Action.REPLACE): "the node's binaries are installed again; kubelet and containerd restart, pods stay",
    ("cni-conf", Action.UPDATE): _PODS_END,
    ("cni-conf", Action.REPLACE): _PODS_END,
    ("cni-conf", Action.DELETE): _PODS_END,
    ("kubeadm-init", Action.UPDATE): _REFUSED,
    ("kubeadm-init", Action.REPLACE): _NEW_CLUSTER,
    ("kubeadm-init", Action.DELETE): _NEW_CLUSTER,
    ("join", Action.REPLACE): _JOINS_ANEW,
    ("register", Action.UPDATE): _NEW_NODE,
    ("masquerade", Action.DELETE): "pods no longer reach the outside; connections that are open stay",
}
"""By the word of podnet.host, podnet-node or podnet-claim that a command calls. What is not here interrupts nothing."""

_MACHINES: Final = ("machine-up", "claim")
"""With the end of these everything on a node ends."""

_KINDS: Final[dict[tuple[str, Action], str]] = {
    ("Deployment", Action.UPDATE): "the pods are replaced one after another; the Service always has one that answers",
    ("Deployment", Action.REPLACE): "it is deleted and made again: no pod of it answers meanwhile",
    ("Deployment", Action.DELETE): "its pods end",
    ("Service", Action.REPLACE): "it is deleted and made again, with another cluster address",
    ("Service", Action.DELETE): "its address answers no more",
}


def interruptions(steps: Sequence[Step]) -> tuple[Interruption, ...]:
    """Say what each step ends; steps of a machine that goes away anyway are part of that.

    A command that only runs again finds everything as it should be, and ends nothing.
    """
    ending = (Action.REPLACE, Action.DELETE)
    ended = {_node(step) for step in steps if _word(step) in _MACHINES and step.action in ending}
    by_sentence: dict[str, list[str]] = {}
    for step in steps:
        part_of_machine = _word(step) not in (*_MACHINES, "kubeadm-init") and _node(step) in ended
        sentence = None if part_of_machine else _sentence(step)
        if sentence:
            by_sentence.setdefault(sentence, []).append(_node(step) or step.name)
    return tuple(Interruption(tuple(dict.fromkeys(who)), what) for what, who in by_sentence.items())


def _sentence(step: Step) -> str | None:
    if step.action is Action.UPDATE and not any(_matters(step, change) for change in step.changes):
        return None
    if step.type.startswith("kubernetes:"):
        return _KINDS.get((step.type.rpartition(":")[2], step.action))
    return _WORDS.get((_word(step), step.action))


def _matters(step: Step, change: InputChange) -> bool:
    # A pod CIDR is an argument of register; what else a command does with other arguments ends nothing.
    path = "create" if _word(step) == "register" else "stdin"
    return step.type.startswith("kubernetes:") or change.path == path


def _word(step: Step) -> str:
    return next(iter(_words(step)), "")


def _node(step: Step) -> str:
    """The node of a step: an argument of the command that makes a machine, else what stands before the word."""
    words = list(_words(step))
    if words and words[0] in _MACHINES:
        return words[2] if len(words) > 2 else ""
    for suffix in ("-cni-conf", "-masquerade", "-bundle", "-join", "-registered"):
        if step.name.endswith(suffix):
            return step.name.removesuffix(suffix)
    head, found, _ = step.name.partition("-route-to-")
    return head if found else ""


def _words(step: Step) -> Iterator[str]:
    """The word and the arguments of a command line that calls one of podnet's scripts; a claim brings its own along."""
    try:
        words = shlex.split(step.create)
    except ValueError:
        return
    program = next((index for index, word in enumerate(words) if word.endswith(("podnet.host", "/podnet-node"))), None)
    if words[1:5] == ["-n", "sh", "-s", "--"]:
        program = 4
    if program is not None:
        yield from words[program + 1 :]
