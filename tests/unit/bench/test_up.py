"""A benchmark takes nobody's file and leaves nothing behind, also where a step fails.

The engine and podnet.host's Python are programs of the test's own here, which note what they are asked and fail where
they are told to; what runs them is the benchmark itself, with its real script.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench import up
from podnet.errors import PodnetError

PROGRAM = """#!/bin/sh
printf '%s\\n' "$*" >> "$ASKED"
case " $* " in *" $FAILS "*) echo "$FAILS went wrong" >&2; exit 1 ;; esac
"""

PROGRAMS = {
    "bin/pulumi": PROGRAM,
    "bin/python": PROGRAM,
    "bin/ssh": "#!/bin/sh\necho 'nobody answers in this test' >&2\nexit 255\n",
}


class Stack(up.Stack):
    """A stack whose programs are the test's; fails: the words of the call that is to fail."""

    def __init__(self, folder: Path, fails: str = "nothing", goes: bool = True) -> None:
        self.file, self.stacks, self.asked = folder / "Pulumi.bench.yaml", folder / "stacks", folder / "asked"
        self.goes, self.downs = goes, 0
        for program, text in PROGRAMS.items():
            path = folder / program
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o755)
        self.asked.touch()
        self.environ = {
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
            "PODNET_ROOT": str(folder),
            "PODNET_PYTHON": str(folder / "bin/python"),
            "ASKED": str(self.asked),
            "FAILS": fails,
        }

    def ready(self) -> dict[str, str]:
        assert self.file.exists()
        (self.stacks / "bench").mkdir(parents=True)
        return self.environ

    def down(self) -> bool:
        self.downs += 1
        assert self.file.exists()
        return self.goes

    def measure(self) -> None:
        up.measure(self, self.file, self.stacks)


def test_the_stack_file_of_a_user_stays(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    stack.file.write_text("the user's")
    with pytest.raises(PodnetError, match=r"there is a Pulumi\.bench\.yaml already.*move it away"):
        stack.measure()
    assert (stack.file.read_text(), stack.asked.read_text(), stack.downs) == ("the user's", "", 0)


def test_a_stack_of_that_name_that_is_up_is_left_alone(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    (stack.stacks / "bench").mkdir(parents=True)
    with pytest.raises(PodnetError, match="there is a stack bench already"):
        stack.measure()
    assert (stack.file.exists(), stack.asked.read_text(), stack.downs) == (False, "", 0)


def test_what_cannot_be_made_ready_leaves_no_file(tmp_path: Path) -> None:
    class Refused(Stack):
        def ready(self) -> dict[str, str]:
            raise PodnetError("no root")

    stack = Refused(tmp_path)
    with pytest.raises(PodnetError, match="no root"):
        stack.measure()
    assert (stack.file.exists(), stack.downs) == (False, 0)


@pytest.mark.parametrize("step", ["up", "preview", "destroy"])
def test_a_step_that_fails_is_said_and_the_stack_taken_down(tmp_path: Path, step: str) -> None:
    stack = Stack(tmp_path, fails=step)
    with pytest.raises(PodnetError, match=f"pulumi {step} failed:\n\n{step} went wrong"):
        stack.measure()
    assert (stack.file.exists(), stack.downs) == (False, 1)


def test_a_stack_that_cannot_be_taken_down_keeps_its_file_and_both_errors_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = Stack(tmp_path, fails="up", goes=False)
    monkeypatch.setattr(up, "Stack", lambda *_: stack)
    monkeypatch.setattr("bench.up.ROOT", tmp_path)
    monkeypatch.setenv("PODNET_STATE", str(tmp_path))
    with pytest.raises(SystemExit):
        up.main()
    said = capsys.readouterr().err
    assert "Pulumi.bench.yaml stays: make down STACK=bench takes away what is up" in said
    assert "up went wrong" in said
    assert stack.file.exists()


def test_a_machine_that_does_not_come_up_ends_the_floor_and_what_is_there_goes(tmp_path: Path) -> None:
    """The machines come up side by side: the one that fails is not the last that is waited for."""
    stack = Stack(tmp_path, fails="machine-up bench node1")
    with pytest.raises(PodnetError, match="the floor failed in its phase machines:\nmachine-up bench node1 went wrong"):
        stack.measure()
    assert (stack.file.exists(), stack.downs) == (False, 1)
    asked = stack.asked.read_text()
    undone = asked[asked.index("machine-down") :]
    for word in ("machine-down bench master", "machine-down bench node2", "network-down", "key-down", "folder-down"):
        assert word in undone


def test_what_the_floor_cannot_take_away_is_said(tmp_path: Path) -> None:
    stack = Stack(tmp_path, fails="machine-down bench node2")
    with pytest.raises(PodnetError, match=r"left something behind:\n.*machine-down bench node2.* failed") as caught:
        stack.measure()
    # It fails before that: no machine can be logged in to.
    assert "the floor failed in its phase network:\nnobody answers" in str(caught.value.__context__)
    assert stack.downs == 1
