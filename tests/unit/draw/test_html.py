"""The page's bytes; what it does is in tests/browser."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from podnet.draw.html import page
from tests.conftest import Golden
from tests.unit.draw import clusters

PLAN = clusters.planned(3)
PAGES = {"plan-3": page(PLAN), "failed-3": page(PLAN, clusters.broken_report(PLAN))}

VOID = {"meta", "link"}


class Reader(HTMLParser):
    """Reads a page strictly: everything that is opened is closed in its order, and every id is there once."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.linked: list[str] = []
        self.named: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {key: value or "" for key, value in attrs}
        self.ids += [values["id"]] if "id" in values else []
        self.named += values.get("aria-labelledby", "").split()
        self.linked += [values[key] for key in ("href", "src") if key in values]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", PAGES)
def test_the_page(golden: Golden, name: str) -> None:
    golden(f"draw/{name}.html", PAGES[name])


@pytest.mark.parametrize("name", PAGES)
def test_it_is_whole_and_needs_nothing_else(name: str) -> None:
    reader = Reader(PAGES[name])
    assert reader.open == []
    assert len(set(reader.ids)) == len(reader.ids)
    assert set(reader.named) <= set(reader.ids)
    assert all(link == "data:," or link.removeprefix("#") in reader.ids for link in reader.linked)


def test_without_a_report_there_is_no_matrix() -> None:
    assert "Nothing was verified" in PAGES["plan-3"]
    assert "<script" not in PAGES["plan-3"]
