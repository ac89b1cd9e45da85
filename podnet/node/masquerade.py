"""The masquerade: pods are translated on their way to the outside, and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from ipaddress import ip_network
from typing import Any, Final

from podnet.node import peers
from podnet.node.check import Check, Repair, Seen, Unseen, check
from podnet.node.spec import CONFIG, Masquerade, NodeSpec, version_of
from podnet.node.system import System

TABLE: Final = "podnet"
FILE: Final = f"{CONFIG}/masquerade.json"
EARLIER: Final = f"{CONFIG}/masquerade.nft"
"""Where an earlier podnet noted it; until it is noted again, what that set stands."""

FAMILIES: Final = {4: "ip", 6: "ip6"}
"""nftables' names, by IP version."""

SHOW: Final = {family: ("nft", "--json", "list", "table", family, TABLE) for family in FAMILIES.values()}
_EXEMPT: Final = "set non_masquerade"
_NO_TABLE: Final = "No such file or directory"  # nft's words


def noted(system: System) -> Masquerade | None:
    """Read what the node's resources noted; None where there is to be none."""
    text = system.read(FILE)
    try:
        return None if text is None else Masquerade.from_json(json.loads(text)).exempting(peers.noted(system))
    except (ValueError, KeyError, TypeError):
        raise Unseen(f"{FILE} is no masquerade") from None


def document(masquerade: Masquerade) -> str:
    """Give the text that notes it."""
    return json.dumps(masquerade.to_json(), indent=2) + "\n"


def rules(masquerade: Masquerade) -> str:
    """Give the nftables rules (nft(8)), a table for each address family that the pods have.

    Tables of podnet's own: each is replaced whole in one transaction, its removal leaves nothing, and where it stands
    among other tables does not matter. They translate by masquerade only: a connection that kube-proxy has already
    masqueraded (a pod that reaches itself through its Service) has its address and keeps it, because a connection
    is translated once.

    What kube-proxy has not translated is refused rather than lost on its way to the outside. Whatever is started
    before kube-proxy, CoreDNS above all, then tries again at once; a lost packet costs it half a minute.
    """
    return "".join(
        f"table {FAMILIES[version]} {TABLE} {{\n"
        "    set non_masquerade {\n"
        f"        type ipv{version}_addr\n"
        "        flags interval\n"
        f"        elements = {{ {', '.join(_of(version, masquerade.non_masquerade_cidrs))} }}\n"
        "    }\n"
        "    chain forward {\n"
        "        type filter hook forward priority filter; policy accept;\n"
        + "".join(
            f'        {FAMILIES[version]} daddr {services} reject comment "no Service there"\n'
            for services in _of(version, masquerade.service_subnets)
        )
        + "    }\n"
        "    chain postrouting {\n"
        "        type nat hook postrouting priority srcnat + 10; policy accept;\n"
        + "".join(
            f"        {FAMILIES[version]} saddr {source} {FAMILIES[version]} daddr != @non_masquerade masquerade "
            'comment "pods to the outside"\n'
            for source in _of(version, masquerade.pod_subnets)
        )
        + "    }\n"
        "}\n"
        for version in _versions(masquerade)
    )


def diff(spec: NodeSpec, system: System) -> Iterator[Check]:
    """Compare podnet's own tables with a plan. A node that is being taken away may still be exempt."""
    others = (address for addresses in spec.peers.values() for address in addresses)
    yield compare(spec.masquerade.exempting(others), system, {route.gateway for route in spec.leaving})


def compare(wanted: Masquerade, system: System, leaving: Collection[str] = ()) -> Check:
    """Compare podnet's own tables: whatever else they do would be no plan's. leaving: what may be exempt, or not."""
    return check("masquerade", "pods to the outside only", lambda: _seen(wanted, system, leaving))


def removed(system: System) -> Iterator[Check]:
    """Compare where there is to be no masquerade."""
    if system.read(EARLIER) is None:
        yield check("masquerade", "none", lambda: _none(system))


def _seen(wanted: Masquerade, system: System, leaving: Collection[str]) -> Seen:
    for version, family in FAMILIES.items():
        table = actual(family, system)
        planned = desired(version, wanted) if version in _versions(wanted) else None
        if table and planned:
            gone = {str(ip_network(address)) for address in leaving} - planned[_EXEMPT]
            table[_EXEMPT] = table.get(_EXEMPT, set()) - gone
        if table != planned:
            text = f"no table {family} {TABLE}" if table is None else _changed(table, planned)
            return Seen(text, False, f"nft list table {family} {TABLE}", (_set(wanted),))
    return Seen("as planned", True)


