"""The agent on every node, for the time of a verification: it answers the pods, looks, probes and sees pings come.

One login each carries it all. The agent ends with the login, however that ends: nothing is left on a node, even if
podnet is killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shlex
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final, TypeVar

from podnet.errors import last_words
from podnet.model import Node
from podnet.observe.access import LONGER, NODE_TIMEOUT, Access, CannotLookError, bound, end, longest, start, together
from podnet.observe.progress import Progress
from podnet.planning import ClusterPlan

_T = TypeVar("_T")

_LINE: Final = 1 << 26
"""Bytes of an answer: a node's whole packet filter is in one."""

_END_PATIENCE: Final = 2
_SSH_FAILED: Final = 255
"""ssh's own exit code; any other is the command's."""

# The program comes first, on standard input, and says how long it is; requests follow it.
_RECEIVE: Final = "import sys; exec(sys.stdin.buffer.read(int(sys.argv.pop(1))))"


def agent_source() -> str:
    """The text of the agent's program."""
    return resources.files("podnet.verify").joinpath("agent.py").read_text()


@dataclass(frozen=True, slots=True)
class Session:
    """The agent on one node. port: where it answers pods, TCP and UDP. caller: the address that its login came from."""

    node: Node
    process: asyncio.subprocess.Process
    port: int
    caller: str

    async def ask(self, request: Mapping[str, Any], timeout: float) -> Any:
        """Send a request; the answer. One at a time. timeout: seconds, see bound.

        CannotLookError names the node where none comes.
        """
        assert self.process.stdin is not None  # noqa: S101  # it is a pipe
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            await self.process.stdin.drain()
        except OSError:
            raise await _unreachable(self.node, self.process) from None
        return await _line(self.node, self.process, timeout)


@asynccontextmanager
async def sessions(plan: ClusterPlan, access: Access, progress: Progress) -> AsyncIterator[Mapping[str, Session]]:
    """The agent on every node, by the node's name.

    CannotLookError names every node that cannot be asked, and the API server where it does not answer either.
    """
    program = agent_source().encode()
    processes: list[asyncio.subprocess.Process] = []
    silent = [*(node.name for node in plan.cluster.nodes), "the API server"]

    async def told(name: str, answering: Coroutine[Any, Any, _T]) -> _T:
        answer = await answering
        silent.remove(name)
        if silent:
            progress.wait(f"{_few(silent)} to answer")
        return answer

    progress.wait(f"{_few(silent)} to answer")
    try:
        for node in plan.cluster.nodes:
            processes.append(await start(access.ssh(node, _command(node, program)), _LINE))
        pairs = zip(plan.cluster.nodes, processes, strict=True)
        logins = (told(node.name, _open(node, process, program)) for node, process in pairs)
        opened: list[Session | None] = await together(told("the API server", access.require_api()), *logins)
        yield {session.node.name: session for session in opened if session is not None}
    finally:
        await asyncio.gather(*map(_close, processes))


@asynccontextmanager
async def session(node: Node, access: Access) -> AsyncIterator[Session]:
    """The agent on one node alone; CannotLookError where it cannot be asked."""
    program = agent_source().encode()
    process = await start(access.ssh(node, _command(node, program)), _LINE)
    try:
        yield await _open(node, process, program)
    finally:
        await _close(process)


async def _close(process: asyncio.subprocess.Process) -> None:
    """Let the agent end, and the login with it."""
    assert process.stdin is not None  # noqa: S101  # it is a pipe
    process.stdin.close()
    await end(process, _END_PATIENCE)


def _command(node: Node, program: bytes) -> str:
    # An agent ends in any case. Where the login came from sudo would not hand on by itself.
    words = f"python3 -u -c {shlex.quote(_RECEIVE)} {len(program)} attend {node.address}"
    return f'sudo -n timeout {longest():.0f} {words} "$SSH_CONNECTION"'


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


async def _open(node: Node, process: asyncio.subprocess.Process, program: bytes) -> Session:
    assert process.stdin is not None  # noqa: S101  # it is a pipe
    try:
        process.stdin.write(program)
        await process.stdin.drain()
    except OSError:
        raise await _unreachable(node, process) from None
    answer = await _line(node, process, NODE_TIMEOUT)
    return Session(node, process, int(answer["port"]), str(answer["caller"]))


async def _line(node: Node, process: asyncio.subprocess.Process, timeout: float) -> Any:
    assert process.stdout is not None  # noqa: S101  # it is a pipe
    patience = bound(timeout)
    try:
        line = await asyncio.wait_for(process.stdout.readline(), patience)
    except TimeoutError:
        why = f"no answer within {patience:.0f} s, though its connection stands ({LONGER})"
        raise await _unreachable(node, process, why) from None
    if not line:
        raise await _unreachable(node, process)
    try:
        return json.loads(line)
    except ValueError:
        raise CannotLookError(f"node {node.name} ({node.address}) gave an answer that is none: {line[:80]!r}") from None


async def _unreachable(node: Node, process: asyncio.subprocess.Process, why: str = "") -> CannotLookError:
    """The error for a node that does not answer, with the words of its last breath."""
    await end(process, _END_PATIENCE)
    assert process.stderr is not None  # noqa: S101  # it is a pipe
    said = ""
    # Whoever still holds the pipe may keep it open.
    with contextlib.suppress(TimeoutError):
        said = (await asyncio.wait_for(process.stderr.read(), _END_PATIENCE)).decode(errors="replace").strip()
    if not why and not said:
        # ssh says nothing, at its LogLevel, of a peer that does not answer any more.
        why = "the connection was lost" if process.returncode == _SSH_FAILED else "the login has ended"
    words = "; ".join(filter(None, (why, last_words(said) if said else "")))
    return CannotLookError(f"node {node.name} ({node.address}) cannot be asked: {words}")
