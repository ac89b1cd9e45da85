"""The engine as it is run; ``pulumi`` is a program of the test's own here."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from podnet.errors import PodnetError
from podnet.lifecycle.engine import engine, forget_salt
from podnet.lifecycle.places import ROOT, places
from podnet.lifecycle.prerequisites import Prerequisites
from podnet.lifecycle.workspace import Workspace

Pulumi = Callable[[str], tuple[Workspace, Prerequisites]]


@pytest.fixture
def pulumi(tmp_path: Path) -> Pulumi:
    """Give a workspace whose ``pulumi`` is the script that is asked for."""

    def make(script: str) -> tuple[Workspace, Prerequisites]:
        program = tmp_path / "bin" / "pulumi"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\ncd {tmp_path}\n{script}\n")
        program.chmod(0o755)
        where = places({"HOME": str(tmp_path)})
        return Workspace("dev", where, Path(sys.executable)), Prerequisites(toolchain=program.parent)

    return make


def test_a_run_that_is_shown_succeeds_or_not(pulumi: Pulumi, capfd: pytest.CaptureFixture[str]) -> None:
    with engine(*pulumi('echo "$@"; [ "$1" = up ] || exit 255')) as run:
        assert run.show("up", "--yes") is True
        assert run.show("preview", variables={"MORE": "1"}) is False
    assert capfd.readouterr().out == "up --yes --stack dev\npreview --stack dev\n"


def test_its_temporary_files_are_the_runs_own_and_go_with_it(pulumi: Pulumi, tmp_path: Path) -> None:
    with engine(*pulumi('stat --format %a "$TMPDIR"; echo secret > "$(mktemp)"; echo "$TMPDIR" > said')) as run:
        assert run.show("up")
        folder = Path((tmp_path / "said").read_text().strip())
        assert folder.parent == run.workspace.places.scratch
        assert (folder.stat().st_mode & 0o777, len(list(folder.iterdir()))) == (0o700, 1)
    assert not folder.exists()


def test_a_state_goes_out_and_in_as_it_is(pulumi: Pulumi, tmp_path: Path) -> None:
    script = """echo "$@" >> asked; [ "$2" = import ] && cat > state || echo '{"version": 3, "deployment": {}}'"""
    with engine(*pulumi(script)) as run:
        state = run.state()
        run.put_state(state | {"version": 4})
    assert json.loads((tmp_path / "state").read_text()) == {"version": 4, "deployment": {}}
    asked = (tmp_path / "asked").read_text().splitlines()
    # Secrets stay as they are: it is not asked to show them.
    assert asked == ["stack export --stack dev --non-interactive", "stack import --stack dev --non-interactive"]


@pytest.mark.parametrize(("name", "expected"), [("dev", True), ("someone/dev", True), ("dev2", False)])
def test_a_stack_is_found_by_its_name(pulumi: Pulumi, name: str, expected: bool) -> None:
    with engine(*pulumi(f"echo '{json.dumps([{'name': name}])}'")) as run:
        assert run.has_stack() is expected


def test_what_it_says_where_it_fails_is_said(pulumi: Pulumi) -> None:
    made = pulumi("echo never mind; echo 'error: no such stack' >&2; exit 255")
    said = r"^'pulumi stack export .*' failed with exit status 255:\n  error: no such stack$"
    with engine(*made) as run, pytest.raises(PodnetError, match=said):
        run.state()


DRIVER = """
import sys
from pathlib import Path
from podnet.lifecycle.engine import engine
from podnet.lifecycle.places import places
from podnet.lifecycle.prerequisites import Prerequisites
from podnet.lifecycle.workspace import Workspace
where = places({"HOME": sys.argv[1]})
made = Prerequisites(toolchain=Path(sys.argv[1]) / "bin")
try:
    with engine(Workspace("dev", where, Path(sys.executable)), made) as run:
        run.show("up")
except KeyboardInterrupt:
    print("interrupted", list(where.scratch.iterdir()))
"""


def test_at_ctrl_c_it_ends_what_it_has_begun(pulumi: Pulumi, tmp_path: Path) -> None:
    """A terminal tells both of them at once; twice, as of somebody who is in a hurry."""
    end = tmp_path / "end"
    pulumi(f"trap 'echo canceled' INT; echo started; until [ -e {end} ]; do sleep 0.1; done; echo ended")
    command = [sys.executable, "-c", DRIVER, str(tmp_path)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ, process_group=0) as driver:
        assert driver.stdout is not None
        assert driver.stdout.readline() == "started\n"
        for _ in range(2):
            os.killpg(driver.pid, signal.SIGINT)
            assert driver.stdout.readline() == "canceled\n"
        end.touch()
        assert driver.stdout.read() == "ended\ninterrupted []\n"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("encryptionsalt: v1:x\nconfig:\n  a: 1\n", "config:\n  a: 1\n"),
        ("config:\n  a:\n    secure: v1:y\nencryptionsalt: v1:x\n", None),
        ("config: {}\n", None),
    ],
    ids=["a salt", "one that opens secrets", "none"],
)
def test_a_salt_goes_with_its_stack(tmp_path: Path, text: str, kept: str | None) -> None:
    file, linked = tmp_path / "real.yaml", tmp_path / "Pulumi.dev.yaml"
    file.write_text(text)
    file.chmod(0o640)
    linked.symlink_to(file)
    forget_salt(linked)
    assert (file.read_text(), file.stat().st_mode & 0o777) == (kept or text, 0o640)
    assert linked.is_symlink()
