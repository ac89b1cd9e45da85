"""The checks: derived from the plan, their ids, and when they hold."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podnet import config
from podnet.planning import WEB_PODS, ClusterPlan, plan
from podnet.verify import node_state
from podnet.verify.check import Check, Endpoint, EndpointKind, Expectation, Locality, PathKind, Scenario
from podnet.verify.facts import Facts
from podnet.verify.report import Observation, Report, judge, judge_all
from podnet.verify.scenarios import Outside, Placement, Probe, checks, probe_of, tag
from tests.conftest import Golden

DEV = plan(config.from_stack_file(Path(__file__).parents[3] / "Pulumi.dev.yaml"))


def cluster_of(count: int) -> ClusterPlan:
    workers = [{"name": f"node{n}", "role": "worker", "address": f"10.9.0.{200 + n}"} for n in range(1, count)]
    nodes = [{"name": "master", "role": "control-plane", "address": "10.9.0.200"}, *workers]
    values = {"machineNetwork": "10.9.0.0/24", "podSubnet": "10.22.0.0/16", "serviceSubnet": "10.96.0.0/16"}
    return plan(config.load("dev", {**values, "nodes": nodes}))


def _web(node: str, address: str) -> Endpoint:
    return Endpoint(EndpointKind.POD, f"{node}/nginx", node, address, "nginx")


def placed(plan: ClusterPlan) -> Placement:
    """Give a placement as it would be: the probes' addresses are the subnet's next ones."""

    def probe(number: int, name: str, letter: str) -> Probe:
        subnet = plan.of(name).node.pod_subnet
        address = str(subnet[4 + "ab".index(letter)])
        service = 2 * number + "ab".index(letter)
        end = Endpoint(EndpointKind.POD, f"{name}/{letter}", name, address, f"{name}-{letter}")
        return Probe(end, f"{name}-{letter}", f"10.96.1.{service}", 30000 + service)

    names = [each.node.name for each in plan.nodes]
    web = [_web(name, str(plan.of(name).node.pod_subnet[2])) for name in names[1:3]]
    outside = Endpoint(EndpointKind.OUTSIDE, "outside", "", str(plan.cluster.outside))
    return Placement(
        probes={name: (probe(number, name, "a"), probe(number, name, "b")) for number, name in enumerate(names)},
        node_ports=dict.fromkeys(names, 40000),
        web=tuple(web),
        outside=dict.fromkeys(names, Outside(outside, 7411)),
        namespace="podnet-verify-1",
    )


def test_the_ids_of_the_dev_stack(golden: Golden) -> None:
    lines = [f"{check.id} = {check.expected}" for check in checks(DEV, placed(DEV))]
    lines += [f"{result.id} = {result.expected}" for result in node_state.check(DEV, Facts({}, {}, ()))]
    golden("verify/checks.txt", "\n".join(lines) + "\n")


@pytest.mark.parametrize("count", [2, 3, 5, 12])
def test_every_ordered_pair_is_checked(count: int) -> None:
    plan = cluster_of(count)
    found = checks(plan, placed(plan))
    assert len({check.id for check in found}) == len(found)
    kinds = Counter(f"{check.scenario}/{check.action}" for check in found)
    for action in ("icmp", "tcp", "udp"):
        for what in ("pod-to-pod", "node-to-pod", "pod-to-node"):
            assert kinds[f"{what}-same-node/{action}"] == count
            assert kinds[f"{what}-other-node/{action}"] == count * (count - 1)
    assert kinds["pod-to-service-same-node/tcp"] == kinds["hairpin-by-service/tcp"] == count
    assert kinds["pod-to-dns/dns"] == kinds["pod-to-outside/tcp"] == count
    assert kinds["pod-to-service-other-node/tcp"] == count * (count - 1)
    assert kinds["node-to-node-port/tcp"] == kinds["bulk-10-mb/tcp"] == count**2
    assert kinds["packet-of-mtu/icmp"] == kinds["packet-of-mtu-plus-1/icmp"] == count**2
    pairs = {
        (check.source.node, check.destination.node) for check in found if check.scenario.path is PathKind.POD_TO_POD
    }
    assert len(pairs) == count**2


GONE = "the gateway is gone"


@pytest.mark.parametrize("reachable", [True, False])
@pytest.mark.parametrize("pods", range(WEB_PODS + 1))
@pytest.mark.parametrize("count", [2, 3, 5, 10])
def test_the_number_of_checks_is_the_plan_s_whatever_is_there(count: int, pods: int, reachable: bool) -> None:
    plan = cluster_of(count)
    whole = placed(plan)
    web = [_web(each.node.name, "10.22.9.9") for each in plan.nodes][-pods or count :]
    beyond = {
        name: replace(each, untried="" if number or reachable else GONE)
        for number, (name, each) in enumerate(whole.outside.items())
    }
    found = checks(plan, replace(whole, web=tuple(web), outside=beyond))
    assert len({check.id for check in found}) == len(found)
    assert len(found) + len(node_state.check(plan, Facts({}, {}, ()))) == 15 * count**2 + 17 * count
    without = Counter((str(check.scenario), check.untried) for check in found if check.untried)
    missing = WEB_PODS - pods
    due = {(f"{kind}-to-web", f"nginx has {pods} of 2 pods"): missing * count for kind in ("pod", "node") if missing}
    assert without == due | ({} if reachable else {("pod-to-outside", GONE): 1})


def test_the_dev_stack_has_186_checks() -> None:
    assert len(checks(DEV, placed(DEV))) + len(node_state.check(DEV, Facts({}, {}, ()))) == 186


def test_what_was_not_tried_proves_nothing() -> None:
    whole = placed(DEV)
    gone = {name: replace(each, untried=GONE) for name, each in whole.outside.items()}
    every = checks(DEV, replace(whole, outside=gone))
    right = {
        check.id: Observation(True, source="".join(check.sources[:1]))
        if check.expectation is Expectation.REACHED
        else Observation(False, too_big=True)
        for check in every
    }
    # Even where something is seen under its id: it was not made.
    report = Report(tuple(judge_all(every, right)), (), (), 1.0)
    assert (report.failed, report.proved) == ((), False)
    assert report.verdict == f"not proved: 3 of {len(every)} checks were not tried (pod-to-outside: {GONE})"
    assert {(result.seen, result.untried) for result in report.untried} == {("not tried", GONE)}
    made = checks(DEV, replace(whole, web=()))
    right = {id_: each for id_, each in right.items() if "web" not in id_ and "outside" not in id_}
    report = Report(tuple(judge_all(made, right)), (), (), 1.0)
    why = "(pod-to-web, node-to-web: nginx has 0 of 2 pods)"
    assert report.verdict == f"failed: 3 of {len(made)} checks do not hold, 12 were not tried {why}"


def test_the_outside_sees_a_pod_as_it_sees_its_node() -> None:
    whole = placed(DEV)
    elsewhere = replace(whole.outside["node1"], seen="192.0.2.9")
    found = checks(DEV, replace(whole, outside={**whole.outside, "node1": elsewhere}))
    sources = {check.source.node: check.sources for check in found if check.scenario.path is PathKind.EGRESS}
    assert sources == {"master": ("10.100.198.200",), "node1": ("192.0.2.9",), "node2": ("10.100.198.202",)}


def test_a_ping_carries_a_tag_of_its_own() -> None:
    placement = placed(DEV)
    pings = [check for check in checks(DEV, placement) if check.action == "icmp"]
    assert len({tag(check, placement) for check in pings}) == len(pings)
    assert all(len(tag(check, placement)) == 32 for check in pings)
    assert probe_of(pings[0], placement)["pattern"] == tag(pings[0], placement)


def test_a_packet_that_must_not_fit_is_one_byte_longer_and_tried_once() -> None:
    sizes = {
        (str(check.scenario), check.expectation, check.parameters["size"], check.parameters.get("must_fail"))
        for check in checks(DEV, placed(DEV))
        if "size" in check.parameters
    }
    assert sizes == {
        ("packet-of-mtu", Expectation.REACHED, 1500, None),
        ("packet-of-mtu-plus-1", Expectation.TOO_BIG, 1501, True),
    }


ENDS = (
    Endpoint(EndpointKind.POD, "node1/a", "node1", "10.22.2.4"),
    Endpoint(EndpointKind.POD, "node2/b", "node2", "10.22.3.5"),
)
OTHER = Scenario(PathKind.POD_TO_POD, Locality.OTHER_NODE)
TCP = Check(OTHER, "tcp", *ENDS, {}, sources=("10.22.2.4",))
TOO_BIG = Check(Scenario(PathKind.OVER_MTU), "icmp", *ENDS, {}, expectation=Expectation.TOO_BIG)
ANY = Check(Scenario(PathKind.NODE_PORT), "tcp", *ENDS, {})


def test_the_id_reads_as_everywhere() -> None:
    assert TCP.id == "pod-to-pod-other-node/tcp: node1/a (10.22.2.4) -> node2/b (10.22.3.5)"


@pytest.mark.parametrize(
    ("check", "seen", "text", "passed"),
    [
        (TCP, None, "nothing: the probe did not answer", False),
        (TCP, Observation(reached=True, source="10.22.2.4"), "10.22.2.4", True),
        (TCP, Observation(reached=True, source="10.100.198.201"), "10.100.198.201", False),
        (TCP, Observation(reached=True), "reached, but the other end did not see from where", False),
        (TCP, Observation(reached=False, error="timed out"), "not reached: timed out", False),
        (ANY, Observation(reached=True), "reached", True),
        (ANY, Observation(reached=False, error="x"), "not reached: x", False),
        (TOO_BIG, None, "nothing: the probe did not answer", False),
        (TOO_BIG, Observation(reached=True), "reached", False),
        (TOO_BIG, Observation(reached=False, error="no echo"), "failed: no echo", False),
        (TOO_BIG, Observation(reached=False, too_big=True, error="too long"), "refused: too long", True),
    ],
)
def test_a_check_is_judged(check: Check, seen: Observation | None, text: str, passed: bool) -> None:
    result = judge(check, seen)
    assert (result.seen, result.passed) == (text, passed)


OBSERVATIONS = st.builds(
    Observation,
    reached=st.booleans(),
    too_big=st.booleans(),
    source=st.sampled_from(["", "10.22.2.4", "10.100.198.201"]),
    error=st.sampled_from(["", "timed out"]),
)


@given(st.lists(st.one_of(st.none(), OBSERVATIONS), min_size=3, max_size=3))
def test_no_check_passes_without_the_observation_that_it_asks_for(seen: list[Observation | None]) -> None:
    every = [TCP, TOO_BIG, ANY]
    found = {check.id: each for check, each in zip(every, seen, strict=True) if each is not None}
    for check, result in zip(every, judge_all(every, found), strict=True):
        each = found.get(check.id)
        if check is TOO_BIG:
            right = each is not None and not each.reached and each.too_big
        else:
            right = each is not None and each.reached and (not check.sources or each.source in check.sources)
        assert result.passed == right
