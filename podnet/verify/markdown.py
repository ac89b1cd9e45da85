"""A report as Markdown, for pull requests: verdict, matrix, and what does not hold."""

from __future__ import annotations

from podnet.markdown import escaped, table
from podnet.verify.check_matrix import check_matrix
from podnet.verify.report import Report


def markdown(report: Report) -> str:
    """Write a report as Markdown."""
    matrix = check_matrix(report.results)
    lines = [f"**{escaped(report.verdict)}**, in {report.seconds} s", ""]
    lines += table(["check", *matrix.columns], ([kind, *map(str, cells)] for kind, cells in matrix.rows))
    if report.failed:
        failures = ([r.id, r.expected, r.seen, f"{r.milliseconds:g}", r.hint] for r in report.failed)
        lines += ["", "### Does not hold", ""]
        lines += table(["check", "expected", "seen", "ms", "what to look at"], failures)
    if report.untried:
        lines += ["", "### Not tried", ""]
        lines += table(["check", "expected", "why"], ([r.id, r.expected, r.untried] for r in report.untried))
    return "\n".join(lines) + "\n"
