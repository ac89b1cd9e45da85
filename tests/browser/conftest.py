"""A Chromium without a window, as Debian packages it, with what it said and asked for."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.remote.command import Command

_FLAGS = (
    "--headless=new",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1400,1000",
)


@dataclass(frozen=True)
class Browser:
    """A browser and the folder that its pages lie in."""

    driver: Chrome
    folder: Path

    def open(self, name: str, text: str) -> None:
        """Write a file and open it, with nothing kept of what was before."""
        file = self.folder / name
        file.write_bytes(text.encode())
        self.said()
        self.requests()
        self.driver.get(file.as_uri())

    def theme(self, name: str) -> None:
        """Have the reader prefer light or dark."""
        features = [{"name": "prefers-color-scheme", "value": name}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def _log(self, kind: str) -> list[dict[str, str]]:
        found: list[dict[str, str]] = self.driver.execute(Command.GET_LOG, {"type": kind})["value"]
        return found

    def said(self) -> list[str]:
        """What was written to the console since the last time: errors of scripts and of whatever was refused too."""
        return [entry["message"] for entry in self._log("browser")]

    def requests(self) -> list[str]:
        """What was asked for since the last time, but what the browser's own first tab asks itself for."""
        messages = [json.loads(entry["message"])["message"] for entry in self._log("performance")]
        asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
        return [url for url in asked if not url.startswith("chrome://")]


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Give a browser; without one, skip (or fail where tests must not be skipped in silence)."""
    binary, helper = shutil.which("chromium"), shutil.which("chromedriver")
    if binary is None or helper is None:
        message = "no chromium and chromedriver (Debian packages chromium and chromium-driver)"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    folder = tmp_path_factory.mktemp("browser")
    options = ChromeOptions()
    options.binary_location = binary
    for flag in (*_FLAGS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # Chromium's own sandbox refuses to run as root
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    # With the driver's path given, selenium looks for none, and downloads none.
    driver = Chrome(options=options, service=Service(executable_path=helper))
    try:
        yield Browser(driver, folder)
    finally:
        driver.quit()
