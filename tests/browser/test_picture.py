"""The picture in a real browser: what the layout takes a text to be, held against what it is."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from podnet.draw.layout import lay_out
from podnet.draw.shapes import spans_width
from podnet.draw.svg import picture
from tests.browser.conftest import Browser
from tests.unit.draw.test_picture import CASES, said, texts

_MEASURE = """
return [...document.querySelectorAll("text")].map((text) => {
  const box = text.getBBox();
  return { text: text.textContent, left: box.x, right: box.x + box.width, width: text.getComputedTextLength(),
           top: box.y + box.height * 0.2, bottom: box.y + box.height * 0.95 };
});
"""
"""Every text. A box of the browser's has the room for accents above and below; letters take less of it."""


def measured(browser: Browser, name: str) -> list[dict[str, Any]]:
    browser.open(f"{name}.svg", picture(CASES[name]))
    found: list[dict[str, Any]] = browser.driver.execute_script(_MEASURE)
    return found


@pytest.mark.parametrize("name", CASES)
def test_no_text_is_wider_than_the_layout_takes_it_to_be(browser: Browser, name: str) -> None:
    expected = texts(lay_out(CASES[name]))
    found = measured(browser, name)
    assert [each["text"] for each in found] == [said(text) for text in expected]
    wider = [
        each["text"]
        for each, text in zip(found, expected, strict=True)
        if each["width"] > spans_width(text.spans) + 0.5
    ]
    assert wider == []
    assert browser.said() == []


@pytest.mark.parametrize("name", [name for name in CASES if not name.endswith("-20")])
def test_no_two_texts_overlap_as_drawn(browser: Browser, name: str) -> None:
    found = measured(browser, name)
    overlapping = [
        (one["text"], other["text"])
        for one, other in combinations(found, 2)
        if one["left"] < other["right"]
        and other["left"] < one["right"]
        and one["top"] < other["bottom"]
        and other["top"] < one["bottom"]
    ]
    assert overlapping == []


def test_the_picture_follows_the_readers_theme(browser: Browser) -> None:
    grounds = []
    for theme in ("light", "dark"):
        browser.theme(theme)
        browser.open("theme.svg", picture(CASES["plan-3"]))
        script = "return getComputedStyle(document.querySelector('.paper')).fill"
        grounds.append(browser.driver.execute_script(script))
    assert grounds == ["rgb(255, 255, 255)", "rgb(13, 17, 23)"]
