"""A stack on this machine: its file, its folders, and the environment of what is run for it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from podnet.config import from_stack_file
from podnet.errors import PodnetError
from podnet.lifecycle import backend
from podnet.lifecycle.host import Host
from podnet.lifecycle.places import ROOT, Places
from podnet.lifecycle.prerequisites import NOTHING, Prerequisites
from podnet.model import Cluster


@dataclass(frozen=True, slots=True)
class Workspace:
    """A stack on this machine. python: the interpreter of podnet's own environment."""

    stack: str
    places: Places
    python: Path

    @property
    def stack_file(self) -> Path:
        """Pulumi's file with the stack's config. Raises PodnetError where there is none."""
        path = ROOT / f"Pulumi.{self.stack}.yaml"
        if not path.exists():
            known = ", ".join(sorted(each.name.split(".")[1] for each in ROOT.glob("Pulumi.*.yaml")))
            raise PodnetError(f"there is no {path.name}; the stacks here are {known} (make up STACK=NAME)")
        return path

    @property
    def folder(self) -> Path:
        """What is kept of the stack while it is up: keys, admin.conf, Vagrant's files, the picture."""
        return self.places.stacks / self.stack

    def cluster(self) -> Cluster:
        """Read the config. Raises ConfigError with all that is wrong with it."""
        return from_stack_file(self.stack_file)

    def variables(self, made: Prerequisites = NOTHING) -> dict[str, str]:
        """The environment of a program that is run for the stack."""
        return dict(os.environ) | self.own_variables(made)

    def own_variables(self, made: Prerequisites = NOTHING, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
        """What a shell needs so that pulumi, kubectl and vagrant work on the stack as in the chapter.

        environ: the environment that it is added to, or changed in.
        """
        path = [str(self.python.parent)] + ([str(made.toolchain)] if made.toolchain else [])
        rest = [part for part in environ.get("PATH", "").split(":") if part not in path]
        found = {
            "PATH": ":".join([*path, *rest]),
            "PULUMI_HOME": str(self.places.pulumi_home),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            # In every checkout: what the engine selects itself, it selects for one of them.
            "PULUMI_STACK": self.stack,
            "VAGRANT_HOME": str(self.places.vagrant_home),
            "VAGRANT_CWD": str(self.folder),
            "KUBECONFIG": str(self.folder / "admin.conf"),
            "PODNET_ROOT": str(ROOT),
            "PODNET_PYTHON": str(self.python),
            "PODNET_STACKS": str(self.places.stacks),
            "PODNET_STACK": self.stack,
        }
        if made.box:
            found["PODNET_BOX"] = made.box
        if made.bundle:
            found["PODNET_BUNDLE"] = str(made.bundle)
        return found | backend.variables(self.places, self.stack, environ)

    def host(self) -> Host:
        """Give this machine as the stack's host."""
        return Host(self.stack, self.variables())


def exports(found: Mapping[str, str]) -> str:
    """Give variables as shell text for ``eval``."""
    return "".join(f"export {key}={shlex.quote(value)}\n" for key, value in sorted(found.items()))
