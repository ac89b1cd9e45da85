"""Hosts that podnet was not made for are told in a sentence."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import pytest

from podnet.errors import PodnetError
from podnet.lifecycle import preflight


def test_another_architecture_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    with pytest.raises(PodnetError, match="are x86-64, and this host is aarch64"):
        preflight.require_architecture()
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    preflight.require_architecture()


@pytest.mark.parametrize(
    ("system", "said"),
    [
        ({"ID": "debian", "VERSION_ID": "12", "PRETTY_NAME": "Debian GNU/Linux 12 (bookworm)"}, ""),
        ({"ID": "debian", "VERSION_ID": "13", "PRETTY_NAME": "Debian 13"}, "and this is Debian 13."),
        ({"ID": "ubuntu", "VERSION_ID": "24.04", "PRETTY_NAME": "Ubuntu 24.04"}, "and this is Ubuntu 24.04."),
        ({}, "and this is another system."),
    ],
)
def test_another_system_is_said(monkeypatch: pytest.MonkeyPatch, system: dict[str, str], said: str) -> None:
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: system)
    assert preflight.doubt().endswith(said)
    assert bool(preflight.doubt()) == bool(said)


FORWARDS = '#!/usr/bin/env bash\n# This script just forwards all arguments.\n/opt/vagrant/bin/vagrant "$@"\n'
DEBIANS = "#!/usr/bin/ruby3.1\nrequire 'vagrant'\n"


@pytest.mark.parametrize(("text", "refused"), [(FORWARDS, True), (DEBIANS, False)], ids=["HashiCorp's", "Debian's"])
def test_hashicorps_own_vagrant_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, refused: bool
) -> None:
    (tmp_path / "vagrant").write_text(text)
    (tmp_path / "vagrant").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    if not refused:
        preflight.require_debians_vagrant()
        return
    with pytest.raises(PodnetError, match="HashiCorp's own vagrant, which cannot load Debian's vagrant-lxc"):
        preflight.require_debians_vagrant()


def test_the_vagrant_of_this_host_is_taken_where_it_is_debians() -> None:
    preflight.require_debians_vagrant()
