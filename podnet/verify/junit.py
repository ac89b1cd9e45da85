"""A report as JUnit's XML, which every CI reads: a test case for each check."""

from __future__ import annotations

from junitparser import Error, Failure, JUnitXml, TestCase, TestSuite

from podnet.text import xml_text
from podnet.verify.report import Report, Result


def junit(report: Report) -> str:
    """Write a report as XML. Times are in seconds."""
    suites: dict[str, TestSuite] = {}
    for result in report.results:
        suite = suites.setdefault(str(result.scenario), TestSuite(str(result.scenario)))
        suite.add_testcase(_case(result))
    document = JUnitXml("podnet verify")
    for suite in suites.values():
        document.add_testsuite(suite)
    document.update_statistics()  # type: ignore[no-untyped-call]
    # The checks run side by side: the whole takes less than their sum.
    document.time = report.seconds
    text: bytes = document.tostring()  # type: ignore[no-untyped-call]
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text.decode()}\n'


def _case(result: Result) -> TestCase:
    case = TestCase(
        xml_text(result.id), f"podnet.{result.scenario}.{result.action}", round(result.milliseconds / 1000, 5)
    )
    if result.untried:
        # An error and not "skipped", which most readers show as green: without the check nothing is proved.
        error = Error(xml_text(f"not tried: {result.untried}"), "not tried")
        error.text = xml_text(f"expected: {result.expected}\nnot tried: {result.untried}")
        case.result = [error]
    elif not result.passed:
        failure = Failure(xml_text(f"expected {result.expected}, seen {result.seen}"), "check")
        failure.text = xml_text(f"expected: {result.expected}\nseen: {result.seen}\nhint: {result.hint}")
        case.result = [failure]
    return case
