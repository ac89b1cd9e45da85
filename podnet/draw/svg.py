"""A drawing as SVG.

The standard library's ElementTree writes it: it escapes every value by construction, keeps the order of attributes and
so gives the same bytes for the same drawing. A drawing library would only rename its elements.
"""

from __future__ import annotations

from typing import Final
from xml.etree import ElementTree as ET

from podnet.draw.evidence import State
from podnet.draw.graph import Graph
from podnet.draw.layout import lay_out
from podnet.draw.shapes import ArrowHead, Box, Drawing, Group, Line, Shape, Sign, Text
from podnet.draw.style import css, css_class
from podnet.text import xml_text

SCOPE: Final = "podnet-picture"

_SIGNS: Final = {
    # The signs of podnet.draw.labels as paths around (0, 0), 10 wide: not every font has them.
    State.PLANNED: "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0",
    State.PASSED: "M-4.5 0.5l3 3.5l6-8",
    State.FAILED: "M-4-4l8 8M4-4l-8 8",
    State.NOT_TRIED: "M-4.5 0h9",
    State.DRIFTED: "M0-4.5l5 9h-10zM0-1v2.5",
}

_SPACE: Final = "{http://www.w3.org/XML/1998/namespace}space"
"""The attribute xml:space. SVG 2 has a CSS property instead, but converters (librsvg and others) know only this, and
without it they cut the spaces off at both ends of every tspan."""


def picture(graph: Graph) -> str:
    """Draw a graph as an SVG file."""
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + element(graph) + "\n"


def element(graph: Graph) -> str:
    """Draw a graph as an svg element, as a page can hold it."""
    return ET.tostring(_svg(lay_out(graph)), encoding="unicode", short_empty_elements=True)


def _svg(drawing: Drawing) -> ET.Element:
    width, height = _number(drawing.width), _number(drawing.height)
    root = ET.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "class": SCOPE,
            "width": width,
            "height": height,
            "viewBox": f"0 0 {width} {height}",
            "role": "img",
            "aria-labelledby": "podnet-title podnet-description",
        },
    )
    ET.SubElement(root, "title", {"id": "podnet-title"}).text = xml_text(drawing.title)
    ET.SubElement(root, "desc", {"id": "podnet-description"}).text = xml_text(drawing.description)
    ET.SubElement(root, "style").text = f"\n{css(f'.{SCOPE}')}\n"
    ET.SubElement(root, "rect", {"class": "paper", "width": width, "height": height})
    for shape in drawing.shapes:
        _add(root, shape)
    _break_lines(root)
    return root


def _add(parent: ET.Element, shape: Shape) -> None:
    match shape:
        case Group(inner, title):
            group = ET.SubElement(parent, "g")
            if title:
                ET.SubElement(group, "title").text = xml_text(title)
            for each in inner:
                _add(group, each)
        case Box(x, y, width, height, kind, radius):
            values = {"x": x, "y": y, "width": width, "height": height, "rx": radius}
            ET.SubElement(parent, "rect", {"class": kind} | {key: _number(value) for key, value in values.items()})
        case Line(points, kind):
            path = "L".join(f"{_number(x)} {_number(y)}" for x, y in points)
            ET.SubElement(parent, "path", {"class": kind, "d": f"M{path}"})
        case ArrowHead((x, y), towards, kind):
            back = 8 if towards == "up" else -8
            path = f"M{_number(x)} {_number(y)}l-4.5 {back}h9z"
            ET.SubElement(parent, "path", {"class": kind, "d": path})
        case Sign(x, y, state):
            place = f"translate({_number(x)} {_number(y)})"
            ET.SubElement(parent, "path", {"class": f"sign {css_class(state)}", "transform": place, "d": _SIGNS[state]})
        case Text():
            _add_text(parent, shape)


def _add_text(parent: ET.Element, text: Text) -> None:
    place = {"x": _number(text.x), "y": _number(text.y)}
    if text.anchor != "start":
        place["text-anchor"] = text.anchor
    only = text.spans[0] if len(text.spans) == 1 else None
    kinds = " ".join(filter(None, [text.kind, only.font.name if only else ""]))
    line = ET.SubElement(parent, "text", {"class": kinds} | place)
    if only:
        line.text = xml_text(only.text)
        return
    line.set(_SPACE, "preserve")
    for span in text.spans:
        ET.SubElement(line, "tspan", {"class": span.font.name} if span.font.name else {}).text = xml_text(span.text)


def _break_lines(element: ET.Element) -> None:
    """A line for each element, so that a difference can be read; but none within a text, where it would be seen."""
    if len(element) and element.tag != "text":
        element.text = "\n"
        for child in element:
            child.tail = "\n"
            _break_lines(child)


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
