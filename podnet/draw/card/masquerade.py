"""How the pods of a machine leave the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from podnet.draw.card.block import BESIDE, WIDEST, said, way
from podnet.draw.graph import Graph, Machine, State
from podnet.draw.shapes import (
    CODE,
    SMALL,
    STRONG,
    Shape,
    Text,
    Words,
    say,
    width_of,
)


@dataclass(frozen=True, slots=True)
class Masquerade:
    """How the pods of a machine leave the cluster."""

    machine: Machine
    graph: Graph

    @property
    def _lines(self) -> tuple[tuple[Words, ...], ...]:
        spared = ", ".join(self.graph.unmasqueraded)
        machine = self.machine
        lines: list[tuple[Words, ...]] = [
            (Words(machine.pod_subnet, CODE), Words(" leaves as ", SMALL), Words(machine.address, CODE)),
            (Words("not towards ", SMALL), Words(spared, CODE), Words(" or machines", SMALL)),
        ]
        if self.graph.hidden_by_bridge:
            lines.append((Words("ipMasq: hidden from other nodes' pods too", SMALL),))
        return tuple(lines)

    @property
    def width(self) -> float:
        """Its longest line."""
        return min(max(BESIDE + width_of(line) for line in self._lines), WIDEST)

    @property
    def height(self) -> float:
        """Its heading and its lines."""
        return 10 + 18 + 16 * len(self._lines) + 8

    def shapes(self, x: float, y: float, width: float, height: float) -> Iterator[Shape]:
        """The rule in words, with what the outside saw."""
        yield way(x, y, height)
        # At the bottom: it is the last thing before the interface.
        line = y + height - self.height + 10 + 11
        yield say(x + BESIDE, line, "masquerade", STRONG)
        if self.machine.leaving.state is not State.PLANNED:
            yield said(x + width - 10, line, self.machine.leaving)
        for number, words in enumerate(self._lines):
            yield Text(x + BESIDE, line + 18 + 16 * number, words, "muted")
