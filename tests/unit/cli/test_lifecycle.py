"""What the command line hands on to a stack's life, and its exit codes; nothing is made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from podnet.cli.main import main
from podnet.errors import PodnetError
from podnet.lifecycle.workspace import Workspace


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PODNET_STATE", str(tmp_path))
    monkeypatch.delenv("PODNET_STACK", raising=False)


class Command:
    """Stands for a function of podnet.lifecycle, and keeps what it was called with."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, place: str, outcome: bool | BaseException = True) -> None:
        self.outcome, self.stack = outcome, ""
        self.given: Sequence[Any] = ()
        monkeypatch.setattr(f"podnet.lifecycle.{place}", self)

    def __call__(self, workspace: Workspace, *given: Any) -> bool:
        self.stack, self.given = workspace.stack, given
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


def test_up_is_told_what_to_replace_and_what_is_pulumis(monkeypatch: pytest.MonkeyPatch) -> None:
    up = Command(monkeypatch, "up.up")
    assert main(["up", "--stack", "two", "--replace", "node1", "node2", "--", "--diff", "--yes"]) == 0
    assert (up.stack, up.given) == ("two", (["--diff", "--yes"], ["node1", "node2"]))


@pytest.mark.parametrize("name", ["up", "down", "preview"])
def test_a_failure_of_pulumi_is_exit_code_1_whatever_its_own_is(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    command = Command(monkeypatch, f"{name}.{name}", outcome=False)
    assert main([name]) == 1
    assert command.stack == "dev"


@pytest.mark.parametrize(("error", "code"), [(PodnetError("no root"), 2), (KeyboardInterrupt(), 130)])
def test_what_podnet_could_not_do_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Any, code: int
) -> None:
    Command(monkeypatch, "down.halt", outcome=error)
    assert main(["halt"]) == code
    assert capsys.readouterr().err.startswith("podnet: ")


def test_only_up_and_preview_pass_anything_on(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["down", "--", "--yes"])
    assert "only up and preview pass anything on to pulumi" in capsys.readouterr().err
