"""The workflows under .github: right by actionlint, and safe by what can be read off them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from toolchain import ensure

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def read(name: str) -> dict[str, Any]:
    document: dict[Any, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text())
    # To YAML 1.1, which PyYAML reads, the key `on` is true.
    return {"on" if key is True else str(key): value for key, value in document.items()}


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


@pytest.fixture(scope="module")
def actionlint() -> Path:
    """Made on the first request: a minute, where Go's caches are cold."""
    return ensure(["actionlint"]).bin("actionlint")


def run(actionlint: Path, folder: Path, *files: Path) -> subprocess.CompletedProcess[str]:
    command = [str(actionlint), *map(str, files)]
    return subprocess.run(command, cwd=folder, text=True, capture_output=True, check=False)


@pytest.mark.timeout(900)
def test_actionlint_finds_nothing(actionlint: Path) -> None:
    done = run(actionlint, ROOT, *WORKFLOWS)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


@pytest.mark.timeout(900)
def test_actionlint_would_find_something(actionlint: Path, tmp_path: Path) -> None:
    text = (ROOT / ".github" / "workflows" / "preview.yml").read_text()
    bad = tmp_path / "bad.yml"
    bad.write_text(text.replace('BASE="$BASE"', "BASE=${{ github.event.pull_request.title }}"))
    done = run(actionlint, tmp_path, bad)
    assert done.returncode == 1
    assert "potentially untrusted" in done.stdout


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_to_a_commit(file: Path) -> None:
    uses = re.findall(r"uses: (.*)", file.read_text())
    assert [each for each in uses if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v[\d.]+", each)] == []


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda path: path.name)
def test_no_workflow_may_write_by_default(file: Path) -> None:
    permissions = read(file.name)["permissions"]
    assert permissions in ({}, {"contents": "read"})
    for step in steps(read(file.name)):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("name", ["preview.yml", "unit.yml"])
def test_what_runs_the_code_of_a_fork_has_no_secret_and_no_token(name: str) -> None:
    workflow = read(name)
    events = {workflow["on"]} if isinstance(workflow["on"], str) else set(workflow["on"])
    assert events <= {"pull_request", "push"}  # pull_request_target would hand over a token that writes
    assert all("permissions" not in job for job in workflow["jobs"].values())
    text = (ROOT / ".github" / "workflows" / name).read_text()
    assert "secrets." not in text
    assert "github.token" not in text


def test_the_fast_tests_run_on_every_pull_request_and_on_main() -> None:
    workflow = read("unit.yml")
    assert workflow["on"] == {"pull_request": None, "push": {"branches": ["main"]}}
    assert [step["run"] for step in steps(workflow) if "run" in step] == ["make unit"]


def test_the_rules_of_the_base_branch_judge_a_pull_request() -> None:
    """What they then refuse is seen in tests/integration/test_policy_workflow.py."""
    job = read("preview.yml")["jobs"]["policy"]
    checkouts = [step["with"] for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@")]
    head, base = checkouts
    assert "ref" not in head
    assert base["ref"] == "${{ github.event.pull_request.base.sha }}"
    runs = [step["run"] for step in job["steps"] if "run" in step]
    assert f"make policy PACK={base['path']}/policy" in runs[0]
    assert runs[1:] == ["make policy"]
    # One that the rules of one side refuse has failed: nothing makes an exception for a step.
    assert not [step for step in job["steps"] if "continue-on-error" in step]


def test_everything_that_decides_what_is_built_is_in_the_cache_key() -> None:
    keys = [step["with"]["key"] for step in steps(read("preview.yml")) if "actions/cache@" in step.get("uses", "")]
    assert len(keys) == 2
    for key in keys:
        files = re.findall(r"'([^']+)'", key)
        assert files == ["requirements*.lock", "toolchain/**", "podnet/versions.py"]


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda path: path.name)
def test_a_runner_of_your_own_runs_the_main_branch_only(file: Path) -> None:
    for job in read(file.name)["jobs"].values():
        if "self-hosted" in job["runs-on"]:
            conditions = str(job["if"]).split(" && ")
            assert "github.ref == 'refs/heads/main'" in conditions
            assert not set(read(file.name)["on"]) - {"schedule", "workflow_dispatch"}
            assert not [step for step in job["steps"] if "ref" in step.get("with", {})]


def test_what_may_write_runs_nothing_of_the_fork() -> None:
    workflow = read("preview-comment.yml")
    assert workflow["on"] == {"workflow_run": {"workflows": [read("preview.yml")["name"]], "types": ["completed"]}}
    assert [step["uses"] for step in steps(workflow) if "uses" in step] == []  # so no checkout either
    (step,) = steps(workflow)
    # A value that is put into the text of a script is part of the script.
    assert "${{" not in step["run"]
    assert not re.search(r"\b(make|python|sh|bash|eval|source)\b", step["run"])


def test_the_artifact_has_one_name() -> None:
    (upload,) = [step for step in steps(read("preview.yml")) if "upload-artifact" in step.get("uses", "")]
    (post,) = steps(read("preview-comment.yml"))
    assert f"--name {upload['with']['name']} " in post["run"]
    assert f"artifact/{upload['with']['path']}" in post["run"]


def test_every_group_of_go_modules_is_audited() -> None:
    groups = {path.name for path in (ROOT / "toolchain" / "go").iterdir() if path.is_dir()}
    assert set(read("audit.yml")["jobs"]["go"]["strategy"]["matrix"]["group"]) == groups


def test_every_python_package_is_audited() -> None:
    """One lock holds all of them: tests/unit/test_lock.py says so."""
    text = (ROOT / ".github" / "workflows" / "audit.yml").read_text()
    assert "--requirement requirements-dev.lock" in text
