"""A report in every form, byte by byte."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from junitparser import JUnitXml

from podnet.cli.table import show
from podnet.errors import PodnetError
from podnet.node.spec import Route
from podnet.verify.check import Endpoint, EndpointKind, Locality, PathKind, Scenario
from podnet.verify.check_matrix import CheckCell, check_matrix
from podnet.verify.junit import junit
from podnet.verify.markdown import markdown
from podnet.verify.report import Pod, Report, Result, dump, load
from tests.conftest import Golden


def _end(name: str) -> Endpoint:
    node, slash, pod = name.partition("/")
    return Endpoint(EndpointKind.POD if slash else EndpointKind.NODE, name, node, "", pod)


def _result(
    scenario: Scenario,
    action: str,
    source: str,
    destination: str | Endpoint | None,
    seen: str,
    *,
    passed: bool,
    hint: str = "",
) -> Result:
    end = _end(destination) if isinstance(destination, str) else destination
    return Result(scenario, action, _end(source), end, "10.22.2.4", seen, passed, 1.25, hint)


OTHER, SAME = Scenario(PathKind.POD_TO_POD, Locality.OTHER_NODE), Scenario(PathKind.NODE_TO_POD, Locality.SAME_NODE)
WEB, STATE = Scenario(PathKind.POD_TO_WEB), Scenario(PathKind.NODE_STATE)
OUTSIDE = Endpoint(EndpointKind.OUTSIDE, "outside", "", "10.0.0.5")
NGINX = Endpoint(EndpointKind.POD, "nginx pod 2 of 2", "", "")
RULE = '-A CNI-1 ! -d 224.0.0.0/4 -m comment --comment "name: \\"mynet\\" <x>" -j MASQUERADE'
FAILED = Report(
    results=(
        _result(OTHER, "tcp", "node1/a", "node2/b", "10.100.198.201", passed=False,
                hint=f"node1 masquerades pods: {RULE} (iptables-nft, table nat)"),
        _result(OTHER, "tcp", "node2/a", "node1/b", "10.22.2.4", passed=True),
        _result(SAME, "icmp", "node1", "node1/a", "not reached: \x1b[31mtimed out", passed=False,
                hint="node1: net.ipv4.ip_forward is 0"),
        _result(STATE, "route", "node1", "node2", "10.22.2.4", passed=True),
        _result(STATE, "bridge", "node2", None, "no cni0", passed=False, hint="ip link show cni0 | less"),
    ),
    pods=(
        Pod("default", "nginx-1", "node1", "10.22.2.2", "nginx"),
        Pod("default", "other", "node1", "10.22.2.3"),
        Pod("kube-system", "coredns", "master", "10.22.1.2"),
    ),
    routes=(Route("node1", "", "10.22.3.0/24", "10.100.198.202", "eth0"),),
    seconds=7.1,
)  # fmt: skip
PASSED = replace(FAILED, results=tuple(result for result in FAILED.results if result.passed))
WHY = "node1 does not reach 10.0.0.5:40123 on the machine that runs podnet: timed out (a firewall?)"
UNTRIED = replace(
    PASSED,
    results=(
        *PASSED.results,
        replace(_result(Scenario(PathKind.EGRESS), "tcp", "node1/a", OUTSIDE, "not tried", passed=False), untried=WHY),
        replace(_result(WEB, "http", "node1/a", NGINX, "not tried", passed=False), untried="none"),
        replace(_result(WEB, "http", "node1", NGINX, "not tried", passed=False), untried="none"),
    ),
)
BOTH = replace(UNTRIED, results=(*FAILED.results, *UNTRIED.results))


@pytest.mark.parametrize(("name", "report"), [("failed", FAILED), ("passed", PASSED), ("untried", UNTRIED)])
def test_every_form(golden: Golden, name: str, report: Report) -> None:
    stream = io.StringIO()
    show(report, stream)
    golden(f"verify/{name}.txt", "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n")
    golden(f"verify/{name}.md", markdown(report))
    golden(f"verify/{name}.xml", junit(report))
    golden(f"verify/{name}.json", dump(report))


def test_what_was_not_tried_is_in_the_verdict() -> None:
    more = f"pod-to-outside: {WHY}; and for 1 more reason"
    assert UNTRIED.verdict == f"not proved: 3 of 5 checks were not tried ({more})"
    assert BOTH.verdict == f"failed: 3 of 10 checks do not hold, 3 were not tried ({more})"
    assert [PASSED.proved, FAILED.proved, UNTRIED.proved, BOTH.proved] == [True, False, False, False]


def test_junit_has_an_error_for_what_was_not_tried() -> None:
    """A check that is skipped is green to most readers."""
    root = ElementTree.fromstring(junit(UNTRIED).encode())  # noqa: S314  # it is our own
    assert (root.get("tests"), root.get("failures"), root.get("errors"), root.get("skipped")) == ("5", "0", "3", "0")


def test_json_is_the_way_back() -> None:
    assert load(dump(FAILED)) == FAILED
    assert load(dump(BOTH)) == BOTH


@pytest.mark.parametrize(
    "text",
    [
        "{}", "[]", "1", "{", "[" * 100_000, '{"results": [], "format": 2}', '{"results": [1], "format": 2}',
        dump(FAILED).replace('"kind": "pod"', '"kind": "moon"'), dump(FAILED).replace('"kind": "pod",', ""),
        dump(FAILED).replace('"path": "pod-to-pod"', '"path": "pod-to-moon"'),
        dump(FAILED).replace('"scenario": {', '"scenario": null, "x": {'),
    ],
)  # fmt: skip
def test_what_is_no_report_is_said_to_be_none(text: str) -> None:
    with pytest.raises(PodnetError, match="this is no report of a verification: "):
        load(text)


@pytest.mark.parametrize("form", [1, 3, None, "2"])
def test_a_report_of_another_version_is_refused_in_words(form: object) -> None:
    document = json.loads(dump(FAILED)) | {"format": form}
    if form == 1:
        # As the first version wrote it.
        del document["format"]
        document["results"] = [{"id": "pod-to-pod/tcp: a -> b", "source": "a", "source_node": "a", "refused": False}]
    with pytest.raises(PodnetError, match=r"this report has format .*, another version's; expected 2"):
        load(json.dumps(document))


def test_a_pod_without_an_app_is_read_too() -> None:
    document = json.loads(dump(FAILED))
    del document["pods"][1]["app"]
    assert load(json.dumps(document)) == FAILED


def test_the_workload_is_nginx_alone() -> None:
    assert [pod.name for pod in FAILED.workload] == ["nginx-1"]


def test_junit_is_read_by_others() -> None:
    root = ElementTree.fromstring(junit(FAILED).encode())  # noqa: S314  # it is our own
    assert (root.get("tests"), root.get("failures"), root.get("time")) == ("5", "3", "7.1")
    cases = [case for suite in JUnitXml.fromstring(junit(FAILED).encode()) for case in suite]
    assert [case.name for case in cases] == [result.id for result in FAILED.results]
    assert [bool(case.result) for case in cases] == [not result.passed for result in FAILED.results]
    assert cases[0].time == 0.00125


def test_markdown_keeps_its_cells() -> None:
    rows = [line for line in markdown(FAILED).splitlines() if line.startswith("| node-state/bridge: node2")]
    assert len(rows) == 1
    assert rows[0].count(" | ") == 4  # the sign in the hint is escaped


def test_the_terminal_alone_has_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    seen = {}
    for stream in (io.StringIO(), Terminal()):
        show(PASSED, stream)
        seen[stream.isatty()] = "\x1b[" in stream.getvalue()
    assert seen == {False: False, True: True}


def test_the_matrix_counts() -> None:
    grid = check_matrix(FAILED.results)
    assert grid.columns == ("node1/a", "node2/a", "node1", "node2")
    assert dict(grid.rows)["pod-to-pod-other-node/tcp"] == (
        CheckCell(0, 1),
        CheckCell(1, 1),
        CheckCell(0, 0),
        CheckCell(0, 0),
    )
    assert [str(cell) for cell in dict(grid.rows)["node-state/bridge"]] == ["", "", "", "0/1"]
    cells = dict(check_matrix(UNTRIED.results).rows)["pod-to-web/http"]
    assert [(str(cell), cell.failed, cell.untried) for cell in cells if cell.total] == [("0/1", False, 1)] * 2
