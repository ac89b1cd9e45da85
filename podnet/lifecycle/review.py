"""The review of a checkout: its stack's config and program, against those of a git revision.

Nothing that is up is looked at. Both versions are previewed as if they were new, each with its own program and a
backend that is thrown away, so it works on a fresh clone, for a fork, and where no host of the stack can be reached.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from podnet.config import from_stack_file
from podnet.errors import PodnetError
from podnet.lifecycle import environment
from podnet.model import Cluster
from podnet.planning import ClusterPlan, plan
from podnet.review.markdown import Review, markdown
from podnet.review.steps import Declared, declared, steps

_PASSED_ON: Final = ("LANG", "LC_ALL", "TMPDIR")
"""What of the environment a preview gets: no token, key or address of anything can be in it."""


@dataclass(frozen=True, slots=True)
class Previewer:
    """The engine. pulumi_home: where its plugins are. python, toolchain: what is put on PATH."""

    stack: str
    pulumi_home: Path
    python: Path
    toolchain: Path

    def preview(self, tree: Path, scratch: Path) -> dict[str, Any]:
        """Preview a program and its stack as if it were new. scratch: an empty folder, for a project and a backend."""
        project, backend = scratch / "project", scratch / "backend"
        project.mkdir()
        backend.mkdir()
        for path in tree.iterdir():
            if path.name == f"Pulumi.{self.stack}.yaml":
                (project / path.name).write_text(_without_salt(path.read_text()))  # the engine writes into it
            elif path.name not in (".git", "policy"):
                (project / path.name).symlink_to(path)
        environ = {name: os.environ[name] for name in _PASSED_ON if name in os.environ} | {
            "PATH": os.pathsep.join([str(self.python.parent), str(self.toolchain), os.environ.get("PATH", os.defpath)]),
            "HOME": str(scratch),
            "PULUMI_HOME": str(self.pulumi_home),
            "PULUMI_BACKEND_URL": f"file://{backend}",
            "PULUMI_CONFIG_PASSPHRASE": secrets.token_urlsafe(),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        _run(["pulumi", "stack", "init", self.stack, "--non-interactive"], project, environ)
        text = _run(["pulumi", "preview", "--json", "--stack", self.stack, "--non-interactive"], project, environ)
        return dict(json.loads(text))


def of_checkout(after: Cluster, revision: str, previewer: Previewer) -> str:
    """Review the checkout, as Markdown. revision: the branch or commit that it is to be merged into.

    Compared is with where the checkout left it, so what others have done there meanwhile is not in the review.
    """
    commit = _merge_base(revision)
    with ExitStack() as folders:
        tree, old, new = (Path(folders.enter_context(tempfile.TemporaryDirectory(prefix="podnet-"))) for _ in range(3))
        _export(commit, tree)
        stack_file = tree / f"Pulumi.{after.name}.yaml"
        before, why = _planned(stack_file)
        with ThreadPoolExecutor() as pool:
            head = pool.submit(previewer.preview, environment.ROOT, new)
            base = pool.submit(_declared_before, previewer, tree, old, stack_file.name, not why)
            found = steps(base.result(), declared(head.result()))
    return markdown(Review(f"{revision} ({commit[:10]})", before, plan(after), found, why))


def _declared_before(
    previewer: Previewer, tree: Path, scratch: Path, stack_file: str, can_be_planned: bool
) -> dict[str, Declared]:
    """What the base declares: its config under this program if its own fails, nothing where that cannot be either."""
    if not (tree / stack_file).exists():
        return {}
    try:
        return declared(previewer.preview(tree, scratch))
    except PodnetError:
        if not can_be_planned:
            return {}
        # Another version of a library than this checkout's, for example.
        mixed = scratch / "mixed"
        mixed.mkdir()
        for path in environment.ROOT.iterdir():
            if path.name != stack_file:
                (mixed / path.name).symlink_to(path)
        shutil.copy(tree / stack_file, mixed)
        return declared(previewer.preview(mixed, _empty(scratch / "again")))


def _empty(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _planned(stack_file: Path) -> tuple[ClusterPlan | None, str]:
    """Plan the base's config; or None, and why it cannot be planned."""
    if not stack_file.exists():
        return None, ""
    try:
        return plan(from_stack_file(stack_file)), ""
    except PodnetError as error:
        return None, str(error)


def _merge_base(revision: str) -> str:
    # A name that git would take for an option is none of a revision.
    done = _git(["merge-base", "--end-of-options", revision, "HEAD"])
    if done.returncode:
        why = done.stderr.strip() or "the histories differ"
        raise PodnetError(
            f"git knows no common ancestor of {revision} and this checkout: {why}\n"
            "Name what to compare with: make preview-comment BASE=main; in a shallow clone: git fetch --unshallow"
        )
    return done.stdout.strip()


def _export(commit: str, folder: Path) -> None:
    """The files of a commit, without touching the checkout."""
    archive = folder.with_suffix(".tar")
    try:
        done = _git(["archive", "--format=tar", f"--output={archive}", commit])
        if done.returncode:
            raise PodnetError(f"git archive of {commit} failed: {done.stderr.strip()}")
        _run(["tar", "--extract", f"--file={archive}", f"--directory={folder}"], folder, dict(os.environ))
    finally:
        archive.unlink(missing_ok=True)


def _git(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    try:
        command = ["git", "-C", str(environment.ROOT), *arguments]
        return subprocess.run(command, check=False, text=True, capture_output=True)
    except OSError as error:
        raise PodnetError(f"git cannot be run: {error}") from None


def _run(command: Sequence[str], folder: Path, environ: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=folder, env=environ, text=True, capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.strip() or done.stdout.strip()
        raise PodnetError(f"{' '.join(command[:2])} failed:\n{said}")
    return done.stdout


def _without_salt(text: str) -> str:
    """A salt belongs to another passphrase; podnet's config holds no secret that it would open."""
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("encryptionsalt:"))
