"""The picture as a Mermaid flowchart, for pull requests and READMEs: GitHub draws it, in light and dark.

Mermaid lays out by itself, and not well where there are many edges: as in the SVG, the routes of many machines are
listed in each machine, under their states.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Final

from podnet.draw import labels
from podnet.draw.evidence import State
from podnet.draw.graph import DrawnMachine, DrawnRoute, Graph
from podnet.draw.style import css_class

_NAME: Final = 40
"""Letters of a pod's name, at most."""

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

_PLAIN: Final = re.compile(rf"[^A-Za-z0-9 ./:,+()…{''.join(labels.SIGNS.values())}-]")


def flowchart(graph: Graph) -> str:
    """Draw a graph as a Mermaid flowchart."""
    arrows = len(graph.machines) <= labels.ARROWS
    numbers = {machine.name: number for number, machine in enumerate(graph.machines)}
    drawn = [route for route in graph.routes if arrows and route.reaches]
    listed = [[route for route in machine.routes if route not in drawn] for machine in graph.machines]
    lines = [
        *_front(f"Pod network of {graph.name}: {labels.verdict(graph)}"),
        f"flowchart {'LR' if arrows else 'TB'}",
        f"  subgraph network[{_label(f'machine network {graph.machine_network}')}]",
        f"    direction {'LR' if arrows else 'TB'}",
        *_rows(graph, listed),
        "  end",
        f"  outside([{_label('outside', labels.OUTSIDE)}])",
    ]
    before = sum(line.count("~~~") for line in lines)
    lines.append(f"  network -- {_label(f'gateway {graph.gateway}', labels.status(graph.leaving))} --> outside")
    # An edge joins machines, not what is in them: an edge into a subgraph would have Mermaid lay out all as one.
    lines += [f"  m{numbers[route.node]} -- {_edge(route)} --> m{numbers[route.peer]}" for route in drawn]
    for number, routes in enumerate(listed):
        inner = ["p", "b", *("r" if routes else ""), "q", "i"]
        lines.append(f"  {' --- '.join(f'{each}{number}' for each in inner)}")
    states = [graph.leaving.state, *(route.evidence.state for route in drawn)]
    return "\n".join([*lines, *_classes(graph), *_line_styles(states, before)]) + "\n"


def _front(title: str) -> Iterator[str]:
    yield from ("---", f"title: {json.dumps(title)}", "config:", "  flowchart:")
    # Lines are broken here, not by Mermaid, which does it at 200 pixels.
    yield from ("    wrappingWidth: 500", "    nodeSpacing: 30", "    rankSpacing: 30", "---")


def _row_starts(graph: Graph) -> range:
    return range(0, len(graph.machines), labels.columns(len(graph.machines)))


def _rows(graph: Graph, listed: Sequence[Sequence[DrawnRoute]]) -> Iterator[str]:
    """The machines, in rows: Mermaid would set them all side by side. A link of ~~~ orders, and is not drawn."""
    starts = _row_starts(graph)
    for row, start in enumerate(starts):
        members = range(start, min(start + starts.step, len(graph.machines)))
        # Backwards: where routes go in circles, Mermaid starts from the one that comes last.
        machines = [line for number in reversed(members) for line in _machine(graph, number, listed[number])]
        machines.append(" ~~~ ".join(f"m{number}" for number in members))
        if len(starts) > 1:
            machines = [f'subgraph row{row}[" "]', "  direction LR", *(f"  {line}" for line in machines), "end"]
        yield from (f"    {line}" for line in machines)
    if len(starts) > 1:
        yield f"    {' ~~~ '.join(f'row{row}' for row in range(len(starts)))}"


def _machine(graph: Graph, number: int, routes: Sequence[DrawnRoute]) -> Iterator[str]:
    machine = graph.machines[number]
    yield f"subgraph m{number}[{_label(f'{machine.name}, {machine.role}')}]"
    yield "  direction TB"
    yield f"  p{number}[{_label(*_pods(graph, machine))}]:::pod"
    own = [] if machine.local.state is State.PLANNED else [labels.status(machine.local)]
    bridge = (f"{machine.bridge} {machine.bridge_address}", f"pod subnet {machine.pod_subnet}", *own)
    yield f"  b{number}[{_label(*bridge)}]:::bridge"
    if routes:
        yield f"  r{number}[{_label(*_listed(routes))}]:::rule"
    leaving = [] if machine.leaving.state is State.PLANNED else [labels.status(machine.leaving)]
    rule = map("".join, labels.masquerade(graph, machine))
    yield f"  q{number}[{_label('masquerade', *rule, *leaving)}]:::rule"
    yield f"  i{number}[{_label(labels.interface(machine), machine.address)}]:::interface"
    yield "end"


def _pods(graph: Graph, machine: DrawnMachine) -> Iterator[str]:
    arrows = len(graph.machines) <= labels.ARROWS
    shown, more = labels.cut(machine.pods or (), labels.most_pods(arrows=arrows))
    for pod in shown:
        sign = f"{labels.SIGNS[State.DRIFTED]} " if pod.misplaced else ""
        name = pod.name if len(pod.name) <= _NAME else f"{pod.name[: _NAME // 2]}…{pod.name[-_NAME // 2 :]}"
        yield f"{sign}{name} {pod.address}"
    if more or not shown:
        yield f"+{more} more pods" if more else labels.no_pods(machine)


def _listed(routes: Sequence[DrawnRoute]) -> Iterator[str]:
    for group in labels.route_groups(routes):
        yield f"{labels.SIGNS[group.state]} {group.heading}"
        yield from (f"{route} ({route.evidence.note})" if route.evidence.note else str(route) for route in group.routes)
        if group.more:
            yield group.rest


def _edge(route: DrawnRoute) -> str:
    return _label(route.destination, f"via {route.gateway}", labels.status(route.evidence))


def _classes(graph: Graph) -> Iterator[str]:
    for name, style in _CLASSES.items():
        yield f"  classDef {name} {style}"
    for state, line in _LINES.items():
        yield f"  classDef {css_class(state)} fill:#818b981a,{line}"
    rows = len(_row_starts(graph))
    if rows > 1:
        yield f"  class {','.join(f'row{row}' for row in range(rows))} row"
    yield "  class network network"
    yield "  class outside outside"
    for number, machine in enumerate(graph.machines):
        yield f"  class m{number} {css_class(machine.alarm) if machine.alarm else 'machine'}"


def _line_styles(states: Sequence[State], first: int) -> Iterator[str]:
    """Mermaid numbers the edges of the whole text; those with a state stand together. first: the first one's number."""
    for state, line in _LINES.items():
        numbers = ",".join(str(first + number) for number, each in enumerate(states) if each is state)
        if numbers:
            yield f"  linkStyle {numbers} {line}"


def _label(*lines: str) -> str:
    """A label. What could mean something to Mermaid or to HTML is written by its number."""
    text = (_PLAIN.sub(lambda match: f"#{ord(match[0])};", line) for line in lines)
    return f'"{"<br/>".join(text)}"'
