"""Text from elsewhere: what cannot be seen is written out, and nothing of it is Markdown or breaks XML."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podnet.markdown import escaped, table
from podnet.text import counted, few, visible, xml_text


def test_what_cannot_be_seen_is_written_out() -> None:
    assert visible("a\x1b[31m\u202eb\tc\n") == "a\\u001b[31m\\u202eb\tc\n"


@pytest.mark.parametrize(("count", "words"), [(0, "0 routes"), (1, "1 route"), (2, "2 routes")])
def test_so_many_of_something(count: int, words: str) -> None:
    assert counted(count, "route") == words


@pytest.mark.parametrize(("count", "words"), [(0, ""), (3, "a, b, c"), (5, "a, b, c and 2 more")])
def test_a_few_of_many(count: int, words: str) -> None:
    assert few("abcde"[:count]) == words


@given(st.text())
def test_xml_holds_it(text: str) -> None:
    element = ET.Element("x")
    element.text = xml_text(text)
    ET.fromstring(ET.tostring(element))  # noqa: S314  # it is our own


@given(st.lists(st.text(), min_size=2, max_size=2))
def test_a_row_of_a_table_stays_one_row_with_its_cells(cells: list[str]) -> None:
    lines = list(table(["a", "b"], [cells]))
    assert len(lines) == 3
    assert "\n".join(lines).splitlines() == lines
    assert lines[2].replace("\\\\", "").replace("\\|", "").count("|") == 3


def test_every_sign_of_markdown_is_escaped() -> None:
    assert escaped("-A x | <b>  *[y]_\n`z`\\") == r"-A x \| \<b\> \*\[y\]\_ \`z\`\\"
