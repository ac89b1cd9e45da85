"""Whatever routes a node has: what the check names, what a refresh says and what a repair removes are the same ones."""

from __future__ import annotations

import ipaddress
import json
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st

from podnet.observe import drift
from podnet.parse.iproute import KernelRoute
from podnet.verify import coherence
from podnet.verify.coherence import route_text
from podnet.verify.facts import Facts, NodeFacts, read
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


def is_stray(route: KernelRoute, before: list[KernelRoute]) -> bool:
    """Tell by the standard library, and by rule: marked and not planned, or to pods and neither planned nor its own."""
    plain = (route.protocol, route.metric, route.tos) == ("201", None, None)
    plain = plain and "nexthop" not in route.selector and "nhid" not in route.selector and route.kind == "unicast"
    if plain and (str(route.destination), str(route.gateway)) in PLANNED:
        return any(str(one.destination) == str(route.destination) and not is_stray(one, []) for one in before)
    if route.protocol == "201":
        return True
    own = (str(route.destination), route.device, route.gateway) == ("10.25.2.0/24", "cni0", None)
    return ipaddress.IPv4Network(str(route.destination)).subnet_of(PODS) and not own


@given(ROUTES)
def test_what_is_named_is_removed_and_nothing_else(routes: list[dict[str, Any]]) -> None:
    facts = facts_with(routes)
    assert facts.routes is not None
    expected = [one for number, one in enumerate(facts.routes) if is_stray(one, list(facts.routes[:number]))]
    event(f"{len(expected)} strays")

    (check,) = [
        result
        for result in coherence.check(PLAN, Facts({"node1": facts}, {}, ()))
        if result.id == "node-state/no-other-route: node1"
    ]
    assert check.passed is (not expected)
    assert check.seen == (", ".join(map(route_text, expected)) or "none")

    said = [line for line in drift.compare(PLAN, "node1", facts).drift if line.startswith("no-other-route")]
    assert said == ([f"no-other-route: {check.seen}; expected none but the plan's 2"] if expected else [])

    (tidy,) = [one for one in drift.repairs(PLAN, NODE, facts) if " tidy " in one.create]
    assert tidy.stdin is not None
    assert tidy.stdin.splitlines() == list(dict.fromkeys(one.selector for one in expected))


@given(ROUTES)
def test_a_route_to_more_than_pods_is_left_to_whoever_made_it(routes: list[dict[str, Any]]) -> None:
    facts = facts_with([{key: value for key, value in each.items() if key != "protocol"} for each in routes])
    for route in coherence.strays(PLAN, NODE, Facts({"node1": facts}, {}, ())):
        assert ipaddress.IPv4Network(str(route.destination)).subnet_of(PODS)
