"""The picture in a program that is no browser: librsvg, which desktops, thumbnails and documents are drawn with."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.conftest import GOLDEN

PICTURES = [*sorted((GOLDEN / "draw").glob("*.svg")), Path(__file__).parents[2] / "docs" / "network.svg"]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def converter() -> str:
    """Give librsvg's own program; without one, skip (or fail where tests must not be skipped in silence)."""
    program = shutil.which("rsvg-convert")
    if program is None:
        message = "no rsvg-convert (Debian package librsvg2-bin)"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return program


def drawn(converter: str, root: ET.Element) -> bytes:
    """A document as PNG; the same bytes for the same picture."""
    done = subprocess.run([converter], input=ET.tostring(root), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def mixed(root: ET.Element) -> list[ET.Element]:
    """The texts with more than one font."""
    return [text for text in root.iter(f"{SVG}text") if len(text)]


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.name)
def test_every_space_between_two_fonts_is_drawn(converter: str, path: Path) -> None:
    """Each one that is taken away makes another picture, so it was drawn."""
    root = ET.parse(path).getroot()  # noqa: S314  # it is our own
    kinds: dict[tuple[str | None, ...], ET.Element] = {}
    for text in mixed(root):
        kinds.setdefault(tuple(part.get("class") for part in text), text)
    assert kinds
    whole = drawn(converter, root)
    for text in kinds.values():
        for part in text:
            assert part.text
            if part.text == part.text.strip():
                continue
            said, part.text = part.text, part.text.strip()
            assert drawn(converter, root) != whole, (
                f"{said!r} of {''.join(text.itertext())!r} is drawn without its spaces"
            )
            part.text = said
