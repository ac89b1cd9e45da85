"""The pods of a machine, and the bridge that they hang on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from podnet.draw import labels
from podnet.draw.card.spine import BESIDE, SPINE, WIDEST, status_label
from podnet.draw.evidence import State
from podnet.draw.graph import DrawnMachine, DrawnPod
from podnet.draw.labels import Code
from podnet.draw.measure import CODE, SMALL, STRONG, shortened, text_width
from podnet.draw.shapes import SIGN, Block, Box, Group, Line, Shape, Sign, Text, spans, text

_ROW: Final = 30
"""From one pod to the next."""


def pods_block(machine: DrawnMachine, most: int) -> Block:
    """Draw the pods on their wires, and the bridge that they hang on. most: how many are shown."""
    pods = machine.pods or ()
    shown, more = labels.cut(pods, most)
    caption = text_width(f"pod subnet {machine.pod_subnet}", CODE) + 90
    widest = max((text_width(pod.name, SMALL) for pod in pods), default=0)
    widest += max((text_width(pod.address, CODE) for pod in pods), default=0)
    wanted = min(max(caption, text_width(labels.pod_range(machine), SMALL) + 60, widest + 80), WIDEST)

    def draw(x: float, y: float, width: float, height: float) -> Iterator[Shape]:
        yield Box(x, y, width, height, "subnet", 6)
        yield Text(x + 10, y + 19, spans("pod subnet ", Code(machine.pod_subnet)), "muted")
        if machine.local.state is not State.PLANNED:
            yield status_label(x + width - 10, y + 19, machine.local)
        bridge = y + height - 38
        left, room = x + BESIDE + 4, width - BESIDE - 14
        rows = [_pod(pod, machine, left, y + _ROW * number, room) for number, pod in enumerate(shown, 1)]
        if more or not shown:
            note = f"+{more} more pods" if more else labels.no_pods(machine)
            rows.append(_note(note, left, y + _ROW * (len(shown) + 1), room))
        for number in range(len(rows)):
            middle = y + _ROW * (number + 1) + 12
            yield Line(((x + SPINE + 8, bridge), (x + SPINE + 8, middle), (left, middle)), "wire")
        for row in rows:
            yield from row
        yield Box(x + 10, bridge, width - 20, 30, "bridge")
        yield text(x + 20, bridge + 19.5, machine.bridge, STRONG, "on-bridge")
        yield text(x + width - 20, bridge + 19.5, machine.bridge_address, CODE, "on-bridge", anchor="end")

    return Block(wanted, 30 + _ROW * min(max(len(pods), 1), most) + 4 + 30 + 8, draw)


def _note(note: str, x: float, y: float, width: float) -> list[Shape]:
    return [Box(x, y, width, 24, "ghost"), text(x + 8, y + 16, note, SMALL, "muted")]


def _pod(pod: DrawnPod, machine: DrawnMachine, x: float, y: float, width: float) -> list[Shape]:
    sign = SIGN if pod.misplaced else 0
    room = width - 28 - sign - text_width(pod.address, CODE)
    shapes: list[Shape] = [
        Box(x, y, width, 24, "pod"),
        text(x + 8 + sign, y + 16, shortened(pod.name, SMALL, room), SMALL),
        text(x + width - 8, y + 16, pod.address, CODE, anchor="end"),
    ]
    if pod.misplaced:
        shapes.append(Sign(x + 13, y + 12, State.DRIFTED))
    where = f", which is not in {machine.pod_subnet}: drifted" if pod.misplaced else ""
    return [Group(tuple(shapes), f"pod {pod.namespace}/{pod.name}: {pod.address}{where}")]
