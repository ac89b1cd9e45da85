"""What all tests share: golden files, and how hypothesis runs."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from toolchain import ensure

# The machine that runs the tests builds and boots others meanwhile: time says nothing about the code.
settings.register_profile("podnet", deadline=None)
settings.load_profile("podnet")

GOLDEN = Path(__file__).parent / "golden"

Golden = Callable[[str, str], None]


def dev_config() -> str:
    """Pulumi.dev.yaml without the salt that the engine adds to it while the stack is up here."""
    lines = (Path(__file__).parents[1] / "Pulumi.dev.yaml").read_text().splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("encryptionsalt:"))


def require_root(what: str) -> None:
    """Skip a test that only root can make; in CI it fails, for there nothing is skipped."""
    if os.geteuid() != 0:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{what} need root, and in CI they are not skipped")
        pytest.skip(f"{what} need root")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that regenerates every golden file."""
    parser.addoption("--update-golden", action="store_true", help="write the golden files instead of comparing them")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep every test on boxes on one worker and in order, while another makes the rest: never two clusters at once."""
    for item in items:
        if item.get_closest_marker("boxes"):
            item.add_marker(pytest.mark.xdist_group("boxes"))


@pytest.fixture(scope="session")
def toolchain_bin() -> Path:
    """Give the folder of pulumi and kubectl; they and the plugins are made where they are not there yet."""
    if chosen := os.environ.get("PODNET_TOOLCHAIN_BIN"):
        return Path(chosen)
    return ensure(["pulumi", "pulumi-command", "pulumi-kubernetes", "kubernetes"]).path


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compare a text with ``tests/golden/<path>``, byte by byte; with --update-golden, write it there."""

    def compare(path: str, text: str) -> None:
        file = GOLDEN / path
        if request.config.getoption("--update-golden"):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode())
            return
        kept = file.read_bytes() if file.exists() else b""
        if kept != text.encode():
            diff = difflib.unified_diff(
                kept.decode(errors="replace").splitlines(keepends=True),
                text.splitlines(keepends=True),
                f"golden/{path}",
                "what the code makes",
            )
            pytest.fail("".join(diff) + "\nIf this is right: pytest --update-golden, and read the diff.", pytrace=False)

    return compare


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say last what the tests that were made do not show: most of podnet is seen on real boxes only."""
    skipped = [report for report in terminalreporter.stats.get("skipped", []) if "boxes" in report.keywords]
    if skipped:
        tests = f"{len(skipped)} tests on real boxes" if len(skipped) > 1 else "1 test on real boxes"
        terminalreporter.write_sep("=", f"NOT RUN: {tests} (they need root)", yellow=True, bold=True)
