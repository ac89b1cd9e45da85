"""The ways in: kubectl with the stack's kubeconfig, and SSH with the stack's ssh_config."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import tempfile
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from podnet.commands import ssh
from podnet.errors import PodnetError, last_words
from podnet.model import Cluster, Node

_T = TypeVar("_T")

TIMEOUT: Final = "PODNET_TIMEOUT"
LONGER: Final = f"{TIMEOUT}=SECONDS waits longer"

NODE_TIMEOUT: Final = 120
"""Seconds that a node has for an answer. It is slow, not dead: ssh ends where nobody answers (podnet.render.ssh)."""

PROBES_TIMEOUT: Final = 120
"""Seconds in which a node or a pod has made its probes."""

_REQUEST: Final = 10
"""Seconds that kubectl gives the API server for one request."""

_API_TIMEOUT: Final = 8
"""Seconds in which an API server that is there says so."""

_TOO_SLOW: Final = re.compile(r"Client\.Timeout|deadline exceeded|TLS handshake timeout")
"""In kubectl's words: the API server is there, and took too long."""


class CannotLookError(PodnetError):
    """The verification could not be made at all: no kubeconfig, no API server, a node that cannot be reached."""


async def together(*work: Coroutine[Any, Any, _T]) -> list[_T]:
    """Do several things side by side, each to its end; where some could not look, one error says them all."""
    done = await asyncio.gather(*work, return_exceptions=True)
    lost = [each for each in done if isinstance(each, CannotLookError)]
    if lost:
        raise all_of(lost)
    if failed := [each for each in done if isinstance(each, BaseException)]:
        raise failed[0]
    return [each for each in done if not isinstance(each, BaseException)]


def all_of(errors: Sequence[CannotLookError]) -> CannotLookError:
    """Several errors as one, a line each."""
    if len(errors) == 1:
        return errors[0]
    lines = [f"  - {error}" for error in errors]
    return CannotLookError("\n".join([f"{len(errors)} things keep podnet from looking:", *lines]))


def bound(seconds: float) -> float:
    """How long to wait for something, in seconds; PODNET_TIMEOUT in the environment makes it longer.

    Raises PodnetError where that is no number.
    """
    text = os.environ.get(TIMEOUT, "")
    if not re.fullmatch("[0-9]{0,6}", text):
        raise PodnetError(f"{TIMEOUT} is {text!r}; expected a whole number of seconds")
    return max(seconds, int(text or 0))


def longest() -> float:
    """Seconds that no verification lasts: a few waits, one after another."""
    return 5 * bound(NODE_TIMEOUT)


@dataclass(frozen=True, slots=True)
class Access:
    """The folder of a stack, which holds ssh_config and admin.conf."""

    folder: Path

    def require(self) -> None:
        """CannotLookError where the stack is not up on this host."""
        if not (self.folder / "admin.conf").exists():
            raise CannotLookError(f"there is no kubeconfig {self.folder / 'admin.conf'}: is the stack up? (make up)")

    def kubectl_line(self, *arguments: str) -> list[str]:
        """The command line of kubectl."""
        return ["kubectl", "--kubeconfig", str(self.folder / "admin.conf"), *arguments]

    async def kubectl(self, *arguments: str, stdin: str = "", timeout: float = 60) -> str:
        """Run kubectl; its output. CannotLookError with its own words where it fails."""
        command = self.kubectl_line(f"--request-timeout={bound(_REQUEST):.0f}s", *arguments)
        status, output, errors = await run(command, stdin, timeout)
        if status:
            raise CannotLookError(f"kubectl {arguments[0]} failed: {_of_kubectl(errors, status)}")
        return output

    async def require_api(self) -> None:
        """CannotLookError where the API server does not answer, within a few seconds."""
        command = self.kubectl_line(f"--request-timeout={bound(5):.0f}s", "get", "--raw", "/readyz")
        status, _, errors = await run(command, "", _API_TIMEOUT)
        if status:
            raise CannotLookError(f"the API server does not answer: {_of_kubectl(errors, status)}")

    def ssh(self, node: Node, command: str) -> list[str]:
        """The command line that runs a command on a node, as the stack's ssh_config says."""
        return ["ssh", "-F", str(self.folder / "ssh_config"), node.name, command]


@contextmanager
def as_described(stack: Path, cluster: Cluster) -> Iterator[Access]:
    """Give the ways in to the nodes of a cluster, also of one that the stack's own ssh_config no longer describes.

    stack: the stack's folder. It has the keys; what is to be there now is said by a config that may be another one by
    now, as when a node is on its way out.
    """
    with tempfile.TemporaryDirectory(prefix="podnet-") as name:
        folder = Path(name)
        for kept in ("id_ed25519", "machines", "admin.conf"):
            (folder / kept).symlink_to(stack / kept)
        (folder / "ssh_config").write_text(ssh.config(cluster).replace(ssh.FOLDER, str(folder)))
        (folder / "known_hosts").write_text(ssh.pinned(cluster))
        yield Access(folder)


async def start(command: Sequence[str], limit: int = 1 << 16) -> asyncio.subprocess.Process:
    """Start a program with pipes on all three sides. limit: bytes that a line of its output may have."""
    try:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=os.environ,
            limit=limit,
        )
    except FileNotFoundError:
        raise CannotLookError(f"{command[0]} is not on the PATH: run 'eval \"$(make -s env)\"' first") from None


async def run(command: Sequence[str], stdin: str, timeout: float) -> tuple[int, str, str]:
    """Run a program: exit status, standard output, standard error. It is ended at the timeout (seconds, see bound)."""
    patience = bound(timeout)
    process = await start(command)
    try:
        output, errors = await asyncio.wait_for(process.communicate(stdin.encode()), patience)
    except TimeoutError:
        return 124, "", f"no answer within {patience:.0f} s ({LONGER})"
    finally:
        await end(process)
    return process.returncode or 0, output.decode(), errors.decode()


async def end(process: asyncio.subprocess.Process, patience: float = 0) -> None:
    """Wait until a program has ended; one that has not after so many seconds of patience is killed."""
    if process.returncode is None and patience:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), patience)
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            # Not process.kill(): it looks for the end itself first, and asyncio's own waiting then finds nothing.
            os.kill(process.pid, signal.SIGKILL)
        await process.wait()


def _of_kubectl(errors: str, status: int) -> str:
    slow = f" ({LONGER})" if _TOO_SLOW.search(errors) else ""
    return last_words(errors, status) + slow
