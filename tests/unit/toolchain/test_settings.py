"""What the environment decides."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from podnet.errors import PodnetError
from toolchain.settings import cache_folder, from_environ


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"HOME": "/home/a"}, "/home/a/.cache/podnet"),
        ({"HOME": "/home/a", "XDG_CACHE_HOME": "/big"}, "/big/podnet"),
        ({"HOME": "/home/a", "XDG_CACHE_HOME": "/big", "PODNET_CACHE": "/own"}, "/own"),
        ({"HOME": "/home/a", "XDG_CACHE_HOME": "", "PODNET_CACHE": ""}, "/home/a/.cache/podnet"),
    ],
)
def test_where_the_cache_is(environ: dict[str, str], expected: str) -> None:
    assert cache_folder(environ) == Path(expected)


def test_the_source_is_checked() -> None:
    assert from_environ({"PODNET_SOURCE": "build"}).source == "build"
    assert from_environ({"PODNET_SOURCE": "build"}, "official").source == "official"
    with pytest.raises(PodnetError, match="expected one of auto, official, build"):
        from_environ({"PODNET_SOURCE": "internet"})


@pytest.mark.parametrize(("value", "kept"), [("1", True), ("0", False), ("", False)])
def test_keeping_the_go_cache(value: str, kept: bool) -> None:
    assert from_environ({"PODNET_KEEP_GO_CACHE": value}).keep_go_cache is kept


@pytest.mark.parametrize(("system", "machine"), [("Darwin", "arm64"), ("Linux", "aarch64"), ("Darwin", "x86_64")])
def test_another_system_is_refused_in_words_before_anything_is_built(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str
) -> None:
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    with pytest.raises(PodnetError, match=f"made for Linux on x86_64; this is {system} on {machine}"):
        from_environ({})
