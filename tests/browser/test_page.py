"""The page in a real browser: opened from a file, with a failing cell found, clicked and read."""

from __future__ import annotations

from dataclasses import replace

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from podnet.draw import labels
from podnet.draw.evidence import State
from podnet.draw.html import page
from podnet.verify.report import Pod, Report
from tests.browser.conftest import Browser
from tests.unit.draw import clusters

PLAN = clusters.planned(3)
BROKEN = clusters.broken_report(PLAN)

FAILING = "pods on node1 to pods on node2: failed, 0 of 3 hold"


def open_page(browser: Browser, report: Report | None = BROKEN) -> None:
    browser.open("page.html", page(PLAN, report))


def cells(browser: Browser, state: str) -> list[WebElement]:
    return browser.driver.find_elements(By.CSS_SELECTOR, f".matrix .cell.{state}")


def labelled(browser: Browser, label: str) -> WebElement:
    return browser.driver.find_element(By.CSS_SELECTOR, f'.matrix [aria-label="{label}"]')


def evidence(browser: Browser) -> str:
    return str(browser.driver.find_element(By.ID, "evidence").text)


def press(browser: Browser, key: str) -> None:
    browser.driver.switch_to.active_element.send_keys(key)


def focused(browser: Browser) -> str:
    return browser.driver.switch_to.active_element.get_attribute("aria-label") or ""


@pytest.mark.parametrize("report", [None, BROKEN], ids=["plan", "report"])
def test_it_works_without_a_network_and_without_an_error(browser: Browser, report: Report | None) -> None:
    open_page(browser, report)
    asked = [url for url in browser.requests() if not url.startswith("data:")]
    assert asked == [(browser.folder / "page.html").as_uri()]
    assert browser.said() == []
    assert browser.driver.title == "Pod network of dev"


def test_exactly_the_pairs_that_fail_are_marked(browser: Browser) -> None:
    open_page(browser)
    assert [cell.get_attribute("aria-label") for cell in cells(browser, "failed")] == [
        FAILING,
        "pods on node1 to Services of pods on node2: failed, 0 of 1 hold",
        "pods on node2 to pods on node1: failed, 0 of 3 hold",
        "pods on node2 to Services of pods on node1: failed, 0 of 1 hold",
        "node1 to pods on node2: failed, 0 of 1 hold",
        "node2 to pods on node1: failed, 0 of 1 hold",
    ]
    assert {cell.text for cell in cells(browser, "failed")} == {"✗"}
    assert {cell.text for cell in cells(browser, "passed")} == {"✓"}
    assert {cell.text for cell in cells(browser, "not-tried")} == {labels.SIGNS[State.NOT_TRIED]}
    assert len(cells(browser, "passed")) == 3 * 11 + 3 * 3 - 6


def test_a_failing_cell_is_clicked_and_its_evidence_read(browser: Browser) -> None:
    open_page(browser)
    assert evidence(browser) == "No cell chosen."
    cell = labelled(browser, FAILING)
    cell.click()
    assert cell.get_attribute("aria-pressed") == "true"
    read = evidence(browser)
    assert read.startswith(FAILING)
    failed = [result for result in BROKEN.failed if "node1/a" in result.id and "node2/b" in result.id]
    assert [result.action for result in failed] == ["icmp", "tcp", "udp"]
    for result in failed:
        assert f"✗ failed {result.id}" in read
    assert "expected\n10.22.2.2" in read
    assert "seen\nnot reached: timed out" in read
    assert "look at\nnode1 has no route to node2's pods" in read

    labelled(browser, "pods on master to pods on node1: passed, 3 of 3 hold").click()
    assert "✓ passed pod-to-pod-other-node/tcp: master/a (10.22.1.2) -> node1/b (10.22.2.3)" in evidence(browser)
    assert "time\n0.4 ms" in evidence(browser)
    assert cell.get_attribute("aria-pressed") == "false"
    press(browser, Keys.ESCAPE)
    assert "passed pod-to-pod" not in evidence(browser)


def test_the_keyboard_is_enough(browser: Browser) -> None:
    open_page(browser)
    # The Tab key leads past links and tables to the first cell that fails, and its evidence is there at once.
    for _ in range(30):
        press(browser, Keys.TAB)
        if focused(browser) == FAILING:
            break
    assert evidence(browser).startswith(FAILING)
    press(browser, Keys.ENTER)
    assert labelled(browser, FAILING).get_attribute("aria-pressed") == "true"
    press(browser, Keys.ARROW_LEFT)
    assert focused(browser) == "pods on node1 to pods on node1: passed, 3 of 3 hold"
    # A chosen cell is kept while others are passed over.
    assert evidence(browser).startswith(FAILING)
    press(browser, Keys.ARROW_UP)
    assert focused(browser) == "pods on master to pods on node1: passed, 3 of 3 hold"
    press(browser, Keys.END)
    assert focused(browser) == "pods on master to outside: passed, 1 of 1 hold"
    press(browser, Keys.ARROW_RIGHT)
    assert focused(browser) == "pods on master to outside: passed, 1 of 1 hold"


def test_the_failed_checks_come_first(browser: Browser) -> None:
    open_page(browser)
    sections = [s.get_attribute("id") for s in browser.driver.find_elements(By.CSS_SELECTOR, "main > section")]
    assert sections == ["failed", "picture", "matrix", "nodes", "routes", "masquerade", "pods"]
    rows = browser.driver.find_elements(By.CSS_SELECTOR, "#failed tbody tr")
    assert [row.find_element(By.CSS_SELECTOR, ".id").text for row in rows] == [f"✗ {r.id}" for r in BROKEN.failed]


def test_what_a_cluster_says_is_text(browser: Browser) -> None:
    evil = "</script><img src=x onerror=\"document.title='broken'\">"
    results = tuple(
        replace(result, seen=evil, hint=evil, source=replace(result.source, name=evil)) for result in BROKEN.results
    )
    open_page(browser, replace(BROKEN, results=results, pods=(Pod(evil, evil, "node1", evil),)))
    labelled(browser, FAILING).click()
    assert evil in evidence(browser)
    assert browser.driver.find_elements(By.TAG_NAME, "img") == []
    assert browser.driver.title == "Pod network of dev"
    assert browser.said() == []


def test_light_and_dark(browser: Browser) -> None:
    open_page(browser)
    colours = {}
    for theme in ("light", "dark"):
        browser.theme(theme)
        colours[theme] = [
            browser.driver.find_element(By.TAG_NAME, "body").value_of_css_property("background-color"),
            browser.driver.find_element(By.CSS_SELECTOR, "svg .paper").value_of_css_property("fill"),
        ]
    assert colours == {
        "light": ["rgba(255, 255, 255, 1)", "rgb(255, 255, 255)"],
        "dark": ["rgba(13, 17, 23, 1)", "rgb(13, 17, 23)"],
    }
