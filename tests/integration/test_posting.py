"""The script of preview-comment.yml, run by the shell that GitHub runs it with, against a stand-in for ``gh``."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

WORKFLOW = Path(__file__).parents[2] / ".github" / "workflows" / "preview-comment.yml"

GH = """#!/bin/sh
printf '%s\\n' "$*" | tr '\\n' ' ' >> calls
echo >> calls
case "$*" in
    *"/pulls "*) cat number ;;
    "run download"*) [ -e artifact.ready ] && mv artifact.ready artifact ;;
    *"--paginate"*) cat earlier ;;
    *"body=@comment.md"*) cp comment.md posted.md ;;
    *) exit 64 ;;
esac
"""


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


class Runner:
    """A folder to run in. number, earlier: what GitHub answers about the pull request and its comments."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "bin").mkdir()
        (folder / "bin" / "gh").write_text(GH)
        (folder / "bin" / "gh").chmod(0o755)
        (folder / "artifact.ready").mkdir()
        self.artifact = folder / "artifact.ready" / "preview.md"
        self.artifact.write_text("<!-- podnet-review dev -->\n$(touch hacked) `touch hacked` @all\n")

    def run(self, number: str = "7\n", earlier: str = "", branch: str = "change") -> subprocess.CompletedProcess[str]:
        (self.folder / "number").write_text(number)
        (self.folder / "earlier").write_text(earlier)
        environ = {
            "PATH": f"{self.folder / 'bin'}:/usr/bin:/bin",
            "REPOSITORY": "o/podnet",
            "RUN": "99",
            "COMMIT": "c0ffee",
            "OWNER": "stranger",
            "BRANCH": branch,
        }
        script = yaml.safe_load(WORKFLOW.read_text())["jobs"]["comment"]["steps"][0]["run"]
        command = ["bash", "-e", "-c", script]
        return subprocess.run(command, cwd=self.folder, env=environ, text=True, capture_output=True, check=False)

    @property
    def calls(self) -> str:
        return (self.folder / "calls").read_text()

    @property
    def posted(self) -> str:
        path = self.folder / "posted.md"
        return path.read_text() if path.exists() else ""


def test_the_first_comment_is_made(runner: Runner) -> None:
    assert runner.run().returncode == 0
    assert "--method POST repos/o/podnet/issues/7/comments" in runner.calls
    assert runner.posted.startswith("<!-- podnet-review -->\n_Made by the code of c0ffee,")
    assert runner.posted.endswith(runner.folder.joinpath("artifact", "preview.md").read_text())
    assert not (runner.folder / "hacked").exists()


def test_the_next_one_takes_its_place(runner: Runner) -> None:
    assert runner.run(earlier="41\n42\n").returncode == 0
    assert "--method PATCH repos/o/podnet/issues/comments/41 " in runner.calls
    assert "POST" not in runner.calls


def test_a_branch_that_has_moved_on_gets_none(runner: Runner) -> None:
    done = runner.run(number="")
    assert done.returncode == 0
    assert "no open pull request" in done.stdout
    assert runner.posted == ""


def test_a_preview_that_failed_leaves_nothing_to_post(runner: Runner) -> None:
    runner.artifact.parent.rename(runner.folder / "elsewhere")
    done = runner.run()
    assert (done.returncode, runner.posted) == (0, "")
    assert "nothing to post" in done.stdout


def test_a_link_is_not_followed(runner: Runner) -> None:
    (runner.folder / "secret").write_text("a secret of the runner")
    runner.artifact.unlink()
    runner.artifact.symlink_to(runner.folder / "secret")
    assert runner.run().returncode == 1
    assert runner.posted == ""


def test_a_comment_too_long_for_github_is_cut(runner: Runner) -> None:
    runner.artifact.write_text("x" * 200_000)
    assert runner.run().returncode == 0
    assert 64_000 < len(runner.posted) < 65_536


@pytest.mark.parametrize("branch", ["$(touch hacked)", "a; touch hacked", "`touch hacked`", "--help"])
def test_a_hostile_branch_is_a_value(runner: Runner, branch: str) -> None:
    assert runner.run(branch=branch).returncode == 0
    assert f"head=stranger:{branch}" in runner.calls
    assert not (runner.folder / "hacked").exists()
