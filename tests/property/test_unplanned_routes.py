"""Whatever routes a node has: what the check names, what a refresh says and what a repair removes are the same ones."""

from __future__ import annotations

import ipaddress
import json
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st

from podnet.node import reconcile
from podnet.node.check import Check
from podnet.node.iproute import KernelRoute
from podnet.node.routes import unplanned
from podnet.observe import drift
from podnet.verify.facts import NodeFacts, read
from tests.unit.verify.captured import PLAN, answer

NODE = PLAN.of("node1")
PODS = ipaddress.IPv4Network("10.25.0.0/16")
PLANNED = {("10.25.1.0/24", "10.100.196.200"), ("10.25.3.0/24", "10.100.196.202")}


@st.composite
def destinations(draw: st.DrawFn) -> str:
    """Give a destination that is likely to have to do with the pods' range 10.25.0.0/16."""
    prefix = draw(st.integers(0, 32))
    number = draw(st.integers(0, 2**32 - 1) | st.integers(int(PODS[0]), int(PODS[-1])))
    network = ipaddress.IPv4Network((number, prefix), strict=False)
    return "default" if prefix == 0 else str(network.network_address) if prefix == 32 else str(network)


HOPS = st.fixed_dictionaries(
    {"dev": st.sampled_from(["eth0", "cni0"])},
    optional={"gateway": st.sampled_from(["10.100.196.1", "10.100.196.200", "10.100.196.202", "10.25.2.9"])},
)
OTHERS = st.fixed_dictionaries(
    {
        "dst": destinations()
        | st.sampled_from(["10.25.0.0/16", "10.24.0.0/15", "10.25.2.0/24", *(dst for dst, _ in PLANNED)])
    },
    optional={
        "protocol": st.sampled_from(["201", "static", "kernel", "bird"]),
        "metric": st.integers(1, 2**32 - 1),
        "tos": st.sampled_from(["0x10", "lowdelay"]),
        "nhid": st.integers(1, 9),
    },
)
ROUTES = st.lists(
    st.builds(lambda one, hop: one | hop, OTHERS, HOPS)
    | st.builds(lambda one, hops: one | {"nexthops": hops}, OTHERS, st.lists(HOPS, min_size=2, max_size=3))
    | st.builds(lambda one, kind: one | {"type": kind}, OTHERS, st.sampled_from(["blackhole", "unreachable", "throw"])),
    max_size=6,
)


def facts_with(routes: list[dict[str, Any]]) -> NodeFacts:
    """Give node1 as it was, with these routes among its own."""
    found = answer("node1")
    program = found["programs"]["routes"]
    program["output"] = json.dumps([*json.loads(program["output"]), *routes])
    return read("node1", found)


def is_unplanned(route: KernelRoute, before: list[KernelRoute]) -> bool:
    """Tell by the standard library, and by rule: marked and not planned, or to pods and neither planned nor its own."""
    plain = (route.protocol, route.metric, route.tos) == ("201", None, None)
    plain = plain and "nexthop" not in route.selector and "nhid" not in route.selector and route.kind == "unicast"
    if plain and (route.destination, route.gateway) in PLANNED:
        return any(one.destination == route.destination and not is_unplanned(one, []) for one in before)
    if route.protocol == "201":
        return True
    own = (route.destination, route.device, route.gateway) == ("10.25.2.0/24", "cni0", None)
    return ipaddress.IPv4Network(route.destination).subnet_of(PODS) and not own


def look(routes: list[dict[str, Any]]) -> tuple[list[KernelRoute], Check]:
    """Give a node's routes, and its check that there are no others."""
    facts = facts_with(routes)
    assert facts.routes is not None
    (check,) = [one for one in reconcile.checks(NODE.spec, facts.system) if one.name == "no-other-route"]
    return list(facts.routes), check


@given(ROUTES)
def test_what_is_named_is_removed_and_nothing_else(routes: list[dict[str, Any]]) -> None:
    found, check = look(routes)
    expected = [one for number, one in enumerate(found) if is_unplanned(one, found[:number])]
    event(f"{len(expected)} unplanned")
    assert check.seen.holds is (not expected)
    assert check.seen.text == (", ".join(map(str, expected)) or "none")

    said = [line for line in drift.compare(PLAN, "node1", facts_with(routes)).drift if line.startswith("no-other")]
    assert said == ([f"no-other-route: {check.seen.text}; expected none but the plan's 2"] if expected else [])

    commands = [" ".join(repair.command) for repair in check.seen.repairs]
    assert commands == list(dict.fromkeys(f"ip route del {one.selector}" for one in expected))


@given(ROUTES)
def test_the_service_removes_only_what_is_podnet_s_by_its_protocol(routes: list[dict[str, Any]]) -> None:
    found, check = look(routes)
    own = {f"ip route del {one.selector}" for one in found if one.protocol == "201"}
    for repair in check.seen.repairs:
        assert (" ".join(repair.command) in own) is not repair.foreign


@given(ROUTES)
def test_a_route_to_more_than_pods_is_left_to_whoever_made_it(routes: list[dict[str, Any]]) -> None:
    found, _ = look([{key: value for key, value in each.items() if key != "protocol"} for each in routes])
    for route in unplanned(NODE.spec, found):
        assert ipaddress.IPv4Network(route.destination).subnet_of(PODS)
