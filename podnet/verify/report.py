"""The verdict: each check with what was seen."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from podnet.errors import PodnetError
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
    """A check and what was seen of it.

    source, destination: names (``node1`` a node, ``node1/a`` a pod on it). source_node, destination_node: the node that
    each is on; empty where it is on none (the outside, a DNS name). hint: on failure, what to look at.
    untried: why nobody tried, where nobody did: then it is neither passed nor failed, and nothing is proved.
    """

    id: str
    scenario: str
    action: str
    source: str
    source_node: str
    destination: str
    destination_node: str
    expected: str
    seen: str
    passed: bool
    milliseconds: float = 0
    hint: str = ""
    untried: str = ""


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod that has an address of the pod network (not one in its node's own network). app: its label app."""

    namespace: str
    name: str
    node: str
    address: str
    app: str = ""


@dataclass(frozen=True, slots=True)
class SeenRoute:
    """A route with podnet's mark, as a node's kernel has it."""

    node: str
    destination: str
    gateway: str
    device: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a verification found.

    pods: every pod of the pod network but the verification's own. routes: every route of podnet's in a kernel.
    """

    results: tuple[Result, ...]
    pods: tuple[Pod, ...]
    routes: tuple[SeenRoute, ...]
    seconds: float

    @property
    def failed(self) -> tuple[Result, ...]:
        """The checks that do not hold."""
        return tuple(result for result in self.results if not result.passed and not result.untried)

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
            reasons.setdefault(result.untried, []).append(result.scenario)
        (why, scenarios), *others = reasons.items()
        more = f"; and for {len(others)} more reason{'s' if len(others) > 1 else ''}" if others else ""
        return f"{', '.join(dict.fromkeys(scenarios))}: {why}{more}"


def dump(report: Report) -> str:
    """Write a report as JSON."""
    return json.dumps(asdict(report) | {"verdict": report.verdict}, indent=2) + "\n"


def load(text: str) -> Report:
    """Read what dump wrote. Raises PodnetError for anything else."""
    try:
        document = json.loads(text)
        return Report(
            results=tuple(Result(**each) for each in document["results"]),
            pods=tuple(Pod(**each) for each in document["pods"]),
            routes=tuple(SeenRoute(**each) for each in document["routes"]),
            seconds=document["seconds"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise PodnetError(f"this is no report of a verification: {error}") from None


def judge(check: Check, seen: Observation | None) -> Result:
    """Hold what was seen against what was expected. None: the probe gave no answer."""
    if check.untried:
        return _result(check, "not tried", passed=False)
    if seen is None:
        return _result(check, "nothing: the probe did not answer", passed=False)
    if check.refused:
        text = "reached" if seen.reached else f"refused: {seen.error}" if seen.refused else f"failed: {seen.error}"
        return _result(check, text, passed=seen.refused and not seen.reached, milliseconds=seen.milliseconds)
    if not seen.reached:
        return _result(check, f"not reached: {seen.error}", passed=False)
    passed = not check.sources or seen.source in check.sources
    text = seen.source or ("reached, but the other end did not see from where" if check.sources else "reached")
    return _result(check, text, passed=passed, milliseconds=seen.milliseconds)


def _result(check: Check, seen: str, *, passed: bool, milliseconds: float = 0) -> Result:
    return Result(
        id=check.id,
        scenario=check.scenario,
        action=check.action,
        source=check.source.name,
        source_node=check.source.node,
        destination=check.destination.name,
        destination_node=check.destination.node,
        expected=check.expected,
        seen=seen,
        passed=passed,
        milliseconds=milliseconds,
        untried=check.untried,
    )


def judge_all(checks: Iterable[Check], seen: Mapping[str, Observation]) -> list[Result]:
    """The result of every check, by what was seen under its id."""
    return [judge(check, seen.get(check.id)) for check in checks]
