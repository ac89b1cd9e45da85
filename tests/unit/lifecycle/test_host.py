"""Waiting for a cluster whose machines were started; Python is another program, which says what it is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from podnet import config
from podnet.errors import PodnetError
from podnet.lifecycle import host

CLUSTER = config.from_stack_file(Path(__file__).parents[3] / "Pulumi.dev.yaml")


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that keeps what it was called with, and fails as long as there are lines in ``fails``."""
    file = tmp_path / "python"
    file.write_text(
        f"""#!/bin/sh
        cd {tmp_path}
        shift 3 # -P -m podnet.host
        echo "$@ < $(cat)" >> called
        [ "$1" != stopped ] || echo node1 node2
        [ -s fails ] || exit 0
        head -n 1 fails >&2
        sed -i 1d fails
        exit 1
        """
    )
    file.chmod(0o755)
    monkeypatch.setattr(host, "_PAUSE_SECONDS", 0.0)
    return tmp_path


def lab_host(folder: Path) -> host.Host:
    return host.Host("dev", {"PATH": "/usr/bin:/bin", "PODNET_PYTHON": str(folder / "python")})


def test_all_that_stands_still_is_started_but_what_is_recreated(script: Path) -> None:
    assert lab_host(script).resume(leave=["node2"]) == ["node1"]
    assert (script / "called").read_text() == "stopped dev < \nresume dev node1 < \n"


def test_the_network_is_looked_at_where_nothing_stands_still(script: Path) -> None:
    assert lab_host(script).resume(leave=["node1", "node2"]) == []
    assert (script / "called").read_text().splitlines()[1] == "resume dev < "


def test_it_waits_until_every_check_holds(script: Path) -> None:
    (script / "fails").write_text("the API server does not answer\nnode1 has no route\n")
    lab_host(script).wait_until_proved("{}")
    assert (script / "called").read_text().splitlines() == ["verify dev < {}"] * 3


def test_it_does_not_wait_for_ever(
    script: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(host, "_SECONDS_TO_START", -1)
    (script / "fails").write_text("node1 has no route\n" * 9)
    lab_host(script).wait_until_proved("{}")
    assert "not every check holds:\nnode1 has no route" in capsys.readouterr().err
    assert len((script / "called").read_text().splitlines()) == 1


def test_what_the_script_refuses_is_said(script: Path) -> None:
    (script / "fails").write_text("podnet-dev on this host belongs to bob\n")
    with pytest.raises(PodnetError, match="belongs to bob"):
        lab_host(script).check(CLUSTER)
