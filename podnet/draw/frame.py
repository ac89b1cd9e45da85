"""What stands around the machines: the title above, the way to the outside and the legend below."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from podnet.draw import shapes
from podnet.draw.graph import Graph, State
from podnet.draw.measure import width
from podnet.draw.shapes import CODE, SMALL, STRONG, TEXT, TITLE, Box, Line, Mark, Shape, Text, Words, say, width_of
from podnet.draw.style import word

_MEANINGS: Final = {
    State.PLANNED: "nobody has looked yet",
    State.PASSED: "every check that takes it holds",
    State.FAILED: "a check that takes it does not hold",
    State.NOT_TRIED: "no check took it",
    State.DRIFTED: "the kernel and the plan differ",
}


@dataclass(frozen=True, slots=True)
class Head:
    """What is drawn, and what came of looking at it."""

    graph: Graph

    @property
    def title(self) -> str:
        """The picture's name, where it is read out."""
        return f"Pod network of {self.graph.name}"

    @property
    def description(self) -> str:
        """The picture in a few words, where it is read out."""
        lines = [f"{machine.name}: {machine.role}, {machine.address}" for machine in self.graph.machines]
        return f"{self._summary}; {self._verdict}. {'; '.join(lines)}."

    @property
    def _summary(self) -> str:
        machines, routes = len(self.graph.machines), len(self.graph.routes)
        return f"{machines} machines, {routes} routes, pods in {self.graph.pod_subnet} without NAT"

    @property
    def _verdict(self) -> str:
        return self.graph.verdict or "planned: drawn from the plan alone"

    @property
    def _strays(self) -> str:
        strays = self.graph.strays
        if not strays:
            return ""
        first = f"{strays[0].name} on {strays[0].node}"
        return f"{len(strays)} {'pod' if len(strays) == 1 else 'pods'} not on a planned machine: {first}"[:90]

    @property
    def width(self) -> float:
        """The width of its longest line."""
        small = max(width(text, TEXT) for text in (self._summary, self._verdict, self._strays)) + 18
        return max(width(self.title, TITLE), small)

    @property
    def height(self) -> float:
        """With the room below it."""
        return 86 + (20 if self._strays else 0)

    def draw(self, x: float, y: float) -> Iterator[Shape]:
        """Draw it."""
        yield say(x, y + 18, self.title, TITLE)
        yield say(x, y + 41, self._summary, TEXT, "muted")
        state = self.graph.state
        yield Mark(x + 5, y + 57, state)
        yield say(x + 18, y + 61, self._verdict, STRONG, f"said {word(state)}")
        if self._strays:
            yield Mark(x + 5, y + 77, State.DRIFTED)
            yield say(x + 18, y + 81, self._strays, TEXT, f"said {word(State.DRIFTED)}")


@dataclass(frozen=True, slots=True)
class Foot:
    """The gateway, the outside behind it, and what the states mean."""

    graph: Graph

    @property
    def _gateway(self) -> tuple[Words, ...]:
        return (Words("gateway", STRONG), Words("  ", SMALL), Words(self.graph.gateway, CODE))

    @property
    def _outside(self) -> tuple[tuple[Words, ...], ...]:
        tried = Words(self.graph.outside, CODE)
        return (
            (Words("outside", STRONG),),
            (Words("sees machines, never pods", SMALL),),
            (Words("tried at ", SMALL), tried),
        )

    @property
    def _states(self) -> tuple[State, ...]:
        return tuple(State)[1:] if self.graph.verdict else (State.PLANNED,)

    @property
    def _box(self) -> float:
        return max(width_of(words) for words in (*self._outside, self._gateway)) + 28

    @property
    def height(self) -> float:
        """From the lower edge of the network."""
        return 14 + 34 + 68

    def draw(self, left: float, right: float, y: float) -> Iterator[Shape]:
        """Draw it below the network, which ends at y."""
        box, x = self._box, right - 14 - self._box
        middle = x + box / 2
        state = self.graph.leaving.state
        kind = word(state)
        yield Line(((middle, y + 14), (middle, y + 42)), f"route {kind}")
        yield shapes.Head((middle, y + 48), "down", f"head {kind}")
        if state is not State.PLANNED:
            yield Mark(middle + 15, y + 30, state)
            yield say(middle + 27, y + 34, state, SMALL, f"said {kind}")
        yield Box(x, y - 16, box, 30, "interface")
        yield Text(middle, y + 3.5, self._gateway, anchor="middle")
        yield Box(x, y + 48, box, 68, "outside", 10)
        for number, words in enumerate(self._outside):
            yield Text(middle, y + 68 + 18 * number, words, "ink" if number == 0 else "muted", "middle")
        for number, each in enumerate(self._states):
            yield from self._meaning(left, y + 40 + 20 * number, each)

    def _meaning(self, x: float, y: float, state: State) -> Iterator[Shape]:
        yield Line(((x, y - 4), (x + 34, y - 4)), f"route {word(state)}")
        yield Mark(x + 48, y - 4, state)
        yield say(x + 60, y, f"{state}: {_MEANINGS[state]}", SMALL, f"said {word(state)}")
