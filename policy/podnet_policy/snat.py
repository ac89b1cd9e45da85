"""No SNAT between pods: a pod is seen under its own address, by every pod and on every node."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from podnet_policy.ranges import node_subnets
from podnet_policy.resource import Resource, strings

_IP_MASQ: Final = re.compile(r"[\"']?\bipMasq\b[\"']?\s*:\s*true\b")
_NFT: Final = re.compile(
    r"(?:^\s*|\bnft\s+)(?:(?:add|insert|replace|create)\s+)?(?:table|rule)\s+(?:ip|ip6|inet)\s", re.MULTILINE
)
_NFT_SNAT: Final = re.compile(r"(?<!chain )(?<!set )(?<!@)\b(?:masquerade|snat)\b(?!\s*\{)")
_NFT_SPARED: Final = re.compile(r"\bip6?\s+daddr\s+!=\s+(?:@(?P<set>\w+)|\{(?P<list>[^}]*)\}|(?P<one>[0-9a-fA-F.:/]+))")
_NFT_SET: Final = re.compile(r"set\s+(\w+)\s*\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}")
_NFT_ELEMENTS: Final = re.compile(r"elements\s*=\s*\{([^}]*)\}")
_QUOTED: Final = re.compile(r'"[^"]*"')
_IPTABLES: Final = re.compile(r"\bip6?tables\b.*(?:-j|--jump)\s+(?:MASQUERADE|SNAT)\b")
_IPTABLES_SPARED: Final = re.compile(r"!\s+(?:-d|--dst|--destination)\s+\S")


def check(resource: Resource) -> list[str]:
    """Find what would hide pods' addresses, as far as one resource shows it."""
    found = []
    for where, text in strings(resource.inputs):
        found += [f"{where}: {problem}" for problem in (*_cni(text), *_nft(text), *_iptables(text))]
    return found


def check_stack(resources: Sequence[Resource]) -> list[tuple[str, str]]:
    """Find masquerade rules that spare some pods and not others, as (URN, problem)."""
    subnets = node_subnets(resources)
    return [
        (resource.urn, f"{where}: the masquerade does not spare {subnet}, the pods of {owner}")
        for resource in resources
        for where, text in strings(resource.inputs)
        for spared in _nft_rules(text)
        if spared
        for owner, subnet in subnets
        if not any(subnet.version == each.version and subnet.subnet_of(each) for each in spared)
    ]


def _cni(text: str) -> Iterator[str]:
    """The bridge plugin's own masquerade exempts only the node's own pods. A conf may be inside of a longer text."""
    if _IP_MASQ.search(text):
        yield "a CNI conf has ipMasq on: pods of other nodes see this node's address"


def _nft(text: str) -> Iterator[str]:
    for spared in _nft_rules(text):
        if not spared:
            yield "a masquerade rule spares no destination: pods of other nodes see this node's address"


def _nft_rules(text: str) -> Iterator[list[Any]]:
    """For each rule of an nftables ruleset that translates sources: the networks that it spares."""
    if not _NFT.search(text):
        return
    sets: dict[str, str] = dict(_NFT_SET.findall(text))
    for line in text.splitlines():
        statement = _QUOTED.sub("", line.partition("#")[0])
        if not _NFT_SNAT.search(statement):
            continue
        spared = _NFT_SPARED.search(statement)
        if not spared:
            yield []
        elif spared["set"]:
            elements = _NFT_ELEMENTS.search(sets.get(spared["set"], ""))
            yield _networks(elements[1] if elements else "")
        else:
            yield _networks(spared["list"] or spared["one"])


def _networks(text: str) -> list[Any]:
    found = []
    for part in text.split(","):
        try:
            found.append(ipaddress.ip_network(part.strip(), strict=False))
        except ValueError:
            continue
    return found


def _iptables(text: str) -> Iterator[str]:
    for line in text.splitlines():
        rule = line.partition("#")[0]
        if _IPTABLES.search(rule) and not _IPTABLES_SPARED.search(rule):
            yield "an iptables rule translates sources and spares no destination (! -d): pods lose their address"
