"""The picture: its bytes, and that every text has its room, measured with the widest font that it can meet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final
from xml.etree import ElementTree as ET

import pytest

from podnet.draw.evidence import State
from podnet.draw.graph import Graph, graph
from podnet.draw.layout import lay_out
from podnet.draw.measure import NAME, SMALL, shortened, text_width, wrapped
from podnet.draw.shapes import Box, Drawing, Group, Line, Shape, Text, spans_width
from podnet.draw.style import css, css_class
from podnet.draw.svg import picture
from podnet.node.spec import Route
from podnet.verify.report import Pod, Report
from tests.conftest import Golden
from tests.unit.draw import clusters

SIZES: Final = (2, 3, 5, 12)


def crowded(count: int) -> Graph:
    """A cluster with the longest names that the config takes, the widest letters, and many pods with long names."""
    plan = clusters.planned(count, lambda number: f"{'w' * 37}-{number:02}")
    pods = tuple(
        Pod("kube-system", f"{'m' * 200}-{number}", node.node.name, f"10.22.255.{100 + number}")
        for node in plan.nodes
        for number in range(30)
    )
    unplanned = (Pod("default", "x" * 253, "y" * 253, "10.22.250.1"),)
    extra = tuple(
        Route(node.node.name, "", f"172.16.{number}.128/25", f"172.16.254.{100 + number}", "interfaces-name")
        for node in plan.nodes
        for number in range(3)
    )
    results = clusters.results(plan, frozenset({(plan.nodes[0].node.name, plan.nodes[1].node.name)}))
    drawn = graph(plan, Report(results, (*pods, *unplanned), (*clusters.routes(plan), *extra), 1000.5))
    return replace(drawn, hidden_by_bridge=True)


def drifted(count: int) -> Graph:
    """Three machines with the longest addresses, and so many routes that nobody planned on each."""
    plan = clusters.wide(3)
    extra = tuple(
        Route(f"n{node}", "", f"172.16.{200 + n}.128/25", f"192.168.100.{150 + n}", clusters.DEVICE)
        for node in range(3)
        for n in range(count)
    )
    return graph(plan, replace(clusters.report(plan), routes=(*clusters.routes(plan), *extra)))


def cases() -> Iterator[tuple[str, Graph]]:
    for count in SIZES:
        plan = clusters.planned(count)
        yield f"plan-{count}", graph(plan)
        yield f"passed-{count}", graph(plan, clusters.report(plan))
        yield f"failed-{count}", graph(plan, clusters.broken_report(plan))
        yield f"crowded-{count}", crowded(count)
        plan = clusters.wide(count)
        yield f"wide-{count}", graph(plan, clusters.broken_report(plan))
        yield f"wide-plan-{count}", graph(plan)
    for extra in (6, 20):
        yield f"drifted-{extra}", drifted(extra)
    yield "plan-4", graph(clusters.planned(4))
    yield "passed-20", graph(plan := clusters.planned(20), clusters.report(plan))


CASES: Final = dict(cases())


def flat(shapes: Sequence[Shape]) -> Iterator[Shape]:
    for shape in shapes:
        if isinstance(shape, Group):
            yield from flat(shape.shapes)
        else:
            yield shape


def texts(drawing: Drawing) -> list[Text]:
    return [shape for shape in flat(drawing.shapes) if isinstance(shape, Text)]


@dataclass(frozen=True)
class Area:
    """Where something is, and what."""

    left: float
    top: float
    right: float
    bottom: float
    what: str

    def meets(self, other: Area) -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def holds(self, other: Area) -> bool:
        return (
            self.left <= other.left
            and other.right <= self.right
            and self.top <= other.top
            and other.bottom <= self.bottom
        )


def area(shape: Text | Box) -> Area:
    if isinstance(shape, Box):
        return Area(shape.x, shape.y, shape.x + shape.width, shape.y + shape.height, shape.kind)
    size = max(span.font.size for span in shape.spans)
    left = shape.x - {"start": 0.0, "middle": 0.5, "end": 1.0}[shape.anchor] * spans_width(shape.spans)
    # Where the highest letters end, and the lowest.
    top, bottom = shape.y - 0.8 * size, shape.y + 0.22 * size
    return Area(left, top, left + spans_width(shape.spans), bottom, said(shape))


def overlapping(drawing: Drawing) -> list[str]:
    """Every two texts that share a pixel."""
    areas = [area(text) for text in texts(drawing)]
    return [f"{one.what!r} and {other.what!r}" for one, other in combinations(areas, 2) if one.meets(other)]


def escaping(drawing: Drawing) -> list[str]:
    """Every text whose middle is in a box, and which comes nearer to its sides than 4; the drawing is a box too."""
    boxes = [area(shape) for shape in flat(drawing.shapes) if isinstance(shape, Box)]
    boxes.sort(key=lambda box: (box.right - box.left) * (box.bottom - box.top))
    boxes.append(Area(0, 0, drawing.width, drawing.height, "the drawing"))
    found = []
    for text in map(area, texts(drawing)):
        x, y = (text.left + text.right) / 2, (text.top + text.bottom) / 2
        inner = next(box for box in boxes if box.holds(Area(x, y, x, y, "")))
        if not inner.holds(replace(text, left=text.left - 4, right=text.right + 4)):
            found.append(f"{text.what!r} out of {inner.what}")
    return found


def struck(drawing: Drawing) -> list[str]:
    """Every text that a line runs through, unless a box is drawn between the two."""
    shapes = list(flat(drawing.shapes))
    areas = [area(text) for text in texts(drawing)]
    found = []
    for number, shape in enumerate(shapes):
        if isinstance(shape, Line):
            above = [area(box) for box in shapes[number:] if isinstance(box, Box)]
            hit = [text for text in areas if any(text.meets(piece) for piece in pieces(shape))]
            found += [text.what for text in hit if not any(box.holds(text) for box in above)]
    return found


def pieces(line: Line) -> Iterator[Area]:
    """The horizontal and vertical pieces of a line."""
    for (x1, y1), (x2, y2) in zip(line.points, line.points[1:], strict=False):
        yield Area(min(x1, x2) - 1, min(y1, y2) - 1, max(x1, x2) + 1, max(y1, y2) + 1, "")


def said(text: Text) -> str:
    return "".join(span.text for span in text.spans)


@pytest.mark.parametrize("name", CASES)
def test_no_two_texts_overlap(name: str) -> None:
    drawing = lay_out(CASES[name])
    assert len(texts(drawing)) > 20
    assert overlapping(drawing) == []


@pytest.mark.parametrize("name", CASES)
def test_every_text_stays_in_its_box(name: str) -> None:
    assert escaping(lay_out(CASES[name])) == []


@pytest.mark.parametrize("name", CASES)
def test_no_line_runs_through_a_text(name: str) -> None:
    assert struck(lay_out(CASES[name])) == []


@pytest.mark.parametrize("count", SIZES)
def test_the_plans_picture(golden: Golden, count: int) -> None:
    golden(f"draw/plan-{count}.svg", picture(CASES[f"plan-{count}"]))


@pytest.mark.parametrize("name", ["passed-3", "failed-3", "failed-5"])
def test_the_live_picture(golden: Golden, name: str) -> None:
    golden(f"draw/{name}.svg", picture(CASES[name]))


@pytest.mark.parametrize("count", SIZES)
def test_every_route_is_written_out(count: int) -> None:
    drawing = lay_out(CASES[f"passed-{count}"])
    words = " ".join(said(text) for text in texts(drawing))
    for route in CASES[f"passed-{count}"].routes:
        assert words.count(f"via {route.gateway}") == count - 1
        assert words.count(route.destination) >= count


def test_every_state_has_its_word_beside_it() -> None:
    words = [said(text) for text in texts(lay_out(CASES["failed-3"]))]
    assert "failed: 4 of 4 checks" in words
    assert "drifted: not in the kernel" in words
    assert "drifted: not in the plan" in words
    assert words.count("passed") == 3 + 3 + 1 + 4  # same node, masquerade, outside, routes


def test_so_many_routes_that_nobody_planned_are_listed_not_drawn() -> None:
    words = [said(text) for text in texts(lay_out(CASES["drifted-6"]))]
    assert words.count("drifted: not in the plan") == 18
    words = [said(text) for text in texts(lay_out(CASES["drifted-20"]))]
    assert words.count("20 routes drifted") == 3
    assert words.count("+5 more drifted") == 3
    # Every line is taken: those that hold are counted, and none is listed.
    assert words.count("2 routes passed") == words.count("+2 more passed") == 3


def test_many_pods_are_counted_not_drawn() -> None:
    words = [said(text) for text in texts(lay_out(CASES["crowded-3"]))]
    assert words.count("+25 more pods") == 3


def test_what_holds_is_left_out_before_what_does_not() -> None:
    words = [said(text) for text in texts(lay_out(CASES["passed-20"]))]
    assert words.count("+4 more passed") == 20


def test_names_from_the_cluster_are_text_and_nothing_else() -> None:
    plan = clusters.planned(2)
    evil = Pod('"><script>', "</text><script>alert(1)</script>\x00&amp;", "node1", "<b>")
    svg = picture(graph(plan, replace(clusters.report(plan), pods=(evil,))))
    root = ET.fromstring(svg)  # noqa: S314  # it is our own
    assert [element.tag for element in root.iter() if element.tag.endswith("script")] == []
    assert any("<script>alert(1)</script>\N{REPLACEMENT CHARACTER}&amp;" in text for text in root.itertext())


@pytest.mark.parametrize("name", CASES)
def test_a_line_of_several_fonts_keeps_the_spaces_between_them(name: str) -> None:
    """tests/integration/test_converter.py draws it: without this converters cut them off."""
    root = ET.fromstring(picture(CASES[name]))  # noqa: S314  # it is our own
    mixed = [element for element in root.iter("{http://www.w3.org/2000/svg}text") if len(element)]
    assert mixed
    assert {element.get("{http://www.w3.org/XML/1998/namespace}space") for element in mixed} == {"preserve"}


def test_the_same_graph_gives_the_same_bytes() -> None:
    assert picture(graph(clusters.planned(5))) == picture(graph(clusters.planned(5)))


def test_a_long_name_is_wrapped_whole_and_a_pods_keeps_both_ends() -> None:
    font = NAME
    lines = wrapped("a-control-plane-with-a-rather-long-name1", font, 200)
    assert "".join(lines) == "a-control-plane-with-a-rather-long-name1"
    assert len(lines) == 2
    assert lines[0].endswith("-")
    assert all(text_width(line, font) <= 200 for line in lines)
    short = shortened("nginx-7d9c5b8f6-x2k4z", SMALL, 90)
    assert short.startswith("nginx-")
    assert short.endswith("x2k4z")
    assert text_width(short, SMALL) <= 90
    assert shortened("nginx", SMALL, 90) == "nginx"
    assert shortened("nginx", SMALL, 1) == "…"


GROUNDS: Final = {
    "ink": ("paper", "machine", "pod", "interface", "outside", "network"),
    "muted": ("paper", "machine", "subnet", "outside"),
    "on-bridge": ("bridge",),
    "network-ink": ("network",),
    **{f"status.{css_class(state)}": ("paper", "machine", "subnet", "network") for state in State},
}
"""What is written on what."""


@pytest.mark.parametrize("theme", [0, 1])
@pytest.mark.parametrize("ink", GROUNDS)
def test_everything_that_is_written_can_be_read(theme: int, ink: str) -> None:
    rules = css(".x").split("@media")[theme]
    fills = {name: fill for names, fill in re.findall(r"(.*)\{fill:(#\w{6})", rules) for name in names.split(",")}
    for ground in GROUNDS[ink]:
        dark, light = sorted((luminance(fills[f".x .{ink}"]), luminance(fills[f".x .{ground}"])))
        # WCAG 2.2, 1.4.3: contrast of at least 4.5 to 1.
        assert (light + 0.05) / (dark + 0.05) >= 4.5, f"{ink} on {ground}"


def luminance(colour: str) -> float:
    """WCAG's relative luminance of #rrggbb."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_state_is_in_the_legend() -> None:
    words = [said(text) for text in texts(lay_out(CASES["passed-2"]))]
    for state in set(State) - {State.PLANNED}:
        assert any(word.startswith(f"{state}: ") for word in words)
