"""A clone of the project, as a newcomer would have it, and a stack of its own on real boxes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import require_root

ROOT = Path(__file__).parents[2]
STACK = "e2e"
NODES = {"master": "10.24.1", "node1": "10.24.2", "node2": "10.24.3"}

CONFIG: dict[str, Any] = {
    # Not the networks of Pulumi.dev.yaml: the tests run beside a user's own lab.
    "podnet:machineNetwork": "10.100.197.0/24",
    "podnet:podSubnet": "10.24.0.0/16",
    "podnet:serviceSubnet": "10.97.0.0/16",
    "podnet:nodes": [
        {"name": "master", "role": "control-plane", "address": "10.100.197.200", "podSubnet": "10.24.1.0/24"},
        {"name": "node1", "role": "worker", "address": "10.100.197.201", "podSubnet": "10.24.2.0/24"},
        # Less than the default, so that it can be seen that the machine gets what is said here.
        {"name": "node2", "role": "worker", "address": "10.100.197.202", "podSubnet": "10.24.3.0/24"}
        | {"memory": 1792, "cpus": 1},
    ],
}


@dataclass(frozen=True)
class Clone:
    """A clone with the stack's own state."""

    folder: Path
    state: Path

    def environ(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("PULUMI_", "VAGRANT_"))}
        return kept | {"PODNET_STATE": str(self.state), "STACK": STACK}

    def run(self, command: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a line of shell in the clone, as a newcomer types it."""
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.folder, env=self.environ(), text=True, capture_output=True, check=False
        )
        if check and done.returncode:
            pytest.fail(f"{command}: exit code {done.returncode}\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}")
        return done

    def sh(self, command: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a line in a shell that `make env` has prepared."""
        return self.run(f'eval "$(make -s env)" && {command}', check=check)

    def on(self, node: str, script: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a script as root on a node, with the stack's own key."""
        command = ["ssh", "-F", str(self.state / "stacks" / STACK / "ssh_config"), node, "sudo sh -s"]
        done = subprocess.run(command, input=script, text=True, errors="replace", capture_output=True, check=False)
        if check and done.returncode:
            pytest.fail(f"{node}: {script}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def start(self, command: str) -> subprocess.Popen[str]:
        """Start a line of shell in a session of its own, so that all of it can be killed."""
        return subprocess.Popen(
            ["bash", "-c", command], cwd=self.folder, env=self.environ(), text=True, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def kubectl(self, arguments: str) -> Any:
        return json.loads(self.sh(f"kubectl {arguments} -o json").stdout)

    def passed(self, text: str, stack: str = STACK) -> bool:
        """Whether a verdict in this text is that every check holds, and that there are as many as there have to be."""
        config = yaml.safe_load((self.folder / f"Pulumi.{stack}.yaml").read_text())["config"]
        count = len(config["podnet:nodes"])
        # A box has its default route from podnet, a host that was there has its own.
        of_a_node = 16 if config.get("podnet:provider") == "ssh" else 17
        return f"passed: all {15 * count**2 + of_a_node * count} checks hold" in text

    def configure(self, **changes: object) -> None:
        """Write the stack's config with some keys changed."""
        file = self.folder / f"Pulumi.{STACK}.yaml"
        kept = yaml.safe_load(file.read_text()) if file.exists() else {}
        values = CONFIG | {f"podnet:{key}": value for key, value in changes.items()}
        file.write_text(yaml.safe_dump(kept | {"config": values}, sort_keys=False))


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """Give a clone; whatever it brought up is taken down at the end."""
    require_root("boxes")
    folder = tmp_path_factory.mktemp("clone") / "podnet"
    files = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=True,
    ).stdout.splitlines()
    for name in files:
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    made = Clone(folder, tmp_path_factory.mktemp("state"))
    made.configure()
    _clear_leftover()
    try:
        yield made
    finally:
        made.run("make down", check=False)


def _clear_leftover() -> None:
    """Clear what tests that were killed left of this stack; of what is no test's, podnet itself says whose it is."""
    owner = Path(f"/var/lib/podnet-host/podnet-{STACK}")
    folder = Path(owner.read_text().strip().partition(" ")[2]) if owner.exists() else None
    if folder and any(part.startswith("pytest-of-") for part in folder.parts):
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([ROOT / "podnet/scripts/podnet-host", "clear", f"podnet-{STACK}"], check=True)
