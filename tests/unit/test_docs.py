"""Pages that name the house's parts: they name what is there, and all of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
PLACE = re.compile(r"`((?:podnet|lab|toolchain|images|policy|tests|docs|bench|examples|\.github|\.ci)/[\w./-]*)`")
MADE = ("policy/venv", "toolchain/NAME-", "toolchain/bin-", "toolchain/logs")
"""What is made on a machine and is in no clone."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_a_page_names_are_there(page: Path) -> None:
    named = {found for found in PLACE.findall(page.read_text()) if not found.startswith(MADE)}
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)[^)]*\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_map_shows_every_package() -> None:
    text = (ROOT / "docs/architecture.md").read_text()
    packages = [path.parent.name for path in (ROOT / "podnet").glob("*/__init__.py")]
    assert [name for name in packages if not re.search(rf"\b{name}\b", text)] == []
