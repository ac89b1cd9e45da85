"""Run a command over SSH. Imported only when the first one is run: asyncssh takes half a second to load."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

import asyncssh
from asyncssh.packet import String

from lab.command_provider.capture import Capture
from lab.command_provider.dial import dial
from lab.command_provider.engine_log import EngineLog
from lab.command_provider.errors import CommandError
from lab.command_provider.inputs import RemoteInputs

_Request = Callable[..., Awaitable[bool | None]]
_ACCEPT_ENV = (
    "This only works if the SSH server accepts the variable (AcceptEnv in its sshd_config). "
    "Or write 'VAR=value command' as the command itself."
)


async def run_remote(
    command: str, inputs: RemoteInputs, previous: Mapping[str, str], capture: Capture, *, log: EngineLog, urn: str
) -> str | None:
    """Log in, run the command to its end, log out, and say how it ended if not well.

    If this is cancelled, the command is sent a signal before the connection is closed.
    """

    async def notice(text: str) -> None:
        await log.info(text, urn, ephemeral=True)

    async with dial(inputs.connection, notice) as ssh:
        session = _Session(capture, inputs, previous)
        try:
            # An empty command would ask for a login shell.
            channel, _ = await ssh.create_session(lambda: session, command or " ", encoding=None)
        except asyncssh.ChannelOpenError as error:
            raise CommandError(f"the SSH server refused the session: {error}") from error
        for name in session.not_set:
            await log.warning(f"Unable to set '{name}'. {_ACCEPT_ENV}", urn)
        try:
            return await session.ended
        except asyncio.CancelledError:
            with suppress(OSError):
                channel.terminate()
            raise


class _Session(asyncssh.SSHClientSession[bytes]):
    """One command: sets its environment, writes its input and takes its output."""

    def __init__(self, capture: Capture, inputs: RemoteInputs, previous: Mapping[str, str]) -> None:
        self.ended: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self.not_set: list[str] = []
        self._capture = capture
        self._inputs = inputs
        self._previous = previous
        self._status: str | None = "the remote command ended without an exit status"

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        """Note that the channel is open; nothing was asked of it yet."""
        self._channel = chan
        _before_exec(chan, self._set_environment)

    def session_started(self) -> None:
        """Write the input: the command is running."""
        # A command that reads nothing may have ended already; that is no failure, and its status tells the rest.
        with contextlib.suppress(BrokenPipeError):
            self._channel.write(self._inputs.stdin.encode())
            self._channel.write_eof()

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Take some output."""
        self._capture.feed("stderr" if datatype == asyncssh.EXTENDED_DATA_STDERR else "stdout", data)

    def exit_status_received(self, status: int) -> None:
        """Note that the command has ended by itself."""
        self._status = f"Process exited with status {status}" if status else None

    def exit_signal_received(self, signal: str, core_dumped: bool, msg: str, lang: str) -> None:  # noqa: ARG002
        """Note that the command was ended by a signal."""
        self._status = f"Process exited from signal {signal}"

    def connection_lost(self, exc: Exception | None) -> None:
        """End: the channel is closed, and all the output has come."""
        if not self.ended.done():
            self.ended.set_result(f"the connection was lost: {exc}" if exc else self._status)

    async def _set_environment(self, request: _Request) -> None:
        for name, value in self._inputs.environment.items():
            if not await request(b"env", String(name), String(value)):
                raise CommandError(f'could not set environment variable "{name}". {_ACCEPT_ENV}')
        for name, value in self._previous.items():
            if not await request(b"env", String(name), String(value)):
                self.not_set.append(name)


def _before_exec(channel: asyncssh.SSHClientChannel[bytes], prepare: Callable[[_Request], Awaitable[None]]) -> None:
    """Do something between the opening of a channel and the start of its command.

    asyncssh sends variables without asking whether the server takes them, and sshd drops all but a few: a command would
    run without them and nobody would know. Asking needs this one private method of the pinned version.
    """
    request: _Request = channel._make_request

    async def prepared(kind: bytes, *args: bytes) -> bool | None:
        if kind == b"exec":
            await prepare(request)
        return await request(kind, *args)

    channel._make_request = prepared  # type: ignore[assignment]
