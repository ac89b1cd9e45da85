"""``make preview-comment`` on a clone: a git repository, the engine, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import dev_config

ROOT = Path(__file__).parents[2]
NODE3 = "    - {name: node3, role: worker, address: 10.100.198.203, podSubnet: 10.22.4.0/24, memory: 2048, cpus: 2}\n"


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


class Clone:
    """A repository with podnet as it is here, in one commit, and a state folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.root, self.state = folder / "clone", folder / "state"
        self.root.mkdir()
        for name in ("__main__.py", "Pulumi.yaml", "Pulumi.dev.yaml", "podnet", "toolchain", "images", "policy"):
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, self.root / name, ignore=shutil.ignore_patterns("__pycache__", "venv"))
            else:
                shutil.copy(ROOT / name, self.root / name)
        self.stack_file.write_text(dev_config())
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit()

    @property
    def stack_file(self) -> Path:
        return self.root / "Pulumi.dev.yaml"

    def git(self, *arguments: str) -> None:
        who = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
        subprocess.run(["git", *who, *arguments], cwd=self.root, check=True)

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=podnet")

    def comment(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ["HOME"],
            "PODNET_STATE": str(self.state),
            "PYTHONPATH": str(self.root),
            "GITHUB_TOKEN": "a token that nothing may see",
        }
        command = [sys.executable, "-m", "podnet", "preview-comment", *arguments]
        return subprocess.run(command, cwd=self.root, env=environ, text=True, capture_output=True, check=False)


def test_a_change_that_is_not_committed_yet(clone: Clone) -> None:
    before = clone.stack_file.read_text()
    clone.stack_file.write_text(before + NODE3)
    done = clone.comment("--base", "main", "--output", "comment.md")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    text = (clone.root / "comment.md").read_text()
    assert text.startswith("<!-- podnet-review dev -->\n")
    assert "each gains `10.22.4.0/24` via `10.100.198.203` (`node3`)" in text
    assert "\n### What this disrupts\n\n- Nothing.\n" in text
    assert "14 to create, 2 to update, 1 to replace" in text
    # The engine writes a salt into the file of a stack: not into this one.
    assert clone.stack_file.read_text() == before + NODE3
    assert list(clone.state.glob("backend/.pulumi/stacks/*")) == []


def test_the_program_of_the_base_is_the_bases(clone: Clone) -> None:
    """A change of the program alone is seen, and what the base branch got meanwhile is not."""
    clone.git("switch", "--quiet", "--create", "change")
    script = clone.root / "podnet" / "scripts" / "podnet-node"
    script.write_text(script.read_text() + "# changed\n")
    clone.commit()
    clone.git("switch", "--quiet", "main")
    clone.stack_file.write_text(clone.stack_file.read_text() + NODE3)
    clone.commit()
    clone.git("switch", "--quiet", "change")
    done = clone.comment("--base", "main")
    assert done.returncode == 0, done.stderr
    assert "Its plan is the same" in done.stdout
    assert "| ~ update | `node1-network-service` | `stdin` (below) |" in done.stdout
    assert "\n+# changed\n" in done.stdout
    assert "node3" not in done.stdout


def test_a_base_whose_config_is_refused(clone: Clone) -> None:
    good = clone.stack_file.read_text()
    clone.stack_file.write_text(good.replace("10.22.3.0/24", "10.22.2.0/24"))
    clone.commit()
    clone.stack_file.write_text(good)
    done = clone.comment("--base", "HEAD")
    assert done.returncode == 0, done.stderr
    assert "cannot be planned by this version" in done.stdout
    assert "to create" in done.stdout
    assert "to update" not in done.stdout


@pytest.mark.parametrize("base", ["origin/main", "--help", "nobody; touch x"])
def test_a_base_that_git_does_not_know(clone: Clone, base: str) -> None:
    done = clone.comment(f"--base={base}")
    assert done.returncode == 2
    assert f"podnet: git knows no common ancestor of {base} and this checkout" in done.stderr
    assert "make preview-comment BASE=main" in done.stderr
    assert not (clone.root / "x").exists()
