"""The page: picture, matrix and tables in one file that needs nothing else.

Jinja's templates are read as the page that they make, and escape every value. The evidence travels as JSON, which the
page's script writes as text.
"""

from __future__ import annotations

from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from podnet.draw.graph import State, graph, judge
from podnet.draw.grid import grid
from podnet.draw.style import word
from podnet.draw.svg import element
from podnet.planning import ClusterPlan
from podnet.verify.report import Report, Result

_SIGNS: Final = {
    State.PLANNED: "○",
    State.PASSED: "✓",
    State.FAILED: "✗",
    State.NOT_TRIED: "·",
    State.DRIFTED: "⚠",
}


def page(plan: ClusterPlan, report: Report | None = None) -> str:
    """Make the page of a plan, and of what was seen."""
    templates = Environment(
        loader=PackageLoader("podnet.draw", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters["word"] = word
    drawn = graph(plan, report)
    results = report.results if report else ()
    return templates.get_template("page.html").render(
        graph=drawn,
        picture=Markup(element(drawn)),  # noqa: S704  # ElementTree has escaped what is in it
        failed=report.failed if report else (),
        untried=report.untried if report else (),
        grid=grid(plan, results) if report else None,
        checks=[_evidence(result) for result in results],
        signs=_SIGNS,
    )


def _evidence(result: Result) -> dict[str, Any]:
    state = judge([result]).state
    return {
        "state": state,
        "sign": _SIGNS[state],
        "id": result.id,
        "expected": result.expected,
        "seen": result.seen,
        "milliseconds": result.milliseconds,
        "hint": result.hint,
        "untried": result.untried,
    }
