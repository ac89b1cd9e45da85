"""The verdict: each check with what was seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from podnet.verify.scenarios import Check


@dataclass(frozen=True, slots=True)
class Observation:
    """What one probe saw.

    source: the address that the destination saw, where it can tell. refused: it did not get through for the reason
    that was expected, which is more than not getting through.
    """

    reached: bool
    refused: bool = False
    source: str = ""
    milliseconds: float = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """A check and what was seen of it. hint: on failure, what to look at."""

    id: str
    scenario: str
    action: str
    source: str
    destination: str
    expected: str
    seen: str
    passed: bool
    milliseconds: float = 0
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod of the workload, for the outputs."""

    name: str
    node: str
    address: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a verification found."""

    results: tuple[Result, ...]
    pods: tuple[Pod, ...]
    seconds: float

    @property
    def failed(self) -> tuple[Result, ...]:
        """The checks that do not hold."""
        return tuple(result for result in self.results if not result.passed)

    @property
    def verdict(self) -> str:
        """One line: how much was checked and what came of it."""
        count = len(self.results)
        if self.failed:
            return f"failed: {len(self.failed)} of {count} checks do not hold"
        return f"passed: all {count} checks hold"


def judge(check: Check, seen: Observation | None) -> Result:
    """Hold what was seen against what was expected. None: the probe gave no answer."""
    if seen is None:
        return _result(check, "nothing: the probe did not answer", passed=False)
    if check.refused:
        text = "reached" if seen.reached else f"refused: {seen.error}" if seen.refused else f"failed: {seen.error}"
        return _result(check, text, passed=seen.refused, milliseconds=seen.milliseconds)
    if not seen.reached:
        return _result(check, f"not reached: {seen.error}", passed=False)
    passed = not check.sources or seen.source in check.sources
    return _result(check, seen.source or "reached", passed=passed, milliseconds=seen.milliseconds)


def _result(check: Check, seen: str, *, passed: bool, milliseconds: float = 0) -> Result:
    return Result(
        id=check.id,
        scenario=check.scenario,
        action=check.action,
        source=check.source.name,
        destination=check.destination.name,
        expected=check.expected,
        seen=seen,
        passed=passed,
        milliseconds=milliseconds,
    )


def judge_all(checks: Iterable[Check], seen: Mapping[str, Observation]) -> list[Result]:
    """The result of every check, by what was seen under its id."""
    return [judge(check, seen.get(check.id)) for check in checks]
