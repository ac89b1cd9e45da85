"""``podnet preview-comment``: the config and program of a checkout, against those of a git revision.

Nothing that is up is looked at. Both versions are previewed as if they were new, each with its own program and a
backend that is thrown away, so it works on a fresh clone, for a fork, and where no host of the stack can be reached.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from podnet.config import from_stack_file
from podnet.errors import PodnetError
from podnet.files import write_whole
from podnet.lifecycle import prerequisites
from podnet.lifecycle.engine import without_salt
from podnet.lifecycle.places import ROOT
from podnet.lifecycle.scratch import scratch
from podnet.lifecycle.workspace import Workspace
from podnet.model import Cluster
from podnet.planning import ClusterPlan, plan
from podnet.program import run
from podnet.review.markdown import Review, markdown
from podnet.review.steps import Declared, declared, steps

_PASSED_ON: Final = ("LANG", "LC_ALL")
"""What of the environment a preview gets: no token, key or address of anything can be in it."""


def preview_comment(workspace: Workspace, base: str, output: Path | None) -> None:
    """Write what the checkout changes, as Markdown; without output, to standard output.

    base: the branch or commit that it is to be merged into. Compared is with where the checkout left it, so what
    others have done there meanwhile is not in the review.
    """
    after = workspace.cluster()
    made = prerequisites.for_plans(workspace.places, workspace.python)
    with scratch(workspace.places.scratch) as its_own:
        text = _review(after, base, _Previewer(workspace, str(made.toolchain), its_own.folder), its_own.folder)
    if output:
        write_whole(output, text)
    else:
        print(text, end="")


def _review(after: Cluster, base: str, previewer: _Previewer, folder: Path) -> str:
    commit = _merge_base(base)
    tree = _export(commit, folder)
    stack_file = tree / f"Pulumi.{after.name}.yaml"
    before, why = _planned(stack_file)
    with ThreadPoolExecutor() as pool:
        head = pool.submit(previewer.preview, "head", ROOT.iterdir())
        old = pool.submit(_declared_before, previewer, stack_file, not why)
        found = steps(old.result(), declared(head.result()))
    return markdown(Review(f"{base} ({commit[:10]})", before, plan(after), found, why))


@dataclass(frozen=True, slots=True)
class _Previewer:
    """The engine with nothing of the user's. toolchain: the folder of programs. folder: for all that it makes."""

    workspace: Workspace
    toolchain: str
    folder: Path

    def preview(self, name: str, files: Iterable[Path]) -> dict[str, Any]:
        """Preview a program and its stack, both among files, as if they were new. name: of this preview."""
        stack, home = self.workspace.stack, self.folder / name
        project, backend, temporary = home / "project", home / "backend", home / "tmp"
        for folder in (project, backend, temporary):
            folder.mkdir(parents=True)
        for path in files:
            if path.name == f"Pulumi.{stack}.yaml":
                # The engine writes into it, and a salt belongs to another passphrase; it would open no secret here.
                (project / path.name).write_text(without_salt(path.read_text()))
            elif path.name not in (".git", "policy"):
                (project / path.name).symlink_to(path)
        path_of_programs = [str(self.workspace.python.parent), self.toolchain, os.environ.get("PATH", os.defpath)]
        environ = {key: os.environ[key] for key in _PASSED_ON if key in os.environ} | {
            "PATH": os.pathsep.join(path_of_programs),
            "HOME": str(home),
            "TMPDIR": str(temporary),
            "PULUMI_HOME": str(self.workspace.places.pulumi_home),
            "PULUMI_BACKEND_URL": f"file://{backend}",
            "PULUMI_CONFIG_PASSPHRASE": secrets.token_urlsafe(),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        run(["pulumi", "stack", "init", stack, "--non-interactive"], cwd=project, env=environ)
        shown = run(["pulumi", "preview", "--json", "--stack", stack, "--non-interactive"], cwd=project, env=environ)
        return dict(json.loads(shown))


def _declared_before(previewer: _Previewer, stack_file: Path, can_be_planned: bool) -> dict[str, Declared]:
    """What the base declares: its config under this program if its own fails, nothing where that cannot be either."""
    if not stack_file.exists():
        return {}
    try:
        return declared(previewer.preview("base", stack_file.parent.iterdir()))
    except PodnetError:
        if not can_be_planned:
            return {}
        # Another version of a library than this checkout's, for example.
        ours = [path for path in ROOT.iterdir() if path.name != stack_file.name]
        return declared(previewer.preview("mixed", [*ours, stack_file]))


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
    try:
        return run(["git", "merge-base", "--end-of-options", revision, "HEAD"], cwd=ROOT).strip()
    except PodnetError as error:
        raise PodnetError(
            f"git knows no common ancestor of {revision} and this checkout: {error}\n"
            "Name what to compare with: make preview-comment BASE=main; in a shallow clone: git fetch --unshallow"
        ) from None


def _export(commit: str, folder: Path) -> Path:
    """Give the files of a commit in a folder of their own, without touching the checkout."""
    tree, archive = folder / "tree", folder / "tree.tar"
    tree.mkdir()
    run(["git", "archive", "--format=tar", f"--output={archive}", commit], cwd=ROOT)
    run(["tar", "--extract", f"--file={archive}", f"--directory={tree}"])
    return tree
