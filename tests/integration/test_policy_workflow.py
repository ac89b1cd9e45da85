"""The job of preview.yml that a merge may depend on, its scripts run as GitHub runs them: whose rules count."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.conftest import dev_config

ROOT = Path(__file__).parents[2]
JOB = yaml.safe_load((ROOT / ".github" / "workflows" / "preview.yml").read_text())["jobs"]["policy"]
WEAKER = "def check(*_: object) -> list[str]:\n    return []\n\n\ncheck_stack = check\n"


class Runner:
    """A workspace with the pull request's files, and the base's below it, as the job's checkouts leave them."""

    def __init__(self, folder: Path) -> None:
        self.head, self._state = folder / "workspace", folder / "state"
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, text=True, capture_output=True, check=True).stdout
        for place in (self.head, self.head / "base"):
            for name in filter(None, listed.split("\0")):
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, place / name)
            (place / "Pulumi.dev.yaml").write_text(dev_config())

    def run(self) -> list[tuple[int, str]]:
        """The exit code and the output of every script."""
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ["HOME"],
            "PODNET_STATE": str(self._state),
            "STACK": "dev",
        }
        found = []
        for step in JOB["steps"]:
            if "run" in step:
                command = ["bash", "-e", "-c", step["run"]]
                done = subprocess.run(command, cwd=self.head, env=environ, text=True, capture_output=True, check=False)
                found.append((done.returncode, done.stdout + done.stderr))
        return found


@pytest.fixture
def runner(tmp_path: Path, toolchain_bin: Path) -> Runner:  # noqa: ARG001  # made, so that nothing here builds it
    return Runner(tmp_path)


def test_what_breaks_no_rule_passes(runner: Runner) -> None:
    assert [code for code, _ in runner.run()] == [0, 0]


def test_a_pull_request_cannot_bring_its_own_rules(runner: Runner) -> None:
    (runner.head / "Pulumi.dev.yaml").write_text(dev_config() + "  podnet:cni: {ipMasq: true}\n")
    (runner.head / "policy" / "podnet_policy" / "snat.py").write_text(WEAKER)
    (base, said), (own, passed) = runner.run()
    assert (base != 0, own) == (True, 0), passed
    assert "no-snat-between-pods" in said
    assert "no-snat-between-pods" not in passed


def test_rules_that_a_pull_request_adds_count_for_itself(runner: Runner) -> None:
    pack = runner.head / "policy" / "podnet_policy" / "images.py"
    pack.write_text(pack.read_text().replace('tag[1] == "latest"', "tag"))
    (base, _), (own, said) = runner.run()
    assert (base, own != 0) == (0, True)
    assert "images-pinned" in said
