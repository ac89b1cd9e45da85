"""What a picture shows and what is there, as values that can be compared: pods, routes and interfaces of each machine.

Each is read on its own: the cluster from what kubectl and ip print, a picture from its graph or from its file alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Final
from xml.etree import ElementTree as ET

from podnet.draw.graph import Graph

_SVG: Final = "{http://www.w3.org/2000/svg}"
_POD: Final = re.compile(r"pod \S+/(?P<name>\S+): \S+")
_LEFT_OUT: Final = "…"


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything that is seen, sorted; what is there twice is told twice.

    pods: machine, name and address. routes: machine, destination and next hop. interfaces: machine and device.
    """

    pods: tuple[tuple[str, str, str], ...]
    routes: tuple[tuple[str, str, str], ...]
    interfaces: tuple[tuple[str, str], ...]


def of_cluster(pods: str, pod_network: str, routes: Mapping[str, str]) -> Shown:
    """Read the cluster itself.

    pods: ``kubectl get pods -A -o wide``. routes: each machine's ``ip -json route show proto 201``.
    """
    header, *rows = (re.split(r"\s{2,}", line.strip()) for line in pods.splitlines())
    found = [dict(zip(header, row, strict=True)) for row in rows]
    seen = [(node, route) for node, text in routes.items() for route in json.loads(text)]
    return Shown(
        tuple(sorted((p["NODE"], p["NAME"], p["IP"]) for p in found if _lies_in(p["IP"], pod_network))),
        tuple(sorted((node, route["dst"], route["gateway"]) for node, route in seen)),
        tuple(sorted({(node, route["dev"]) for node, route in seen})),
    )


def _lies_in(address: str, network: str) -> bool:
    try:
        return ip_address(address) in ip_network(network)
    except ValueError:  # <none>: it has not got one yet
        return False


def of_graph(graph: Graph) -> Shown:
    """Read a graph."""
    machines = graph.machines
    return Shown(
        tuple(sorted((machine.name, pod.name, pod.address) for machine in machines for pod in machine.pods or ())),
        tuple(sorted((route.node, route.destination, route.gateway) for route in graph.routes)),
        tuple(sorted((machine.name, machine.interface) for machine in machines)),
    )


def of_svg(picture: str) -> Shown:
    """Read a picture as somebody does who looks at it: what lies in which machine, and between which an arrow runs.

    Raises ValueError for a picture that contradicts itself. Only for pictures with an arrow for each route.
    """
    root = ET.fromstring(picture)  # noqa: S314  # the program's own
    machines = [_Machine.read(root, box) for box in root.iter(f"{_SVG}rect") if box.get("class") == "machine"]
    groups = list(root.iter(f"{_SVG}g"))
    return Shown(
        tuple(sorted(pod for group in groups for pod in _pods(group, machines))),
        tuple(sorted(route for group in groups for route in _routes(group, machines))),
        tuple(sorted((machine.name, machine.interface) for machine in machines)),
    )


@dataclass(frozen=True, slots=True)
class _Machine:
    """A machine's card. left, right, top, bottom: in pixels. interface, address: what its interface's box says."""

    name: str
    left: float
    right: float
    top: float
    bottom: float
    interface: str
    address: str

    @classmethod
    def read(cls, root: ET.Element, box: ET.Element) -> _Machine:
        left, right, top, bottom = _sides(box)
        inside = [text for text in root.iter(f"{_SVG}text") if left < _at(text, "x") < right]
        name = "".join(text.text or "" for text in inside if "name" in _kinds(text))
        own = next(
            each
            for each in root.iter(f"{_SVG}rect")
            if each.get("class") == "interface" and left < _sides(each)[0] < right
        )
        text = next(text for text in inside if _sides(own)[2] < _at(text, "y") < _sides(own)[3])
        device, *_, address = (piece.text or "" for piece in text)
        return cls(name, left, right, top, bottom, device, address)


def _pods(group: ET.Element, machines: list[_Machine]) -> Iterator[tuple[str, str, str]]:
    box = next((each for each in group.findall(f"{_SVG}rect") if each.get("class") == "pod"), None)
    if box is None:
        return
    name, address = (text.text or "" for text in group.findall(f"{_SVG}text"))
    said = _POD.match(group.findtext(f"{_SVG}title") or "")
    if not said or not _stands_for(name, said["name"]):
        raise ValueError(f"{name} is not what is said where somebody points at it: {said}")
    left, right, top, bottom = _sides(box)
    around = [m for m in machines if m.left < left and right < m.right and m.top < top and bottom < m.bottom]
    if len(around) != 1:
        raise ValueError(f"{name} lies in {len(around)} machines")
    yield around[0].name, said["name"], address


def _stands_for(shown: str, name: str) -> bool:
    """Whether this is the name, or it with its middle left out."""
    start, left_out, end = shown.partition(_LEFT_OUT)
    if not left_out:
        return shown == name
    return name.startswith(start) and name.endswith(end) and len(start) + len(end) < len(name)


def _routes(group: ET.Element, machines: list[_Machine]) -> Iterator[tuple[str, str, str]]:
    line = next((each for each in group.findall(f"{_SVG}path") if "route" in _kinds(each)), None)
    if line is None:
        return
    label = next(text for text in group.findall(f"{_SVG}text") if len(text))
    destination, via, gateway = (piece.text or "" for piece in label)
    first, *_, last = re.findall(r"[ML]([\d.]+) [\d.]+", line.get("d", ""))
    start, end = (next(m for m in machines if m.left < float(x) < m.right) for x in (first, last))
    said = (group.findtext(f"{_SVG}title") or "").splitlines()[0]
    words = f"{start.name}: {destination}{via}{gateway}"
    # Where no machine has the next hop's address, nobody is said to be it, and the arrow ends in nothing.
    reaches = said.startswith(f"{words} ({end.name}): ") and end.address == gateway
    if not reaches and not said.startswith(f"{words}: "):
        raise ValueError(f"an arrow from {start.name} to {end.name} that says {said}")
    yield start.name, destination, gateway


def _sides(box: ET.Element) -> tuple[float, float, float, float]:
    x, y = _at(box, "x"), _at(box, "y")
    return x, x + _at(box, "width"), y, y + _at(box, "height")


def _at(element: ET.Element, attribute: str) -> float:
    return float(element.get(attribute, "nan"))


def _kinds(element: ET.Element) -> list[str]:
    return element.get("class", "").split()
