"""The flowchart: its bytes, its states, and that nothing from a cluster becomes Mermaid's or HTML's."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from podnet.draw import labels
from podnet.draw.evidence import State
from podnet.draw.graph import graph
from podnet.draw.mermaid import flowchart
from podnet.verify.report import Pod
from tests.conftest import Golden
from tests.unit.draw import clusters
from tests.unit.draw.test_picture import CASES

LABEL = re.compile(r'"([^"]*)"')


@pytest.mark.parametrize("name", ["plan-2", "plan-3", "plan-5", "plan-12", "passed-3", "failed-3", "failed-5"])
def test_the_flowchart(golden: Golden, name: str) -> None:
    golden(f"draw/{name}.mmd", flowchart(CASES[name]))


def edges(text: str) -> list[str]:
    """The edges in the order in which Mermaid numbers them; a chain of three nodes is two."""
    found = []
    for line in text.splitlines():
        parts = re.split(r" (?:~~~|---|-- \"[^\"]*\" -->) ", line.strip())
        links = re.findall(r" (~~~|---|-->) ", line)
        found += [f"{one} {link} {other}" for one, link, other in zip(parts, links, parts[1:], strict=False)]
    return found


@pytest.mark.parametrize("name", ["failed-3", "failed-5", "passed-12"])
def test_each_edge_has_the_style_of_its_state(name: str) -> None:
    text = flowchart(CASES[name])
    numbered = edges(text)
    styled = {
        numbered[int(number)]: line
        for numbers, line in re.findall(r"linkStyle ([0-9,]+) (\S+)", text)
        for number in numbers.split(",")
    }
    green, red, orange = "stroke:#2da44e", "stroke:#e5484d", "stroke:#e16f24"
    assert styled.pop("network --> outside").startswith(green)
    if name != "failed-3":
        assert styled == {}
        return
    colours = {edge: line.partition(",")[0] for edge, line in styled.items()}
    assert colours == {
        "m0 --> m1": green,
        "m0 --> m2": green,
        "m1 --> m0": green,
        "m1 --> m2": red,
        "m2 --> m0": green,
        "m2 --> m1": orange,
    }


def test_every_route_is_told_with_its_state() -> None:
    text = flowchart(CASES["failed-3"])
    assert '"10.22.3.0/24<br/>via 10.100.198.202<br/>✗ failed: 4 of 4 checks"' in text
    assert '"10.22.2.0/24<br/>via 10.100.198.201<br/>⚠ drifted: not in the kernel"' in text
    # Its next hop is no machine: there is nowhere to draw an edge to.
    assert "⚠ 1 route drifted<br/>10.22.77.0/24 via 10.100.198.77 (not in the plan)" in text
    many = flowchart(CASES["failed-12"])
    for route in CASES["failed-12"].routes:
        assert f"{route.destination} via {route.gateway}" in many
    assert "✗ 1 route failed<br/>10.22.12.0/24 via 10.100.198.211 (4 of 4 checks)<br/>✓ 10 routes passed" in many
    assert "class m10 failed" in many
    assert "class m11 drifted" in many
    assert "class m1 machine" in many


def test_github_draws_what_is_crowded_too() -> None:
    for count in (2, 3, 5, 12):
        text = flowchart(CASES[f"crowded-{count}"])
        assert len(text) < 50_000
        assert len(edges(text)) < 500


def test_nothing_from_the_cluster_is_more_than_text() -> None:
    plan = clusters.planned(2)
    evil = '"]; end --> x<script>#`%%\n'
    report = replace(clusters.report(plan), pods=(Pod("default", evil, "node1", evil),))
    for label in LABEL.findall(flowchart(graph(plan, report))):
        assert set('"<>#;[]`%\n') & set(re.sub(r"<br/>|#\d+;", "", label)) == set()


def test_the_states_have_signs_of_their_own() -> None:
    plan = clusters.planned(3)
    fewer = replace(clusters.report(plan), results=())
    texts = [flowchart(graph(plan)), flowchart(graph(plan, fewer)), flowchart(CASES["failed-3"])]
    assert len(set(labels.SIGNS.values())) == len(State)
    for state in State:
        assert any(f"{labels.SIGNS[state]} {state}" in text for text in texts)