def _set(wanted: Masquerade) -> Repair:
    """Set the rules in one transaction: there is no moment without them, and never half of them."""
    replace = "".join(f"table {family} {TABLE}\ndelete table {family} {TABLE}\n" for family in FAMILIES.values())
    return Repair("set the masquerade", ("nft", "-f", "-"), stdin=replace + rules(wanted))


def _changed(table: Mapping[str, Any], planned: Mapping[str, Any] | None) -> str:
    differing = [part for part in table if planned is None or table[part] != planned.get(part)]
    return f"changed: {', '.join(differing) or 'something is missing'}"


def _none(system: System) -> Seen:
    found = [family for family in FAMILIES.values() if actual(family, system) is not None]
    repairs = (
        Repair("remove the masquerade", ("nft", "delete", "table", family, TABLE), removes=True, gone=_NO_TABLE)
        for family in found
    )
    return Seen(f"table {found[0]} {TABLE}" if found else "none", not found, repairs=tuple(repairs))


def actual(family: str, system: System) -> dict[str, Any] | None:
    """Give what podnet's table of a family does, in the words of desired; None where there is no such table."""
    ran = system.run(*SHOW[family])
    if ran.status and _NO_TABLE in ran.errors:
        return None
    if ran.status:
        raise Unseen(f"{' '.join(SHOW[family])}: {ran.why}")
    try:
        return _table(json.loads(ran.output)["nftables"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Unseen(f"{' '.join(SHOW[family])} printed what podnet cannot read: {ran.output[:200]}") from None


def desired(version: int, wanted: Masquerade) -> dict[str, Any]:
    """Give what podnet's table of a family has to do, in what nft prints of it (libnftables-json(5))."""
    protocol = FAMILIES[version]

    def to(field: str, op: str, right: object) -> dict[str, Any]:
        return {"match": {"op": op, "left": {"payload": {"protocol": protocol, "field": field}}, "right": right}}

    return {
        _EXEMPT: {str(ip_network(each)) for each in _of(version, wanted.non_masquerade_cidrs)},
        "chain forward": ["filter", "forward", 0, "accept"]
        + [[to("daddr", "==", _prefix(services)), "reject"] for services in _of(version, wanted.service_subnets)],
        "chain postrouting": ["nat", "postrouting", 110, "accept"]
        + [
            [to("saddr", "==", _prefix(source)), to("daddr", "!=", "@non_masquerade"), "masquerade"]
            for source in _of(version, wanted.pod_subnets)
        ],
    }


def _table(objects: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in objects:
        [(kind, value)] = each.items()
        if kind == "set":
            found[f"set {value['name']}"] = {_element(element) for element in value.get("elem", [])}
        elif kind == "chain":
            hook = [value.get(key) for key in ("type", "hook", "prio", "policy")]
            found[f"chain {value['name']}"] = hook
        elif kind == "rule":
            found[f"chain {value['chain']}"].append([_statement(one) for one in value["expr"]])
        elif kind not in ("metainfo", "table"):
            found[f"{kind} {value.get('name', '')}"] = value
    return found


def _statement(expression: Mapping[str, Any]) -> Any:
    """A verdict by its name alone: its details are the kernel's defaults, which nft prints or not."""
    verdict = next(iter(expression))
    return verdict if verdict in ("reject", "masquerade") and not _translates_ports(expression[verdict]) else expression


def _translates_ports(details: object) -> bool:
    return isinstance(details, Mapping) and not details.get("type", "").startswith("icmp")


def _element(element: Any) -> str:
    if isinstance(element, Mapping):
        return f"{element['prefix']['addr']}/{element['prefix']['len']}"
    return str(ip_network(element))


def _prefix(network: str) -> Any:
    """A network as nft prints it in a match: a single address stands for itself."""
    parsed = ip_network(network)
    if parsed.prefixlen == parsed.max_prefixlen:
        return str(parsed.network_address)
    return {"prefix": {"addr": str(parsed.network_address), "len": parsed.prefixlen}}


def _versions(masquerade: Masquerade) -> list[int]:
    return [version for version in FAMILIES if _of(version, masquerade.pod_subnets)]


def _of(version: int, networks: Sequence[str]) -> list[str]:
    return [network for network in networks if version_of(network) == version]
