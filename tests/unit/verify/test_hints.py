"""What is said of a probe that failed: the thing that is wrong, on the node where it is, there and on the way back."""

from __future__ import annotations

from typing import Any

import pytest

from podnet.verify.check import Check, Endpoint, EndpointKind, Locality, PathKind, Scenario
from podnet.verify.facts import Facts
from podnet.verify.hints import hint
from podnet.verify.report import Observation, judge
from tests.conftest import Golden

from .captured import NODES, PLAN, Damage, edit, facts, replace, rule, the_plan

A1 = Endpoint(EndpointKind.POD, "node1/a", "node1", "10.25.2.12")
B1 = Endpoint(EndpointKind.POD, "node1/b", "node1", "10.25.2.13")
B2 = Endpoint(EndpointKind.POD, "node2/b", "node2", "10.25.3.13")
NODE1 = Endpoint(EndpointKind.NODE, "node1", "node1", "10.100.196.201")
NODE2 = Endpoint(EndpointKind.NODE, "node2", "node2", "10.100.196.202")
OUTSIDE = Endpoint(EndpointKind.OUTSIDE, "outside", "", "10.100.196.1")
ITSELF = Endpoint(EndpointKind.SERVICE, "service node1-a", "node1", "10.98.1.1")
SERVICE = Endpoint(EndpointKind.SERVICE, "service node2-b", "node2", "10.98.1.2")
NAME = Endpoint(EndpointKind.NAME, "a.svc.cluster.local", "", "")

THERE = Check(Scenario(PathKind.POD_TO_POD, Locality.OTHER_NODE), "tcp", A1, B2, {}, ("10.25.2.12",))
HAIRPIN = Check(Scenario(PathKind.HAIRPIN), "tcp", A1, ITSELF, {}, ("10.25.2.1",))
TO_SERVICE = Check(Scenario(PathKind.POD_TO_SERVICE, Locality.OTHER_NODE), "tcp", A1, SERVICE, {}, ("10.25.2.12",))
TO_OUTSIDE = Check(Scenario(PathKind.EGRESS), "tcp", A1, OUTSIDE, {}, ("10.100.196.201",))
TO_NODE = Check(Scenario(PathKind.POD_TO_NODE, Locality.OTHER_NODE), "tcp", A1, NODE2, {}, ("10.25.2.12",))
TO_OWN_NODE = Check(Scenario(PathKind.POD_TO_NODE, Locality.SAME_NODE), "tcp", A1, NODE1, {}, ("10.25.2.12",))
FROM_NODE = Check(Scenario(PathKind.NODE_TO_POD, Locality.OTHER_NODE), "icmp", NODE1, B2, {}, ("10.100.196.201",))
SIZE = Check(Scenario(PathKind.MTU), "icmp", A1, B2, {}, ("10.25.2.12",))
DNS = Check(Scenario(PathKind.DNS), "dns", A1, NAME, {}, ("x",))
SAME = Check(Scenario(PathKind.POD_TO_POD, Locality.SAME_NODE), "tcp", A1, B1, {}, ("10.25.2.12",))


def without(destination: str) -> Damage:
    return edit("routes", lambda routes: [route for route in routes if route["dst"] != destination])


def _stopped(each: dict[str, Any]) -> None:
    each["programs"]["service"]["output"] = "inactive\n"


def _no_hairpin(each: dict[str, Any]) -> None:
    replace("links", '"hairpin":true', '"hairpin":false')(each)


def _uplink(links: list[dict[str, Any]]) -> None:
    next(link for link in links if link.get("ifname") == "eth0").update(mtu=1400)


def _both(*damages: Damage) -> Damage:
    return lambda each: [damage(each) for damage in damages]


BLACKHOLE = {"type": "blackhole", "dst": "10.25.3.0/25", "flags": []}

