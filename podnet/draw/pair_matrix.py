"""The checks by pair: from where in the rows, to where in the columns, in every cell the checks of that pair."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from podnet.draw.evidence import State, summarize
from podnet.planning import ClusterPlan
from podnet.verify.check import Endpoint, EndpointKind, PathKind
from podnet.verify.report import Result

_PODS: Final = "pods on"
_MACHINES: Final = "machines"
_SERVICES: Final = "Services of pods on"
_ELSEWHERE: Final = "elsewhere"
_ORDER: Final = (_PODS, _MACHINES, _SERVICES, _ELSEWHERE)

_GROUPS: Final = {
    EndpointKind.POD: _PODS,
    EndpointKind.NODE: _MACHINES,
    EndpointKind.SERVICE: _SERVICES,
    EndpointKind.NODE_PORT: _SERVICES,
}

_DNS: Final = "DNS"
_OWN: Final = "own set-up"
"""Where a check looks at a machine itself: its conf, its rules, its kernel's routes."""


@dataclass(frozen=True, slots=True)
class Place:
    """A row or a column. group: what kind of place. name: which one."""

    group: str
    name: str

    def __str__(self) -> str:
        return f"{self.group} {self.name}" if self.group in {_PODS, _SERVICES} else self.name


@dataclass(frozen=True, slots=True)
class PairCell:
    """A pair. checks: the numbers of its results in the report."""

    source: Place
    destination: Place
    checks: tuple[int, ...]
    state: State
    passed: int

    @property
    def label(self) -> str:
        """The cell in words."""
        found = f"{self.passed} of {len(self.checks)} hold" if self.checks else "no check"
        return f"{self.source} to {self.destination}: {self.state}, {found}"


@dataclass(frozen=True, slots=True)
class PairMatrix:
    """columns: of all rows. groups: what stands above the columns, and over how many. rows: a place and its cells."""

    columns: tuple[Place, ...]
    groups: tuple[tuple[str, int], ...]
    rows: tuple[tuple[Place, tuple[PairCell, ...]], ...]


def pair_matrix(plan: ClusterPlan, results: Sequence[Result]) -> PairMatrix:
    """Sort the results of a report into a matrix. Nodes stand in the plan's order, and none is left out."""
    pairs: dict[tuple[Place, Place], list[int]] = defaultdict(list)
    for number, result in enumerate(results):
        pairs[_place(result.source), _destination(result)].append(number)
    # The places that the plan has, and then those that only the report has.
    known = [Place(group, node.node.name) for group in (_PODS, _MACHINES, _SERVICES) for node in plan.nodes]
    sources = dict.fromkeys([*(place for place in known if place.group != _SERVICES), *(pair[0] for pair in pairs)])
    columns = sorted(dict.fromkeys([*known, *(pair[1] for pair in pairs)]), key=lambda place: _ORDER.index(place.group))
    groups = groupby(columns, key=lambda place: place.group)
    return PairMatrix(
        columns=tuple(columns),
        groups=tuple((group, len(list(members))) for group, members in groups),
        rows=tuple(
            (source, tuple(_cell(source, column, pairs[source, column], results) for column in columns))
            for source in sources
        ),
    )


def _cell(source: Place, destination: Place, checks: Sequence[int], results: Sequence[Result]) -> PairCell:
    mine = [results[number] for number in checks]
    # What does not hold is read first.
    ordered = sorted(checks, key=lambda number: (results[number].passed, results[number].untried))
    return PairCell(source, destination, tuple(ordered), summarize(mine).state, sum(result.passed for result in mine))


def _destination(result: Result) -> Place:
    end = result.destination
    if result.scenario.path is PathKind.NODE_STATE or end is None:
        return Place(_ELSEWHERE, _OWN)
    # The name that was asked for is of this one verification.
    return Place(_ELSEWHERE, _DNS) if end.kind is EndpointKind.NAME else _place(end)


def _place(end: Endpoint) -> Place:
    # A pod that is due and not there is on no node.
    return Place(_GROUPS[end.kind], end.node) if end.node and end.kind in _GROUPS else Place(_ELSEWHERE, end.name)
