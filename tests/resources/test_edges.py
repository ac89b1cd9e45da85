"""The graph of resources, as the real engine sees it in a preview: every resource, what it waits for, what ends it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from podnet.kinds import kind_of
from podnet.lifecycle.engine import forget_salt
from tests.conftest import Golden
from toolchain.plugins import install_plugins

ROOT = Path(__file__).parents[2]


STACKS = {".txt": ROOT / "Pulumi.dev.yaml", "-existing.txt": ROOT / "examples" / "Pulumi.existing.yaml"}
"""The machines of podnet's, and existing hosts; by the end of the names of the golden files of each."""


@pytest.fixture(scope="module", params=STACKS)
def preview(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, toolchain_bin: Path
) -> dict[str, Any]:
    """A preview of a stack with no host, no cluster, no root, no key file and no secret."""
    file = STACKS[request.param]
    stack = file.name.split(".")[1]
    home = tmp_path_factory.mktemp("home")
    install_plugins(home / "pulumi")
    (home / "backend").mkdir()
    # A project of its own: the engine writes a salt into the stack's file.
    project = home / "project"
    project.mkdir()
    for path in (ROOT / "Pulumi.yaml", ROOT / "__main__.py", file):
        shutil.copy(path, project / path.name)
    forget_salt(project / file.name)  # another passphrase's, where the stack is up here
    (project / "podnet").symlink_to(ROOT / "podnet")
    search = [str(Path(sys.executable).parent), str(toolchain_bin), os.environ["PATH"]]
    environ = {
        "PATH": os.pathsep.join(search),
        "HOME": str(home),
        "PULUMI_HOME": str(home / "pulumi"),
        "PULUMI_BACKEND_URL": f"file://{home / 'backend'}",
        "PULUMI_CONFIG_PASSPHRASE": "thrown away",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }

    def pulumi(*arguments: str) -> str:
        command = ["pulumi", *arguments, "--non-interactive"]
        done = subprocess.run(command, cwd=project, env=environ, text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    pulumi("stack", "init", stack)
    return {"golden": request.param, **json.loads(pulumi("preview", "--stack", stack, "--json"))}


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]


def _states(preview: dict[str, Any]) -> list[dict[str, Any]]:
    """What the program declares in podnet's components and beside them, but for providers."""
    states = [step.get("newState", {}) for step in preview["steps"]]
    return [state for state in states if state.get("parent") and not state["type"].startswith("pulumi:providers")]


def test_edges(preview: dict[str, Any], golden: Golden) -> None:
    lines = []
    for state in _states(preview):
        if state.get("custom"):
            needs = sorted({_name(urn) for urn in state.get("dependencies", [])})
            ends = _name(state["deletedWith"]) if state.get("deletedWith") else "-"
            where = kind_of(state["urn"]) or "-"
            lines.append(f"{_name(state['urn'])}: in {where}; needs {', '.join(needs) or '-'}; ends with {ends}")
    golden(f"edges{preview['golden']}", "\n".join(sorted(lines)) + "\n")


def test_components(preview: dict[str, Any], golden: Golden) -> None:
    """What reviews and policies read: the kind of what is made, and values of the plan."""
    lines = [
        f"{state['type']} {_name(state['urn'])}: {json.dumps(state.get('inputs', {}))}"
        for state in _states(preview)
        if not state.get("custom")
    ]
    golden(f"components{preview['golden']}", "\n".join(sorted(lines)) + "\n")


def test_nothing_of_this_machine_is_in_an_input(preview: dict[str, Any]) -> None:
    """A stack previewed from another checkout or home shows no difference."""
    states = [step.get("newState", {}) for step in preview["steps"]]
    # Where in the program a resource was declared is for the engine's own messages, and no input.
    told = ("sourcePosition", "stackTrace")
    text = json.dumps([{key: value for key, value in state.items() if key not in told} for state in states])
    assert str(ROOT) not in text
    home = f"{Path.home()}/"
    assert home not in text, text[text.index(home) - 200 :][:400]
