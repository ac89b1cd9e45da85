"""Building an artifact from Go modules, in a folder of its own: the checkout is only read."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from podnet.errors import PodnetError
from podnet.program import run
from toolchain.golang import Go, environment
from toolchain.process import run_logged
from toolchain.recipes import Artifact, GoBuild, ModuleFiles, VersionedJson
from toolchain.settings import Settings


@dataclass(frozen=True, slots=True)
class Build:
    """One build of one artifact. work is a temporary folder; the result is left in its `out`."""

    artifact: Artifact
    groups: Path
    work: Path
    log: Path
    go: Go
    settings: Settings

    @property
    def out(self) -> Path:
        """Where the result is."""
        return self.work / "out"

    def make(self) -> Path:
        """Take every step of the recipe."""
        env = self._prepare()
        for step in self.artifact.steps:
            match step:
                case GoBuild():
                    self._go_build(step, env)
                case ModuleFiles():
                    self._module_files(step, env)
                case VersionedJson():
                    self._versioned_json(step, env)
        self._check()
        return self.out

    def _prepare(self) -> dict[str, str]:
        (self.out / "bin").mkdir(parents=True)
        scratch = self.work / "scratch"
        scratch.mkdir()
        for group in self.artifact.groups:
            folder = self.work / "src" / group
            folder.mkdir(parents=True)
            for source in sources(self.groups / group):
                shutil.copy(source, folder / source.name)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.unlink(missing_ok=True)
        return environment(self.go, self.settings, scratch)

    def _go_build(self, step: GoBuild, env: dict[str, str]) -> None:
        target = self.out / "bin" / step.output if step.output else f"{self.out / 'bin'}/"
        command = [str(self.go.command), *(["test", "-c"] if step.test else ["build"])]
        options = ["-ldflags", step.ldflags, *(["-tags", step.tags] if step.tags else []), "-o", str(target)]
        run_logged([*command, *options, *step.packages], cwd=self._source(step.group), env=env, log=self.log)

    def _module_files(self, step: ModuleFiles, env: dict[str, str]) -> None:
        module = self._module(step.group, step.module, env)
        for path, name in step.files:
            target = self.out / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(module / path, target)
            target.chmod(0o755 if target.parent.name == "bin" else 0o644)

    def _versioned_json(self, step: VersionedJson, env: dict[str, str]) -> None:
        content = json.loads((self._module(step.group, step.module, env) / step.path).read_text())
        content["version"] = step.version
        (self._source(step.group) / step.target).write_text(json.dumps(content))

    def _module(self, group: str, module: str, env: dict[str, str]) -> Path:
        """Return the folder of a module in the module cache, at the version that the group's go.mod selects."""
        source = self._source(group)
        run_logged([str(self.go.command), "mod", "download", module], cwd=source, env=env, log=self.log)
        found = run([str(self.go.command), "list", "-m", "-f", "{{.Dir}}", module], cwd=source, env=env).strip()
        if not found:
            raise PodnetError(f"{self.artifact.title}: Go modules do not serve {module}")
        return Path(found)

    def _source(self, group: str) -> Path:
        return self.work / "src" / group

    def _check(self) -> None:
        # `go mod download` may add a checksum that nobody has committed: such a build is not the pinned one.
        for group in self.artifact.groups:
            for name in ("go.mod", "go.sum"):
                if (self._source(group) / name).read_bytes() != (self.groups / group / name).read_bytes():
                    raise PodnetError(
                        f"{self.artifact.title}: toolchain/go/{group}/{name} does not pin all that is built"
                    )
        wanted = [*(f"bin/{name}" for name in self.artifact.binaries), *self.artifact.extras]
        if missing := [name for name in wanted if not (self.out / name).is_file()]:
            raise PodnetError(f"{self.artifact.title}: the build ended well, but made no {', '.join(missing)}")


def sources(group: Path) -> list[Path]:
    """List the files that a group consists of: all that goes into its build and is not made by it."""
    return sorted(path for path in group.iterdir() if re.fullmatch(r"go\.(mod|sum)|.*\.(go|json)", path.name))
