"""How much is known of a thing: a state, and the checks that say so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from podnet.verify.report import Result


class State(StrEnum):
    """How much is known of a thing; the value is the word that every picture writes beside it."""

    PLANNED = "planned"
    PASSED = "passed"
    FAILED = "failed"
    NOT_TRIED = "not tried"
    DRIFTED = "drifted"


WORST_FIRST: Final = (State.FAILED, State.DRIFTED, State.NOT_TRIED, State.PASSED, State.PLANNED)
"""The states, the one first that has to be seen first."""


def worst(states: Iterable[State]) -> State:
    """Give the state that stands for several; planned where there are none."""
    return min(states, key=WORST_FIRST.index, default=State.PLANNED)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A state, and why. note: a few words for the picture. details: a line for each check that does not hold."""

    state: State
    note: str = ""
    details: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.state}: {self.note}" if self.note else str(self.state)

    def drifted(self, note: str, details: Iterable[str] = ()) -> Evidence:
        """The same where the plan and what is there differ; what the checks say is kept."""
        return Evidence(State.DRIFTED, note, (*details, *self.details))


PLANNED: Final = Evidence(State.PLANNED)


def summarize(results: Iterable[Result]) -> Evidence:
    """Sum up checks: one that fails decides, then one that was not tried; none at all means that nobody tried."""
    results = list(results)
    failed = [result for result in results if result.failed]
    untried = [result for result in results if result.untried]
    for state, those in ((State.FAILED, failed), (State.NOT_TRIED, untried)):
        if those:
            return Evidence(state, f"{len(those)} of {len(results)} checks", tuple(map(detail, those)))
    return Evidence(State.PASSED if results else State.NOT_TRIED)


def detail(result: Result) -> str:
    """A check that does not hold, in a line."""
    seen = f"not tried: {result.untried}" if result.untried else f"expected {result.expected}, seen {result.seen}"
    return f"{result.id}: {seen}"
