"""The pods of a machine, and the bridge that they hang on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from podnet.draw.card.block import BESIDE, MARK, SPINE, WIDEST, said
from podnet.draw.graph import Machine, State
from podnet.draw.measure import shortened, width
from podnet.draw.shapes import (
    CODE,
    SMALL,
    STRONG,
    Box,
    Group,
    Line,
    Mark,
    Shape,
    Text,
    Words,
    say,
    width_of,
)


@dataclass(frozen=True, slots=True)
class Pods:
    """The pods of a machine, hanging on their bridge. most: how many are shown."""

    machine: Machine
    most: int

    @property
    def _rows(self) -> int:
        return min(max(len(self.machine.pods or ()), 1), self.most)

    @property
    def width(self) -> float:
        """The widest of the caption, the range and the pods, which may be shortened."""
        pods = self.machine.pods or ()
        address = max((width(pod.address, CODE) for pod in pods), default=0)
        name = max((width(pod.name, SMALL) for pod in pods), default=0)
        caption = width(f"pod subnet {self.machine.pod_subnet}", CODE) + 90
        return min(max(caption, width(self._range, SMALL) + 60, name + address + 80), WIDEST)

    @property
    def height(self) -> float:
        """A row for each pod that is shown, and the bridge."""
        return 30 + 30 * self._rows + 4 + 30 + 8

    @property
    def _range(self) -> str:
        return f"pods get {self.machine.first_pod} to {self.machine.last_pod}"

    def shapes(self, x: float, y: float, width: float, height: float) -> Iterator[Shape]:
        """The pods on their wires, and the bridge that they hang on."""
        machine = self.machine
        yield Box(x, y, width, height, "subnet", 6)
        yield Text(x + 10, y + 19, (Words("pod subnet ", SMALL), Words(machine.pod_subnet, CODE)), "muted")
        if machine.local.state is not State.PLANNED:
            yield said(x + width - 10, y + 19, machine.local)
        bridge = y + height - 38
        rows = list(self._pods(x + BESIDE + 4, y + 30, width - BESIDE - 14))
        for row in range(len(rows)):
            middle = y + 30 + 30 * row + 12
            yield Line(((x + SPINE + 8, bridge), (x + SPINE + 8, middle), (x + BESIDE + 4, middle)), "wire")
        for shapes in rows:
            yield from shapes
        yield Box(x + 10, bridge, width - 20, 30, "bridge")
        yield say(x + 20, bridge + 19.5, machine.bridge, STRONG, "on-bridge")
        yield say(x + width - 20, bridge + 19.5, machine.bridge_address, CODE, "on-bridge", anchor="end")

    def _pods(self, x: float, y: float, width: float) -> Iterator[list[Shape]]:
        pods = self.machine.pods
        if not pods:
            text = self._range if pods is None else "no pod seen"
            yield [Box(x, y, width, 24, "ghost"), say(x + 8, y + 16, text, SMALL, "muted")]
            return
        shown = pods if len(pods) <= self.most else pods[: self.most - 1]
        for row, pod in enumerate(shown):
            top = y + 30 * row
            mark = MARK if pod.astray else 0
            room = width - 28 - mark - width_of((Words(pod.address, CODE),))
            shapes: list[Shape] = [
                Box(x, top, width, 24, "pod"),
                say(x + 8 + mark, top + 16, shortened(pod.name, SMALL, room), SMALL),
                say(x + width - 8, top + 16, pod.address, CODE, anchor="end"),
            ]
            if pod.astray:
                shapes.append(Mark(x + 13, top + 12, State.DRIFTED))
            where = f", which is not in {self.machine.pod_subnet}: drifted" if pod.astray else ""
            yield [Group(tuple(shapes), f"pod {pod.namespace}/{pod.name}: {pod.address}{where}")]
        if len(shown) < len(pods):
            top = y + 30 * len(shown)
            text = f"+{len(pods) - len(shown)} more pods"
            yield [Box(x, top, width, 24, "ghost"), say(x + 8, top + 16, text, SMALL, "muted")]
