"""A stack on this machine: its file, its folders, and the environment of what is run for it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from podnet.config import from_stack_file
from podnet.errors import PodnetError
from podnet.lifecycle import environment
from podnet.lifecycle.environment import Places
from podnet.lifecycle.host import Host
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
        path = environment.ROOT / f"Pulumi.{self.stack}.yaml"
        if not path.exists():
            known = ", ".join(sorted(each.name.split(".")[1] for each in environment.ROOT.glob("Pulumi.*.yaml")))
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

    def own_variables(self, made: Prerequisites) -> dict[str, str]:
        """What podnet adds to an environment, or changes in it."""
        return environment.variables(
            self.places,
            self.stack,
            python=self.python,
            toolchain=made.toolchain,
            box=made.box,
            bundle=made.bundle,
            environ=os.environ,
        )

    def host(self) -> Host:
        """Give this machine as the stack's host."""
        return Host(self.stack, self.variables())
