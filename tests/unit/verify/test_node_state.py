"""The state of nodes, on a real cluster's output: all holds, and each fault fails just the checks that are about it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podnet import config
from podnet.node.spec import Route
from podnet.planning import plan
from podnet.verify import node_state
from podnet.verify.facts import WANTED, Facts

from . import captured
from .captured import PLAN, Damage, edit, facts, replace, rule


def failed(seen: Facts, plan: Any = PLAN) -> set[str]:
    return {result.id.removeprefix("node-state/") for result in node_state.check(plan, seen) if not result.passed}


def test_a_right_cluster_is_as_planned() -> None:
    results = node_state.check(PLAN, facts())
    assert [result.id for result in results if not result.passed] == []
    assert len(results) == len({result.id for result in results}) == 39


def test_the_default_route_is_podnet_s_affair_where_podnet_sets_it() -> None:
    values: dict[str, Any] = config.dump(PLAN.cluster)
    elsewhere = plan(config.load("bench", {**values, "provider": "virtualbox"}))
    results = node_state.check(elsewhere, facts())
    assert len(results) == 36
    assert not [result for result in results if result.action == "default-route"]


def test_routes_are_told_as_the_kernels_have_them() -> None:
    assert node_state.routes(PLAN, facts())[:3] == (
        Route("master", "node1", "10.25.2.0/24", "10.100.196.201", "eth0"),
        Route("master", "node2", "10.25.3.0/24", "10.100.196.202", "eth0"),
        Route("node1", "master", "10.25.1.0/24", "10.100.196.200", "eth0"),
    )


def _to_node2(routes: list[dict[str, Any]]) -> dict[str, Any]:
    return next(route for route in routes if route["dst"] == "10.25.3.0/24")


def _with_route(route: dict[str, Any]) -> Damage:
    return edit("routes", lambda routes: routes.append(route))


def _bridge(links: list[dict[str, Any]]) -> dict[str, Any]:
    return next(link for link in links if link.get("ifname") == "cni0")


def _sysctl(name: str, value: str | None) -> Damage:
    return lambda each: each["files"].update({name: value})


def _conf(name: str, text: str) -> Damage:
    return lambda each: each["folders"]["confs"].update({name: text})


def _reconf(each: dict[str, Any]) -> None:
    confs = each["folders"]["confs"]
    confs["10-mynet.conflist"] = confs["10-mynet.conflist"].replace('"ipMasq": false', '"ipMasq": true')


def _nft(*objects: dict[str, Any]) -> Damage:
    return edit("nft", lambda printed: printed["nftables"].extend(objects))


def _chain(kind: str, hook: str, policy: str = "accept", family: str = "inet") -> list[dict[str, Any]]:
    chain = {"family": family, "table": "other", "name": "c", "type": kind, "hook": hook, "prio": 0, "policy": policy}
    return [{"table": {"family": family, "name": "other", "handle": 90}}, {"chain": chain}]


def _nft_rule(*expressions: dict[str, Any], family: str = "inet") -> dict[str, Any]:
    return {"rule": {"family": family, "table": "other", "chain": "c", "handle": 91, "expr": list(expressions)}}


def _match(field: str, right: Any, op: str = "==") -> dict[str, Any]:
    return {"match": {"op": op, "left": {"payload": {"protocol": "ip", "field": field}}, "right": right}}


TABLE = "masquerade-ip"
CHAIN = {"chain": {"family": "ip", "table": "podnet", "name": "other", "handle": 99}}


def _without_table(each: dict[str, Any]) -> None:
    each["programs"][TABLE] = each["programs"]["masquerade-ip6"]


def _with_other_table(each: dict[str, Any]) -> None:
    each["programs"]["masquerade-ip6"] = each["programs"][TABLE]


PODS = {"prefix": {"addr": "10.25.0.0", "len": 16}}

CNI_CHAIN = """\
:CNI-7166596e80d917931ad582d5 - [0:0]
-A POSTROUTING -s 10.25.2.2/32 -m comment --comment "name: \\"mynet\\" id: \\"01\\"" -j CNI-7166596e80d917931ad582d5
-A CNI-7166596e80d917931ad582d5 -d 10.25.2.0/24 -m comment --comment "name: \\"mynet\\" id: \\"01\\"" -j ACCEPT
-A CNI-7166596e80d917931ad582d5 ! -d 224.0.0.0/4 -m comment --comment "name: \\"mynet\\" id: \\"01\\"" -j MASQUERADE"""
"""What the bridge plugin makes for one pod with ipMasq."""

NODE1: list[tuple[str, Damage, set[str]]] = [
    ("route gone", edit("routes", lambda r: [x for x in r if x["dst"] != "10.25.3.0/24"]), {"route: node1 -> node2"}),
    (
        "route to nobody",
        edit("routes", lambda r: _to_node2(r).update(gateway="10.100.196.250")),
        {"route: node1 -> node2", "no-other-route: node1"},
    ),
    (
        "route of somebody",
        edit("routes", lambda r: _to_node2(r).update(protocol="static")),
        {"route: node1 -> node2", "no-other-route: node1"},
    ),
    (
        "narrower route of somebody",
        edit("routes", lambda r: r.append({**_to_node2(r), "dst": "10.25.3.128/25", "protocol": "boot"})),
        {"no-other-route: node1"},
    ),
    (
        "route twice",
        edit("routes", lambda r: r.append({**_to_node2(r), "metric": 5})),
        {"route: node1 -> node2", "no-other-route: node1"},
    ),
    *(
        (f"stray {each['dst']}", _with_route(each), {"no-other-route: node1"})
        for each in (
            {"dst": "10.25.0.0/16", "gateway": "10.100.196.1", "dev": "eth0"},
            {"dst": "10.25.2.128/25", "dev": "cni0", "scope": "link"},
            {"dst": "10.25.9.0/24", "dev": "cni0", "protocol": "static"},
            {"dst": "10.25.2.0/24", "gateway": "10.25.2.9", "dev": "cni0", "metric": 5},
            {"dst": "10.25.3.7", "type": "blackhole"},
            {"dst": "10.0.0.0/8", "gateway": "10.100.196.1", "dev": "eth0", "protocol": "201"},
        )
    ),
    (
        "route too many",
        edit("routes", lambda r: r.append({**_to_node2(r), "dst": "10.25.9.0/24"})),
        {"no-other-route: node1"},
    ),
    ("no default route", edit("routes", lambda r: [x for x in r if x["dst"] != "default"]), {"default-route: node1"}),
    (
        "default route elsewhere",
        edit("routes", lambda r: next(x for x in r if x["dst"] == "default").update(gateway="10.100.196.9")),
        {"default-route: node1"},
    ),
    (
        "default route behind another",
        edit("routes", lambda r: r.insert(0, {"dst": "default", "gateway": "10.100.196.9", "dev": "eth0"})),
        {"default-route: node1"},
    ),
    ("no forwarding", _sysctl("net.ipv4.ip_forward", "0\n"), {"ip-forward: node1"}),
    ("bridged unseen", _sysctl("net.bridge.bridge-nf-call-iptables", "0\n"), {"bridge-nf-call-iptables: node1"}),
    ("no module", _sysctl("net.bridge.bridge-nf-call-iptables", None), {"bridge-nf-call-iptables: node1"}),
    ("bridge down", edit("links", lambda x: _bridge(x).update(flags=["BROADCAST"])), {"bridge: node1"}),
    ("bridge MTU", edit("links", lambda x: _bridge(x).update(mtu=1400)), {"bridge: node1"}),
    ("bridge gone", edit("links", lambda x: x.remove(_bridge(x))), {"bridge: node1"}),
    ("bridge's address", replace("links", '"local":"10.25.2.1"', '"local":"10.25.2.9"'), {"bridge: node1"}),
    ("conf before", _conf("05-other.conf", "{}"), {"cni-conf: node1"}),
    ("our own of another kind", _conf("10-mynet.conf", "{}"), {"cni-conf: node1"}),
    ("same network", _conf("99-other.conf", '{"name": "mynet"}'), {"cni-conf: node1"}),
    ("conf changed", _reconf, {"cni-conf: node1"}),
    ("conf gone", lambda each: each["folders"]["confs"].clear(), {"cni-conf: node1"}),
    ("masquerade gone", _without_table, {"masquerade: node1"}),
    ("peer masqueraded", replace(TABLE, '"10.100.196.202"', '"10.100.196.203"'), {"masquerade: node1"}),
    ("pods masqueraded by our own", replace(TABLE, '"10.25.0.0"', '"10.26.0.0"'), {"masquerade: node1"}),
    ("another hook", replace(TABLE, '"postrouting", "prio": 110', '"input", "prio": 110'), {"masquerade: node1"}),
    ("rules in a chain of their own", edit(TABLE, lambda x: x["nftables"].append(CHAIN)), {"masquerade: node1"}),
    ("a rule twice", edit(TABLE, lambda x: x["nftables"].append(x["nftables"][-1])), {"masquerade: node1"}),
    ("reset instead of unreachable", replace(TABLE, '"icmp"', '"tcp reset"'), {"masquerade: node1"}),
    ("only some ports", replace(TABLE, '{"masquerade": null}', '{"masquerade": {"port": 7}}'), {"masquerade: node1"}),
    ("a table of the other family", _with_other_table, {"masquerade: node1"}),
    (
        "pods masqueraded by our own, in the whole",
        replace("nft", '{"prefix": {"addr": "10.25.0.0", "len": 16}}', '{"prefix": {"addr": "10.26.0.0", "len": 16}}'),
        {"no-nat-no-drop: node1"},
    ),
    *(
        (line, rule(line), {"no-nat-no-drop: node1"})
        for line in (
            "-A POSTROUTING -j MASQUERADE",
            "-A POSTROUTING -s 10.25.2.0/24 -j MASQUERADE",
            "-A POSTROUTING -s 10.25.2.2/32 -j MASQUERADE",
            "-A POSTROUTING -s 10.25.2.0/24 ! -d 10.25.2.0/24 -j MASQUERADE",
            "-A POSTROUTING -s 10.0.0.0/8 ! -o cni0 -j MASQUERADE",
            "-A POSTROUTING -d 10.25.3.7/32 -p tcp -m tcp --dport 80 -j SNAT --to-source 10.100.196.201",
            "-A PREROUTING -s 10.25.0.0/16 -p udp -m udp --dport 53 -j DNAT --to-destination 10.9.9.9",
            "-A PREROUTING -i cni0 -j MARK --set-xmark 0x4000/0x4000",
            CNI_CHAIN,
            "-A FORWARD -j DROP",
            "-A FORWARD -p tcp -j ACCEPT\n-A FORWARD -j DROP",
            "-A FORWARD -s 10.25.1.0/25 -j ACCEPT\n-A FORWARD -s 10.25.1.0/24 -j DROP",
            "-A FORWARD -i cni0 -o eth0 -j REJECT --reject-with icmp-port-unreachable",
            "-A FORWARD -s 10.25.1.0/24 -m conntrack --ctstate NEW -j DROP",
            "-A FORWARD -m set --match-set blocked src -j DROP",
            "-A FORWARD ! -i cni0 -o cni0 -g KUBE-TRAP\n:KUBE-TRAP - [0:0]\n-A KUBE-TRAP -j DROP",
        )
    ),
    ("policy", replace("iptables-nft", ":FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:KUBE-EXT",
                       ":FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n:KUBE-EXT"), {"no-nat-no-drop: node1"}),
    ("nft policy", _nft(*_chain("filter", "forward", "drop")), {"no-nat-no-drop: node1"}),
    ("nft masquerade", _nft(*_chain("nat", "postrouting"), _nft_rule({"masquerade": None})), {"no-nat-no-drop: node1"}),
    (
        "nft of a bridge",
        _nft(
            *_chain("filter", "forward", family="bridge"),
            _nft_rule(_match("saddr", PODS), {"drop": None}, family="bridge"),
        ),
        {"no-nat-no-drop: node1"},
    ),
    (
        "nft of a bridge's port",
        _nft(
            *_chain("filter", "forward", family="bridge"),
            _nft_rule({"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "veth*"}},
                      {"drop": None}, family="bridge"),
        ),
        {"no-nat-no-drop: node1"},
    ),
    (
        "nft marks for kube-proxy, whose rules were read before",
        _nft(
            *_chain("filter", "prerouting"),
            _nft_rule({"mangle": {"key": {"meta": {"key": "mark"}}, "value": 0x4000}}),
        ),
        {"no-nat-no-drop: node1"},
    ),
    (
        "nft rewriting",
        _nft(
            *_chain("filter", "forward"),
            _nft_rule({"mangle": {"key": {"payload": {"protocol": "ip", "field": "saddr"}}, "value": "10.9.9.9"}}),
        ),
        {"no-nat-no-drop: node1"},
    ),
    ("nft unread", _nft(*_chain("filter", "forward"), _nft_rule({"vmap": {}})), {"no-nat-no-drop: node1"}),
]  # fmt: skip


@pytest.mark.parametrize(("damage", "expected"), [each[1:] for each in NODE1], ids=[each[0] for each in NODE1])
def test_a_fault_of_a_node_fails_its_own_checks(damage: Damage, expected: set[str]) -> None:
    assert failed(facts({"node1": damage})) == expected


def test_another_route_beside_the_plan_s_is_seen() -> None:
    beside = edit("routes", lambda r: r.append({**_to_node2(r), "gateway": "10.100.196.9", "protocol": "static"}))
    assert "route: node1 -> node2" in failed(facts({"node1": beside}))


FORGOTTEN = replace(TABLE, ', "10.100.196.202"', "")
"""The masquerade once the node has gone."""


def _without_node2() -> Any:
    values: dict[str, Any] = config.dump(PLAN.cluster)
    nodes = [node for node in values["nodes"] if node["name"] != "node2"]
    return plan(config.load("bench", {**values, "nodes": nodes}))


def test_what_leads_to_a_node_that_is_being_taken_away_is_no_fault() -> None:
    """An up proves the network first, and then takes the node away; until then the API server knows it."""
    assert failed(facts(), _without_node2()) == set()
    assert failed(facts(dict.fromkeys(("master", "node1"), FORGOTTEN)), _without_node2()) == set()


def test_a_node_that_has_the_address_of_one_that_is_being_taken_away_is_spared_all_the_same() -> None:
    """A node with another name: the Node with the old one is there until the new one is proved."""
    renamed = facts(kubernetes_damage=lambda x: x["nodes"]["items"].append(_called(_status(x, "node2"), "old")))
    assert failed(renamed) == set()


def _called(node: dict[str, Any], name: str) -> dict[str, Any]:
    return {**node, "metadata": {**node["metadata"], "name": name}}


def test_what_leads_to_a_node_that_was_taken_away_is_one() -> None:
    gone = facts(kubernetes_damage=lambda x: x["nodes"]["items"].remove(_status(x, "node2")))
    expected = {f"{check}: {node}" for check in ("no-other-route", "masquerade") for node in ("master", "node1")}
    assert failed(gone, _without_node2()) == expected


def test_another_way_to_a_node_that_is_being_taken_away_is_one() -> None:
    elsewhere = edit("routes", lambda r: _to_node2(r).update(gateway="10.100.196.9"))
    assert failed(facts({"node1": elsewhere}), _without_node2()) == {"no-other-route: node1"}


def test_the_conf_that_containerd_loads_is_named() -> None:
    results = node_state.check(PLAN, facts({"node1": _conf("05-other.conf", "{}")}))
    (result,) = [result for result in results if not result.passed]
    assert result.seen == "05-other.conf before 10-mynet.conflist"
    assert "containerd loads 05-other.conf and never 10-mynet.conflist" in result.hint


HARMLESS = [
    rule("-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE"),
    rule("-A POSTROUTING ! -d 10.25.0.0/16 -j MASQUERADE"),
    rule("-A POSTROUTING -s 10.25.2.5/32 -d 10.25.2.5/32 -j MASQUERADE"),
    rule("-A POSTROUTING -d 10.25.2.1/32 -j MASQUERADE"),
    rule("-A POSTROUTING -o docker0 -j MASQUERADE"),
    rule("-A POSTROUTING -m mark --mark 0x2000/0x2000 -j MASQUERADE"),
    rule("-A POSTROUTING -m addrtype --dst-type LOCAL -j MASQUERADE"),
    rule("-A PREROUTING -m addrtype --dst-type LOCAL -j DNAT --to-destination 10.25.2.2:80"),
    rule("-A FORWARD -s 10.25.0.0/16 -d 10.25.0.0/16 -j ACCEPT\n-A FORWARD -j DROP"),
    rule("-A FORWARD -i cni0 -j ACCEPT\n-A FORWARD -o cni0 -j ACCEPT\n-A FORWARD -j DROP"),
    rule("-A FORWARD -m conntrack --ctstate INVALID -j DROP"),
    rule("-A FORWARD -m conntrack --ctstate ESTABLISHED -j DROP"),  # kube-proxy's rule before it accepts these
    rule("-A PREROUTING -j MARK --set-xmark 0x1/0x1"),
    rule('-A FORWARD -j LOG --log-prefix "a \\"b\\" "'),
    _with_route({"dst": "10.0.0.0/8", "gateway": "10.100.196.1", "dev": "eth0"}),
    _with_route({"dst": "10.24.0.0/15", "type": "blackhole", "protocol": "static"}),
    _with_route({"dst": "default", "gateway": "10.100.196.9", "dev": "eth0", "metric": 100}),
    _with_route({"dst": "192.0.2.0/24", "gateway": "10.100.196.1", "dev": "eth0"}),
    _conf("99-other.conf", '{"name": "other"}'),
    _conf("05-notes.txt", "not a conf"),
    _nft(*_chain("filter", "input", "drop")),
    _nft(*_chain("nat", "postrouting"), _nft_rule(_match("daddr", PODS, "!="), {"masquerade": None})),
    _nft(*_chain("filter", "forward", family="ip6"), _nft_rule({"drop": None}, family="ip6")),
]


@pytest.mark.parametrize("damage", HARMLESS, ids=range(len(HARMLESS)))
def test_what_meets_no_pod_is_no_fault(damage: Damage) -> None:
    assert failed(facts({"node1": damage})) == set()


def _probe_of(listed: dict[str, Any], node: str) -> dict[str, Any]:
    items: list[dict[str, Any]] = listed["pods"]["items"]
    return next(x for x in items if x["spec"]["nodeName"] == node and not x["spec"].get("hostNetwork"))


def _status(listed: dict[str, Any], node: str) -> dict[str, Any]:
    return next(item for item in listed["nodes"]["items"] if item["metadata"]["name"] == node)


KUBERNETES: list[tuple[str, Damage, set[str]]] = [
    ("another InternalIP", lambda x: _status(x, "node1")["status"]["addresses"][0].update(address="10.0.2.15"),
     {"internal-ip: node1"}),
    ("another podCIDR", lambda x: _status(x, "node2")["spec"].update(podCIDR="10.25.2.0/24"), {"pod-cidr: node2"}),
    ("no podCIDR", lambda x: _status(x, "node2")["spec"].clear(), {"pod-cidr: node2"}),
    ("no Node", lambda x: x["nodes"]["items"].remove(_status(x, "node2")), {"internal-ip: node2", "pod-cidr: node2"}),
    ("pod elsewhere", lambda x: _probe_of(x, "node1")["status"].update(podIP="10.25.3.77"), {"pod-addresses: node1"}),
    ("pod nowhere", lambda x: _probe_of(x, "node1")["status"].update(podIP="fd00::1"), {"pod-addresses: node1"}),
    ("address twice", lambda x: x["pods"]["items"].append(_probe_of(x, "node1")), {"pod-addresses: node1"}),
]  # fmt: skip


@pytest.mark.parametrize(("damage", "expected"), [x[1:] for x in KUBERNETES], ids=[x[0] for x in KUBERNETES])
def test_a_fault_at_the_api_server_fails_its_own_checks(damage: Damage, expected: set[str]) -> None:
    assert failed(facts(kubernetes_damage=damage)) == expected


NEEDS = {
    "routes": {"route: node1 -> master", "route: node1 -> node2", "no-other-route: node1", "default-route: node1"},
    "links": {"bridge: node1"},
    "nft": {"no-nat-no-drop: node1"},
    "nft-words": {"no-nat-no-drop: node1"},
    "masquerade-ip": {"masquerade: node1"},
    "masquerade-ip6": {"masquerade: node1"},
    "iptables-nft": {"no-nat-no-drop: node1"},
    "iptables-legacy": set(),  # there are no tables of that kind
    "service": set(),  # for hints only
}


@settings(max_examples=25)
@given(st.sets(st.sampled_from(sorted(NEEDS))), st.sampled_from(["broken", "cut", "absent"]))
def test_no_check_passes_without_what_it_looks_at(missing: set[str], way: str) -> None:
    def harm(each: dict[str, Any]) -> None:
        for name in missing:
            program = each["programs"][name]
            if way == "broken":
                each["programs"][name] = {"status": 1, "output": "", "errors": "x: no\n"}
            elif way == "cut" and name not in ("nft-words", "service", "masquerade-ip6"):
                program["output"] = program["output"][: len(program["output"]) // 2]
            else:
                del each["programs"][name]

    assert failed(facts({"node1": harm})) == set().union(*(NEEDS[name] for name in missing))


def test_without_any_answer_nothing_of_the_node_holds() -> None:
    seen = facts()
    seen = Facts({name: node for name, node in seen.nodes.items() if name != "node1"}, seen.kubernetes, seen.pods)
    of_node1 = {result.id for result in node_state.check(PLAN, seen) if result.source.name == "node1"}
    known_elsewhere = {"internal-ip: node1", "pod-cidr: node1", "pod-addresses: node1"}
    assert failed(seen) == {identity.removeprefix("node-state/") for identity in of_node1} - known_elsewhere
    assert {r.id for r in node_state.check(PLAN, Facts({}, {}, ())) if r.passed} == set()


def test_rules_made_the_legacy_way_are_seen() -> None:
    def harm(each: dict[str, Any]) -> None:
        each["files"]["legacy-tables"] = "filter\n"
        each["programs"]["iptables-legacy"]["output"] = "*filter\n:FORWARD DROP [0:0]\nCOMMIT\n"

    assert failed(facts({"node1": harm})) == {"no-nat-no-drop: node1"}


def test_every_program_that_is_asked_for_is_in_the_captured_answer() -> None:
    assert set(captured.answer("node1")["programs"]) == set(WANTED["programs"]) == set(NEEDS)
