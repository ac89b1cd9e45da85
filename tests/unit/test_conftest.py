"""What pytest says at the end of a run."""

from __future__ import annotations

import pytest

pytest_plugins = "pytester"

TESTS = """
import pytest

@pytest.mark.boxes
@pytest.mark.parametrize("number", range(3))
def test_boxes(number):
    if {skips}:
        pytest.skip("boxes need root")

def test_other():
    pytest.skip("no vagrant")
"""


@pytest.mark.parametrize(("skips", "said"), [(True, True), (False, False)])
def test_boxes_that_were_not_run_are_the_last_that_is_said(pytester: pytest.Pytester, skips: bool, said: bool) -> None:
    pytester.makeconftest("from tests.conftest import pytest_terminal_summary")
    pytester.makepyfile(TESTS.format(skips=skips))
    output = pytester.runpytest_inprocess("-p", "no:xdist", "-p", "no:cacheprovider").stdout.str()
    assert ("NOT RUN: 3 tests on real boxes (they need root)" in output) is said
