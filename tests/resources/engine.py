"""The real engine on a project of its own: no host, no cluster, no root, and nothing of the user's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from podnet.lifecycle.engine import forget_salt
from toolchain.plugins import install_plugins

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Engine:
    """One home with plugins; every project in it has a backend of its own, with a stack called dev."""

    home: Path
    bin: Path

    @classmethod
    def at(cls, home: Path, toolchain_bin: Path) -> Engine:
        install_plugins(home / "pulumi")
        shutil.copytree(ROOT / "policy", home / "policy", ignore=shutil.ignore_patterns("venv", "__pycache__"))
        (home / "policy" / "venv").symlink_to(Path(sys.executable).parents[1])
        return cls(home, toolchain_bin)

    def podnet(self, name: str = "podnet", stack_file: str | None = None) -> Path:
        """A project that is podnet itself: the engine writes a salt into the stack's file, so it is a copy."""
        project = self.home / name
        project.mkdir()
        for file in ("Pulumi.yaml", "Pulumi.dev.yaml", "__main__.py"):
            shutil.copy(ROOT / file, project / file)
        forget_salt(project / "Pulumi.dev.yaml")  # another passphrase's, where the stack is up here
        if stack_file is not None:
            (project / "Pulumi.dev.yaml").write_text(stack_file)
        (project / "podnet").symlink_to(ROOT / "podnet")
        return project

    def program(self, name: str, text: str) -> Path:
        """A project with a program of a few lines."""
        project = self.home / name
        project.mkdir()
        (project / "Pulumi.yaml").write_text(f"name: {name}\nruntime: python\n")
        (project / "__main__.py").write_text(text)
        return project

    def run(self, project: Path, *arguments: str, code: int = 0) -> str:
        """Run pulumi; its standard output and error. It must end with this exit code."""
        command = ["pulumi", *arguments, "--non-interactive"]
        done = subprocess.run(
            command, cwd=project, env=self.environ(project), text=True, capture_output=True, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + ("" if "--json" in arguments else done.stderr)

    def environ(self, project: Path) -> dict[str, str]:
        """The environment that pulumi runs in, for a project."""
        backend = self.home / f"backend of {project.name}"
        backend.mkdir(exist_ok=True)
        path = [str(Path(sys.executable).parent), str(self.bin), os.environ["PATH"]]
        return {
            "PATH": os.pathsep.join(path),
            "HOME": str(self.home),
            "PULUMI_HOME": str(self.home / "pulumi"),
            "PULUMI_BACKEND_URL": f"file://{backend}",
            "PULUMI_CONFIG_PASSPHRASE": "thrown away",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DEBUG_COMMANDS": "true",  # has --event-log
        }
