"""The picture as a Mermaid flowchart, for pull requests and READMEs: GitHub draws it, in light and dark.

Mermaid lays out by itself, and not well where there are many edges: as in the SVG, the routes of many machines are
listed in each machine, under their states.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from typing import Final

from podnet.draw.graph import BY_WEIGHT, Evidence, Graph, Machine, RouteEdge, State, worst
from podnet.draw.style import word

_ARROWS: Final = 3
"""Machines, at most, whose routes are drawn as edges."""

_PODS: Final = 6
_ROUTES: Final = 16
"""What a machine shows of each, at most: GitHub draws no text of more than 50,000 characters."""

_NAME: Final = 40
"""Letters of a pod's name, at most."""

_SIGNS: Final = {
    State.PLANNED: "○",
    State.PASSED: "✓",
    State.FAILED: "✗",
    State.NOT_TRIED: "?",
    State.DRIFTED: "⚠",
}

_LINES: Final = {
    # Middle tones, which can be seen on white and on black: Mermaid's own texts follow the reader's theme.
    State.PLANNED: "stroke:#818b98,stroke-width:1.5px,stroke-dasharray:6 3",
    State.PASSED: "stroke:#2da44e,stroke-width:2px",
    State.FAILED: "stroke:#e5484d,stroke-width:3px,stroke-dasharray:12 4",
    State.NOT_TRIED: "stroke:#bf8700,stroke-width:1.5px,stroke-dasharray:2 4",
    State.DRIFTED: "stroke:#e16f24,stroke-width:3px,stroke-dasharray:10 4 2 4",
}

_CLASSES: Final = {
    # The last two digits make a tint of what lies below, in light and dark.
    "network": "fill:#8250df1a,stroke:#8250df",
    "machine": "fill:#818b981a,stroke:#818b98",
    "row": "fill:none,stroke:none",
    "pod": "fill:#54a3f526,stroke:#54a3f5",
    "bridge": "fill:#0a5cc2,stroke:#0a5cc2,color:#ffffff",
    "rule": "fill:none,stroke:#818b98",
    "interface": "fill:#8250df26,stroke:#8250df",
    "outside": "fill:#bf870026,stroke:#bf8700,stroke-dasharray:7 4",
}

_PLAIN: Final = re.compile(r"[^A-Za-z0-9 ./:,+()?○✓✗⚠…-]")


def flowchart(graph: Graph) -> str:
    """Draw a graph as a Mermaid flowchart."""
    arrows = len(graph.machines) <= _ARROWS
    numbers = {machine.name: number for number, machine in enumerate(graph.machines)}
    drawn = [route for route in graph.routes if arrows and route.peer not in {"", route.node}]
    listed = [[route for route in machine.routes if route not in drawn] for machine in graph.machines]
    lines = [
        *_front(f"Pod network of {graph.name}: {graph.verdict or 'planned'}"),
        f"flowchart {'LR' if arrows else 'TB'}",
        f"  subgraph network[{_words(f'machine network {graph.machine_network}')}]",
        f"    direction {'LR' if arrows else 'TB'}",
        *_rows(graph, listed),
        "  end",
        f"  outside([{_words('outside', 'sees machines, never pods')}])",
    ]
    before = sum(line.count("~~~") for line in lines)
    lines.append(f"  network -- {_words(f'gateway {graph.gateway}', _said(graph.leaving))} --> outside")
    # An edge joins machines, not what is in them: an edge into a subgraph would have Mermaid lay out all as one.
    lines += [f"  m{numbers[route.node]} -- {_words(*_route(route))} --> m{numbers[route.peer]}" for route in drawn]
    for number, routes in enumerate(listed):
        inner = ["p", "b", *("r" if routes else ""), "q", "i"]
        lines.append(f"  {' --- '.join(f'{each}{number}' for each in inner)}")
    states = [graph.leaving.state, *(route.evidence.state for route in drawn)]
    return "\n".join([*lines, *_classes(graph), *_line_styles(states, before)]) + "\n"


def _front(title: str) -> Iterator[str]:
    yield from ("---", f"title: {json.dumps(title)}", "config:", "  flowchart:")
    # Lines are broken here, not by Mermaid, which does it at 200 pixels.
    yield from ("    wrappingWidth: 500", "    nodeSpacing: 30", "    rankSpacing: 30", "---")


def _columns(machines: int) -> int:
    return machines if machines <= _ARROWS else math.ceil(math.sqrt(machines))


def _rows(graph: Graph, listed: Sequence[Sequence[RouteEdge]]) -> Iterator[str]:
    """The machines, in rows: Mermaid would set them all side by side. A link of ~~~ orders, and is not drawn."""
    count = len(graph.machines)
    starts = range(0, count, _columns(count))
    for row, start in enumerate(starts):
        members = range(start, min(start + _columns(count), count))
        # Backwards: where routes go in circles, Mermaid starts from the one that comes last.
        machines = [line for number in reversed(members) for line in _machine(graph, number, listed[number])]
        machines.append(" ~~~ ".join(f"m{number}" for number in members))
        if len(starts) > 1:
            machines = [f'subgraph row{row}[" "]', "  direction LR", *(f"  {line}" for line in machines), "end"]
        yield from (f"    {line}" for line in machines)
    if len(starts) > 1:
        yield f"    {' ~~~ '.join(f'row{row}' for row in range(len(starts)))}"


