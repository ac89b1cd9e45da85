"""The Python packages: every one is locked, with its version and its files' checksums, and nothing else is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
LOCKS: Final = {
    "toolchain/uv.lock": ("toolchain/uv.txt",),
    "requirements.lock": ("requirements.txt", "policy/requirements.txt"),
    "requirements-dev.lock": ("requirements.txt", "requirements-dev.txt", "policy/requirements.txt"),
}
"""Each lock, and the files whose pins it holds."""

ENTRY: Final = re.compile(
    r"(?P<name>[a-z0-9]+(?:-[a-z0-9]+)*)==(?P<version>[a-z0-9.+!]+)(?: ; (?P<marker>[a-z_'<>=!. 0-9A-Z()-]+))?"
    r"(?P<hashes>(?: --hash=sha256:[0-9a-f]{64})*)"
)


def entries(lock: str) -> dict[str, re.Match[str]]:
    """The entries of a lock by name. Whatever is no entry and no comment fails."""
    lines = [line for line in (ROOT / lock).read_text().replace("\\\n", "").splitlines() if not line.startswith("#")]
    found = {}
    for line in lines:
        match = ENTRY.fullmatch(re.sub(" +", " ", line))
        assert match, line
        assert match["name"] not in found
        found[match["name"]] = match
    return found


def pins(file: str) -> dict[str, str]:
    """What a person pinned; every line is a pin, a comment or another file."""
    lines = [line for line in (ROOT / file).read_text().splitlines() if not line.startswith(("#", "-r "))]
    pinned = dict(line.split("==") for line in lines)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in pinned.items()}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_entry_has_a_checksum(lock: str) -> None:
    assert [name for name, entry in entries(lock).items() if not entry["hashes"]] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_is_locked_in_its_version(lock: str) -> None:
    locked = {name: entry["version"] for name, entry in entries(lock).items()}
    for file in LOCKS[lock]:
        wanted = pins(file)
        assert wanted
        assert {name: locked.get(name) for name in wanted} == wanted, f"{file} and {lock} differ: make lock"


def test_the_tests_run_on_what_podnet_runs_on() -> None:
    ours, tests = entries("requirements.lock"), entries("requirements-dev.lock")
    for word in ("version", "hashes"):  # a marker may be wider where the tests need a package, too
        assert {name: entry[word] for name, entry in ours.items()} == {name: tests[name][word] for name in ours}
    assert len(tests) > len(ours) > len(pins("requirements.txt"))


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_index(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert not re.search(r"://|index|find-links|@ ", text)


def test_the_pack_and_podnet_pin_the_same_versions() -> None:
    """The pack runs in podnet's environment or in one of its own."""
    ours = pins("requirements.txt")
    assert pins("policy/requirements.txt").items() <= ours.items()
