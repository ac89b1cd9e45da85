"""No SNAT between pods: a pod is seen under its own address, by every pod and on every node.

A resource alone shows a CNI conf with ipMasq, and rules that translate whatever goes anywhere. What translates less is
judged against the pods of the whole stack.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from podnet_policy import addresses, texts
from podnet_policy.addresses import VERSIONS, WHERE_PODS_CAN_BE, Ranges
from podnet_policy.netfilter import Ruleset, Translation
from podnet_policy.ranges import pod_ranges
from podnet_policy.resource import Resource
from podnet_policy.texts import Found

_LONGEST: Final = 160
_MOST_NAMES: Final = 3

_Pods = dict[str, tuple[str, Ranges]]
"""By range, as text: whose it is, and its addresses."""


def check(resource: Resource) -> list[str]:
    """Find what would hide pods' addresses wherever the pods are, and what cannot be read."""
    problems = []
    for where, found in _texts(resource):
        problems += [f"{where}: cannot be judged: {why}" for why in found.unreadable]
        if found.masquerades:
            problems.append(f"{where}: a CNI conf has ipMasq on: pods of other nodes see this node's address")
        problems += [
            f"{where}: the rule {_quoted(rule)} spares no destination: pods of other nodes see this node's address"
            for rule in _everything(found.rules)
        ]
    return list(dict.fromkeys(problems))


def check_stack(resources: Sequence[Resource]) -> list[tuple[str, str]]:
    """Find rules that translate packets from some pods to some pods, as (URN, problem)."""
    pods = {version: _pods(resources, version) for version in VERSIONS}
    problems = [
        (resource.urn, f"{where}: {problem}")
        for resource in resources
        for where, found in _texts(resource)
        for problem in _between_pods(found.rules, pods)
    ]
    return list(dict.fromkeys(problems))


def _texts(resource: Resource) -> Iterator[tuple[str, Found]]:
    to_nft = any(texts.gives_to_nft(resource.text(key)) for key in ("create", "update"))
    for where, text in texts.inside(resource.inputs):
        found = texts.read(text, for_nft=to_nft and where == "stdin")
        # What is half read would be judged for its other half.
        yield where, replace(found, rules=Ruleset()) if found.unreadable else found


def _everything(rules: Ruleset) -> dict[str, None]:
    """Give the rules that translate every packet from and to wherever pods can be.

    Only of IPv4: whether a cluster has pods with IPv6 addresses is to be seen in its stack.
    """
    whole = WHERE_PODS_CAN_BE[4]
    translated: dict[int, tuple[str, list[addresses.Range]]] = {}
    for each in rules.translations(4, whole):
        if each.destinations == whole:
            translated.setdefault(id(each.rule), (each.rule.text, []))[1].append(each.source)
    return {text: None for text, sources in translated.values() if addresses.union(sources) == whole}


def _between_pods(rules: Ruleset, pods: dict[int, _Pods]) -> Iterator[str]:
    """Name the pods that a rule hides, and the pods that it hides them from."""
    everything = _everything(rules)
    hidden: dict[tuple[str, str], dict[str, None]] = {}
    for version in VERSIONS:
        known = addresses.union(range_ for _, ranges in pods[version].values() for range_ in ranges)
        anywhere = not any(pods.values())
        for each in rules.translations(version, WHERE_PODS_CAN_BE[version] if anywhere else known):
            if each.rule.text in everything:
                continue
            if anywhere and each.destinations == WHERE_PODS_CAN_BE[version]:
                hidden.setdefault((each.rule.text, "any pod, wherever the pods are"), {})["its sources"] = None
            for destination, (owner, ranges) in pods[version].items():
                if addresses.common(each.destinations, ranges):
                    senders = hidden.setdefault((each.rule.text, f"{destination}, the pods of {owner}"), {})
                    senders |= dict.fromkeys(_senders(each, pods[version]))
    for (rule, destination), senders in hidden.items():
        unseen = f"they do not see the addresses of {_names(senders)}"
        yield f"the rule {_quoted(rule)} does not spare {destination}: {unseen}"


def _senders(translation: Translation, pods: _Pods) -> list[str]:
    return [owner for owner, ranges in pods.values() if addresses.common((translation.source,), ranges)]


def _pods(resources: Sequence[Resource], version: int) -> _Pods:
    return {
        str(subnet): (owner, ((int(subnet.network_address), int(subnet.broadcast_address)),))
        for owner, subnet in pod_ranges(resources)
        if subnet.version == version
    }


def _quoted(rule: str) -> str:
    return f"`{rule if len(rule) <= _LONGEST else rule[:_LONGEST] + '...'}`"


def _names(senders: dict[str, None]) -> str:
    names = list(senders)
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
