"""podnet.host where no resource calls it: before a deployment, and beside one."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from podnet.commands.vagrant import bridge_name
from podnet.errors import PodnetError
from podnet.lifecycle.places import ROOT
from podnet.model import Cluster
from podnet.steps import step

_SECONDS_TO_START: Final = 240
"""How long the pods of a cluster may take to come back after its machines were started."""

_PAUSE_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Host:
    """A stack on this host. variables: the environment that podnet.host wants (``make env``)."""

    stack: str
    variables: Mapping[str, str]

    def check(self, cluster: Cluster) -> str:
        """Look whether the host can have the stack; what will be changed on it. PodnetError where it cannot."""
        return self._run("check", bridge_name(cluster), str(cluster.machine_network), str(cluster.pod_subnet))

    def resume(self, leave: Collection[str] = ()) -> list[str]:
        """Bring back what a reboot of the host or ``halt`` has stopped; the machines started. leave: but for these."""
        stopped = [name for name in self._run("stopped", self.stack).split() if name not in leave]
        if not stopped:
            self._run("resume", self.stack)
            return []
        with step(f"stopped machines: starting {', '.join(stopped)}"):
            self._run("resume", self.stack, *stopped)
        return stopped

    def halt(self) -> None:
        """Stop the stack's machines."""
        with step("machines: stopping"):
            self._run("halt", self.stack)

    def wait_until_proved(self, cluster: str) -> None:
        """Wait until the network of machines that were started does what it did. cluster: the config as JSON.

        Where it does not, that is said, and the deployment that follows shows or repairs it.
        """
        deadline = time.monotonic() + _SECONDS_TO_START
        with step("cluster: waiting until every check holds again"):
            while (done := self._call("verify", self.stack, stdin=cluster)).returncode:
                if time.monotonic() > deadline:
                    print(f"after {_SECONDS_TO_START} s not every check holds:\n{_last(done)}", file=sys.stderr)
                    return
                time.sleep(_PAUSE_SECONDS)

    def _run(self, subcommand: str, *arguments: str) -> str:
        done = self._call(subcommand, *arguments)
        if done.returncode:
            raise PodnetError(_last(done))
        return done.stdout

    def _call(self, subcommand: str, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.variables["PODNET_PYTHON"], "-P", "-m", "podnet.host", subcommand, *arguments],
            check=False,
            text=True,
            input=stdin,
            capture_output=True,
            env={**self.variables, "PYTHONPATH": str(ROOT)},
        )


def _last(done: subprocess.CompletedProcess[str]) -> str:
    return "\n".join(done.stderr.strip().splitlines()[-12:])
