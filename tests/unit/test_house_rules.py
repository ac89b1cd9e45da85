"""Rules of the house that no linter has: each is read off the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("podnet", "toolchain", "images", "lab", "policy")
MODULES = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
BUILDERS = {"IPAddress", "IPNetwork", "IPRange", "IPSet", "cidr_merge", "iprange_to_cidrs"}


def builders(text: str) -> Iterator[int]:
    """The lines that call a name of netaddr's which makes a value."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in BUILDERS:
                yield node.lineno


def test_only_addressing_builds_netaddr_values() -> None:
    """Netaddr is lenient where a plan must not be, so that every address is read in one place."""
    found = {
        str(path.relative_to(ROOT)): list(builders(path.read_text())) for path in MODULES if "venv" not in path.parts
    }
    assert {name for name, lines in found.items() if lines} == {"podnet/addressing.py"}


@pytest.mark.parametrize("line", ["IPNetwork('10.0.0.0/8')", "netaddr.IPAddress(1)"])
def test_a_builder_would_be_found(line: str) -> None:
    assert list(builders(line)) == [1]
