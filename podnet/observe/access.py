"""The ways in: kubectl with the stack's kubeconfig, and SSH with the stack's ssh_config."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from podnet.errors import PodnetError
from podnet.model import Node


class CannotLookError(PodnetError):
    """The verification could not be made at all: no kubeconfig, no API server, a node that cannot be reached."""


@dataclass(frozen=True, slots=True)
class Access:
    """The folder of a stack, which holds ssh_config and admin.conf."""

    folder: Path

    def require(self) -> None:
        """CannotLookError where the stack is not up on this host."""
        if not (self.folder / "admin.conf").exists():
            raise CannotLookError(f"there is no kubeconfig {self.folder / 'admin.conf'}: is the stack up? (make up)")

    async def kubectl(self, *arguments: str, stdin: str = "", timeout: float = 60) -> str:
        """Run kubectl; its output. CannotLookError with its own words where it fails."""
        command = ["kubectl", "--kubeconfig", str(self.folder / "admin.conf"), "--request-timeout=20s", *arguments]
        status, output, errors = await run(command, stdin, timeout)
        if status:
            raise CannotLookError(f"kubectl {arguments[0]} failed: {_last_line(errors)}")
        return output

    async def kubectl_json(self, *arguments: str) -> Any:
        """Run kubectl for JSON."""
        return json.loads(await self.kubectl(*arguments, "-o", "json"))

    def ssh(self, node: Node, command: str) -> list[str]:
        """The command line that runs a command on a node, as the stack's ssh_config says."""
        return ["ssh", "-F", str(self.folder / "ssh_config"), node.name, command]

    async def on_node(self, node: Node, command: str, stdin: str = "", timeout: float = 60) -> str:
        """Run a command on a node; its output. CannotLookError names the node where it fails."""
        status, output, errors = await run(self.ssh(node, command), stdin, timeout)
        if status:
            raise CannotLookError(f"node {node.name} ({node.address}) cannot be asked: {_last_line(errors)}")
        return output


async def run(command: Sequence[str], stdin: str, timeout: float) -> tuple[int, str, str]:
    """Run a program: exit status, standard output, standard error. It is ended at the timeout (seconds)."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=os.environ,
        )
    except FileNotFoundError:
        raise CannotLookError(f"{command[0]} is not on the PATH: run 'eval \"$(make -s env)\"' first") from None
    try:
        output, errors = await asyncio.wait_for(process.communicate(stdin.encode()), timeout)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        return 124, "", f"no answer within {timeout:.0f} s"
    return process.returncode or 0, output.decode(), errors.decode()


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"
