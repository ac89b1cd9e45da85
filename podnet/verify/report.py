"""The verdict: each check with what was seen."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from podnet.errors import PodnetError
from podnet.node.spec import Route
from podnet.text import counted
from podnet.verify.check import Check, Endpoint, EndpointKind, Expectation, Locality, PathKind, Scenario, check_id

_FORMAT: Final = 2
"""Of a report as JSON. In 1 the ends of a check were names alone."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What one probe saw.

    source: the address that the destination saw, where it can tell. too_big: it did not get through, and the reason
    given was the packet's size.
    """

    reached: bool
    too_big: bool = False
    source: str = ""
    milliseconds: float = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """A check and what was seen of it.

    destination: None where a node alone is looked at. hint: on failure, what to look at.
    untried: why nobody tried, where nobody did: then it is neither passed nor failed, and nothing is proved.
    """

    scenario: Scenario
    action: str
    source: Endpoint
    destination: Endpoint | None
    expected: str
    seen: str
    passed: bool
    milliseconds: float = 0
    hint: str = ""
    untried: str = ""

    @property
    def id(self) -> str:
        """The check's."""
        return check_id(self.scenario, self.action, self.source, self.destination)

    @property
    def failed(self) -> bool:
        """Whether it was made and does not hold."""
        return not self.passed and not self.untried


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod that has an address of the pod network (not one in its node's own network). app: its label app."""

    namespace: str
    name: str
    node: str
    address: str
    app: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a verification found.

    pods: every pod of the pod network but the verification's own. routes: every route of podnet's in a kernel.
    """

    results: tuple[Result, ...]
    pods: tuple[Pod, ...]
    routes: tuple[Route, ...]
    seconds: float

    @property
    def failed(self) -> tuple[Result, ...]:
        """The checks that do not hold."""
        return tuple(result for result in self.results if result.failed)

    @property
    def untried(self) -> tuple[Result, ...]:
        """The checks that are due and could not be made."""
        return tuple(result for result in self.results if result.untried)

    @property
    def proved(self) -> bool:
        """Whether every check was made and holds."""
        return all(result.passed for result in self.results)

    @property
    def workload(self) -> tuple[Pod, ...]:
        """The pods of podnet's own workload, nginx."""
        return tuple(pod for pod in self.pods if (pod.namespace, pod.app) == ("default", "nginx"))

    @property
    def verdict(self) -> str:
        """One line: how much was checked and what came of it."""
        count, untried = len(self.results), len(self.untried)
        if self.failed:
            more = f", {untried} were not tried ({self._why})" if untried else ""
            return f"failed: {len(self.failed)} of {count} checks do not hold{more}"
        if untried:
            return f"not proved: {untried} of {count} checks were not tried ({self._why})"
        return f"passed: all {count} checks hold"

    @property
    def _why(self) -> str:
        """Why checks were not tried, each reason with the kinds of check; of many reasons the first."""
        reasons: dict[str, list[str]] = {}
        for result in self.untried:
            reasons.setdefault(result.untried, []).append(str(result.scenario))
        (why, scenarios), *others = reasons.items()
        more = f"; and for {counted(len(others), 'more reason')}" if others else ""
        return f"{', '.join(dict.fromkeys(scenarios))}: {why}{more}"


def dump(report: Report) -> str:
    """Write a report as JSON."""
    results = [{"id": result.id, **asdict(result)} for result in report.results]
    document = {"format": _FORMAT, **asdict(report), "results": results, "verdict": report.verdict}
    return json.dumps(document, indent=2) + "\n"


def load(text: str) -> Report:
    """Read what dump wrote. Raises PodnetError for anything else, also for what another version wrote."""
    try:
        document = json.loads(text)
        results, form = document["results"], document.get("format", 1)
        if form == _FORMAT:
            return Report(
                results=tuple(map(_load_result, results)),
                pods=tuple(Pod(**each) for each in document["pods"]),
                routes=tuple(Route(**each) for each in document["routes"]),
                seconds=document["seconds"],
            )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PodnetError(f"this is no report of a verification: {error}") from None
    raise PodnetError(f"this report has format {form!r}, another version's; expected {_FORMAT}: verify again")


def _load_result(document: Mapping[str, Any]) -> Result:
    fields = {key: value for key, value in document.items() if key != "id"}
    path, locality = fields["scenario"]["path"], fields["scenario"]["locality"]
    fields["scenario"] = Scenario(PathKind(path), None if locality is None else Locality(locality))
    for end in ("source", "destination"):
        if fields[end] is not None:
            fields[end] = Endpoint(**fields[end] | {"kind": EndpointKind(fields[end]["kind"])})
    return Result(**fields)


def judge(check: Check, seen: Observation | None) -> Result:
    """Hold what was seen against what was expected. None: the probe gave no answer."""
    if check.untried:
        return _result(check, "not tried", passed=False)
    if seen is None:
        return _result(check, "nothing: the probe did not answer", passed=False)
    match check.expectation:
        case Expectation.TOO_BIG:
            text = "reached" if seen.reached else f"{'refused' if seen.too_big else 'failed'}: {seen.error}"
            passed = seen.too_big and not seen.reached
        case Expectation.REACHED:
            text, passed = _reached(check, seen)
    return _result(check, text, passed=passed, milliseconds=seen.milliseconds)


def _reached(check: Check, seen: Observation) -> tuple[str, bool]:
    if not seen.reached:
        return f"not reached: {seen.error}", False
    text = seen.source or ("reached, but the other end did not see from where" if check.sources else "reached")
    return text, not check.sources or seen.source in check.sources


def _result(check: Check, seen: str, *, passed: bool, milliseconds: float = 0) -> Result:
    return Result(
        scenario=check.scenario,
        action=check.action,
        source=check.source,
        destination=check.destination,
        expected=check.expected,
        seen=seen,
        passed=passed,
        milliseconds=milliseconds,
        untried=check.untried,
    )


def judge_all(checks: Iterable[Check], seen: Mapping[str, Observation]) -> list[Result]:
    """The result of every check, by what was seen under its id."""
    return [judge(check, seen.get(check.id)) for check in checks]
