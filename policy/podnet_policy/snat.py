"""No SNAT between pods: a pod is seen under its own address, by every pod and on every node.

podnet's own masquerade is judged by what it says of itself. Whatever else would translate sources is refused, whomever
it would hide: nobody has to follow packets through foreign rules, and what is meant is allowed by name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from podnet_policy.ranges import networks
from podnet_policy.resource import Resource, components, documents, values

_MASQUERADE: Final = "podnet:masquerade:Masquerade"
_NET_CONF: Final = "podnet:cni:NetConf"
_PODNETS_OWN: Final = (_MASQUERADE, "podnet:node:NetworkService", "podnet:verification:Verification")
"""The kinds whose texts may speak of a masquerade: podnet's rules, the program that sets them on a node, and what has
been said there."""

_STATED: Final = ("podSubnets", "nonMasqueradeCIDRs", "serviceSubnets")

_TRANSLATES: Final = re.compile(
    r"""
      # nft(8), iptables-extensions(8); but the CNI plugin portmap has an option snat, for hostPorts on localhost
      (?:(?<![\w-])|(?<=-j))(?:masquerade|netmap|snat(?!["']?\s*:\s*(?:true|false)\b))(?![\w-])
    | --(?:add-masquerade|ip-masq)(?![\w-]|=false)  # firewall-cmd(1), flannel
    | (?<!\w)saddr\s+set(?!\w)  # nft(8), without connection tracking
    # https://www.cni.dev/plugins/current/main/bridge/, systemd.network(5)
    | (?<!\w)ipmasq(?:uerade)?["']?\s*[:=]\s*["']?(?!false\b|null\b|no\b|["'\s]|$)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_HARMLESS: Final = re.compile(r"^\s*\#.*|\bgrep\b[^|;&$`<()\n]*", re.MULTILINE)
"""A line that is a comment, and what is only looked for."""


def check(resource: Resource, allowed: Collection[str] = ()) -> list[str]:
    """Find what translates the sources of packets. allowed: names of resources that may."""
    if resource.kind in _PODNETS_OWN or resource.name in allowed:
        return []
    # Of the text no more is shown than what was found: the rest may be secret.
    return [
        f"{where}: {word!r} translates the sources of packets, so that a pod may be seen under another address. "
        "podnet's own masquerade is the place for what leaves the cluster; what is meant all the same is allowed by "
        f'name, in the pack\'s config.json: {{"no-snat-between-pods": {{"allow": ["{resource.name}"]}}}}'
        for where, word in dict(_translations(resource.inputs)).items()
    ]


def check_stack(resources: Sequence[Resource]) -> list[tuple[str, str]]:
    """Find masquerades of podnet's that would hide pods from pods, as (URN, problem)."""
    pods = [(conf.name, subnet) for conf in components(resources, _NET_CONF) for subnet in networks(conf, "podSubnets")]
    problems = []
    for masquerade in components(resources, _MASQUERADE):
        untouched = networks(masquerade, "nonMasqueradeCIDRs")
        problems += [
            (
                masquerade.urn,
                f"nonMasqueradeCIDRs do not hold {subnet}, the pods of {owner}: they see this node instead",
            )
            for owner, subnet in pods
            if not any(subnet.version == each.version and subnet.subnet_of(each) for each in untouched)  # type: ignore[arg-type]
        ]
        stated = {key: masquerade.listed(key) for key in _STATED}
        problems += [
            (command.urn, f"stdin is not what {masquerade.name}'s masquerade states: {', '.join(_STATED)}")
            for command in resources
            if command.parent == masquerade.urn and (text := command.text("stdin")) and documents(text) != [stated]
        ]
    return problems


def _translations(inputs: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for where, value in values(inputs):
        texts = []
        if isinstance(value, str):
            texts = [value]
        elif isinstance(value, list) and all(isinstance(part, str) for part in value):
            texts = [" ".join(value)]  # a command line, as in a container
        elif where:
            scalar = "" if isinstance(value, Mapping | list) else json.dumps(value, default=str)
            texts = [f"{where.rpartition('.')[2]}: {scalar}"]
        yield from ((where, word) for text in texts for word in _in_text(text))


def _in_text(text: str) -> Iterator[str]:
    if found := _TRANSLATES.search(_HARMLESS.sub("", text)):
        yield found[0].rstrip("\"':= ")
    else:
        # As JSON or YAML it may be spelled in other ways.
        yield from (word for document in documents(text) for _, word in _translations(document))
