"""The page: picture, matrix and tables in one file that needs nothing else.

Jinja's templates are read as the page that they make, and escape every value. The evidence travels as JSON, which the
page's script writes as text.
"""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from podnet.draw import labels
from podnet.draw.evidence import summarize
from podnet.draw.graph import graph
from podnet.draw.pair_matrix import pair_matrix
from podnet.draw.style import css_class
from podnet.draw.svg import element
from podnet.planning import ClusterPlan
from podnet.verify.report import Report, Result


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
    templates.filters["css_class"] = css_class
    drawn = graph(plan, report)
    results = report.results if report else ()
    return templates.get_template("page.html").render(
        graph=drawn,
        picture=Markup(element(drawn)),  # noqa: S704  # ElementTree has escaped what is in it
        report=report,
        matrix=pair_matrix(plan, results) if report else None,
        checks=[_evidence(result) for result in results],
        labels=labels,
    )


def _evidence(result: Result) -> dict[str, Any]:
    state = summarize([result]).state
    return {
        "state": state,
        "sign": labels.SIGNS[state],
        "id": result.id,
        "expected": result.expected,
        "seen": result.seen,
        "milliseconds": result.milliseconds,
        "hint": result.hint,
        "untried": result.untried,
    }