CASES: list[tuple[str, Check, dict[str, Damage]]] = [
    ("route gone", THERE, {"node1": without("10.25.3.0/24")}),
    ("route gone and the service stopped", THERE, {"node1": _both(without("10.25.3.0/24"), _stopped)}),
    ("the way back gone", THERE, {"node2": without("10.25.2.0/24")}),
    ("route gone, from a node", FROM_NODE, {"node1": without("10.25.3.0/24")}),
    ("route gone, to a Service", TO_SERVICE, {"node1": without("10.25.3.0/24")}),
    ("the way back gone, to a node", TO_NODE, {"node2": without("10.25.2.0/24")}),
    ("a route gone that it does not take, to a node", TO_NODE, {"node1": without("10.25.3.0/24")}),
    ("a rule for what is forwarded, which it is not", TO_OWN_NODE, {"node1": rule("-A FORWARD -i cni0 -j DROP")}),
    ("another route in the way", THERE, {"node1": edit("routes", lambda routes: routes.append(BLACKHOLE))}),
    ("masqueraded at the source", THERE, {"node1": rule("-A POSTROUTING -s 10.25.2.0/24 -o eth0 -j MASQUERADE")}),
    ("masqueraded at the source, to a node", TO_NODE, {"node1": rule("-A POSTROUTING -s 10.25.2.0/24 -j MASQUERADE")}),
    ("dropped at the destination", THERE, {"node2": rule("-A FORWARD -d 10.25.3.0/24 -j DROP")}),
    ("answers dropped at the source", THERE, {"node1": rule("-A FORWARD -i eth0 -o cni0 -p tcp -j DROP")}),
    ("dropped on the node", SAME, {"node1": rule("-A FORWARD -i cni0 -o cni0 -j DROP")}),
    ("another pod dropped", THERE, {"node2": rule("-A FORWARD -d 10.25.3.77/32 -j DROP")}),
    ("dropped to the outside", TO_OUTSIDE, {"node1": rule("-A FORWARD -d 10.100.196.1/32 -j REJECT")}),
    ("no forwarding", THERE, {"node2": lambda each: each["files"].update({"net.ipv4.ip_forward": "0\n"})}),
    ("no hairpin", HAIRPIN, {"node1": _no_hairpin}),
    ("no masquerade", TO_OUTSIDE, {"node1": edit("nft", lambda _: {"nftables": []})}),
    ("no way out", TO_OUTSIDE, {"node1": edit("routes", lambda _: [])}),
    ("a small uplink", SIZE, {"node2": edit("links", _uplink)}),
    ("no bridge", THERE, {"node2": edit("links", lambda x: [link for link in x if link.get("ifname") != "cni0"])}),
    ("no DNS", DNS, {}),
    ("nothing to be seen", THERE, {}),
    ("routes unseen", THERE, {"node1": lambda each: each["programs"]["routes"].update(status=1, errors="x: no\n")}),
]  # fmt: skip


def say(check: Check, seen: Facts) -> str:
    return hint(check, judge(check, Observation(reached=False, error="timed out")), PLAN, seen)


def test_what_is_said(golden: Golden) -> None:
    lines = [f"{name}: {check.id}\n    {say(check, facts(damage))}\n" for name, check, damage in CASES]
    golden("verify/hints.txt", "\n".join(lines))


def test_the_literal_conf_is_named() -> None:
    plan = the_plan(ipMasq=True, portmap=False)
    remark = '-m comment --comment "name: \\"mynet\\" id: \\"1\\""'
    masquerades = rule(f"-A POSTROUTING -s 10.25.0.0/16 {remark} -j MASQUERADE")
    seen = facts({"node1": masquerades, "node2": masquerades})
    said = hint(THERE, judge(THERE, Observation(reached=True, source="10.100.196.201")), plan, seen)
    shown = "-A POSTROUTING -s 10.25.0.0/16 -j MASQUERADE (iptables-nft, table nat) (ipMasq is true in 10-mynet.conf)"
    # The packet meets such a rule on both nodes; what tells the container is left out.
    assert said == f"node1 masquerades pods: {shown}; node2 masquerades pods: {shown}"


def test_nothing_is_said_of_what_holds() -> None:
    held = judge(THERE, Observation(reached=True, source="10.25.2.12"))
    assert hint(THERE, held, PLAN, facts({"node1": without("10.25.3.0/24")})) == ""


@pytest.mark.parametrize("check", [THERE, HAIRPIN, TO_OUTSIDE, DNS, FROM_NODE])
def test_something_is_said_where_nothing_was_seen(check: Check) -> None:
    said = say(check, Facts({}, {}, ()))
    assert "node1: facts could not be seen (it gave no answer)" in said


def test_every_node_of_the_fixture_is_of_the_plan() -> None:
    assert [each.node.name for each in PLAN.nodes] == list(NODES)


def test_a_node_that_is_on_its_way_out_is_no_defect_of_ours() -> None:
    """The workload may still have a pod on it."""
    web = Endpoint(EndpointKind.POD, "node9/nginx", "node9", "10.25.9.2", "nginx")
    check = Check(Scenario(PathKind.POD_TO_WEB, Locality.OTHER_NODE), "http", A1, web, {"path": "/x"}, ("10.25.2.12",))
    assert "10.25.9.2" in hint(check, judge(check, Observation(reached=False, error="timed out")), PLAN, facts())