def _machine(graph: Graph, number: int, routes: Sequence[RouteEdge]) -> Iterator[str]:
    machine = graph.machines[number]
    yield f"subgraph m{number}[{_words(f'{machine.name}, {machine.role}')}]"
    yield "  direction TB"
    yield f"  p{number}[{_words(*_pods(machine))}]:::pod"
    own = [] if machine.local.state is State.PLANNED else [_said(machine.local)]
    bridge = (f"{machine.bridge} {machine.bridge_address}", f"pod subnet {machine.pod_subnet}", *own)
    yield f"  b{number}[{_words(*bridge)}]:::bridge"
    if routes:
        yield f"  r{number}[{_words(*_listed(routes))}]:::rule"
    yield f"  q{number}[{_words(*_masquerade(graph, machine))}]:::rule"
    name = machine.interface or "the interface that holds"
    yield f"  i{number}[{_words(name, machine.address)}]:::interface"
    yield "end"


def _pods(machine: Machine) -> Iterator[str]:
    if machine.pods is None:
        yield from ("pods get", f"{machine.first_pod} to {machine.last_pod}")
        return
    shown = machine.pods if len(machine.pods) <= _PODS else machine.pods[: _PODS - 1]
    for pod in shown:
        sign = f"{_SIGNS[State.DRIFTED]} " if pod.astray else ""
        name = pod.name if len(pod.name) <= _NAME else f"{pod.name[: _NAME // 2]}…{pod.name[-_NAME // 2 :]}"
        yield f"{sign}{name} {pod.address}"
    if len(shown) < len(machine.pods):
        yield f"+{len(machine.pods) - len(shown)} more pods"
    if not shown:
        yield "no pod seen"


def _masquerade(graph: Graph, machine: Machine) -> Iterator[str]:
    yield f"masquerade {machine.pod_subnet}"
    yield f"as {machine.address}"
    yield f"not towards {', '.join(graph.unmasqueraded)} or machines"
    if graph.hidden_by_bridge:
        yield "ipMasq: hidden from other nodes' pods too"
    if machine.leaving.state is not State.PLANNED:
        yield _said(machine.leaving)


def _listed(routes: Sequence[RouteEdge]) -> Iterator[str]:
    """The routes as lines under their states, what does not hold first; of many, only so many."""
    left = _ROUTES
    for state in BY_WEIGHT:
        mine = [route for route in routes if route.evidence.state is state]
        if not mine:
            continue
        shown = mine if len(mine) <= left else mine[: max(left - 1, 0)]
        left -= len(shown)
        yield f"{_SIGNS[state]} {len(mine)} {'route' if len(mine) == 1 else 'routes'} {state}"
        for route in shown:
            note = f" ({route.evidence.note})" if route.evidence.note else ""
            yield f"{route.destination} via {route.gateway}{note}"
        if len(shown) < len(mine):
            yield f"+{len(mine) - len(shown)} more"


def _route(route: RouteEdge) -> tuple[str, str, str]:
    return route.destination, f"via {route.gateway}", _said(route.evidence)


def _said(evidence: Evidence) -> str:
    note = f": {evidence.note}" if evidence.note else ""
    return f"{_SIGNS[evidence.state]} {evidence.state}{note}"


def _classes(graph: Graph) -> Iterator[str]:
    for name, style in _CLASSES.items():
        yield f"  classDef {name} {style}"
    for state, line in _LINES.items():
        yield f"  classDef {word(state)} fill:#818b981a,{line}"
    rows = range(math.ceil(len(graph.machines) / _columns(len(graph.machines))))
    if len(rows) > 1:
        yield f"  class {','.join(f'row{row}' for row in rows)} row"
    yield "  class network network"
    yield "  class outside outside"
    for number, machine in enumerate(graph.machines):
        state = worst([machine.local.state, machine.leaving.state, *(r.evidence.state for r in machine.routes)])
        yield f"  class m{number} {word(state) if state in {State.FAILED, State.DRIFTED} else 'machine'}"


def _line_styles(states: Sequence[State], first: int) -> Iterator[str]:
    """Mermaid numbers the edges of the whole text; those with a state stand together. first: the first one's number."""
    for state, line in _LINES.items():
        numbers = ",".join(str(first + number) for number, each in enumerate(states) if each is state)
        if numbers:
            yield f"  linkStyle {numbers} {line}"


def _words(*lines: str) -> str:
    """A label. What could mean something to Mermaid or to HTML is written by its number."""
    return f'"{"<br/>".join(map(_text, lines))}"'


def _text(text: str) -> str:
    return _PLAIN.sub(lambda match: f"#{ord(match[0])};", text)
