"""Run a command on this machine."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from lab.command_provider.capture import Capture
from lab.command_provider.errors import StartError
from lab.command_provider.inputs import LocalInputs

# The engine kills the plugin five seconds after it asks it to stop.
_SECONDS_TO_STOP = 2.0


async def run_local(command: str, inputs: LocalInputs, previous: Mapping[str, str], capture: Capture) -> str | None:
    """Run the command to its end, and say how it ended if not well.

    If this is cancelled, the command and all that it started are ended.
    """
    process = await _start(command, inputs, {**os.environ, **inputs.environment, **previous})
    try:
        await asyncio.gather(
            _write(process, inputs.stdin.encode()),
            _read(process.stdout, "stdout", capture),
            _read(process.stderr, "stderr", capture),
        )
        status = await process.wait()
    except BaseException:
        await _stop(process)
        raise
    return _status(status)


async def _start(command: str, inputs: LocalInputs, environment: Mapping[str, str]) -> asyncio.subprocess.Process:
    # The error of a missing program looks like that of a missing directory.
    if inputs.dir is not None and not Path(inputs.dir).is_dir():
        raise StartError(f"chdir {inputs.dir}: no such directory")
    try:
        return await asyncio.create_subprocess_exec(
            *inputs.interpreter,
            command,
            cwd=inputs.dir,
            env=environment,
            stdin=asyncio.subprocess.PIPE if inputs.stdin else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            # A group of its own, so that all of it can be ended at once; in the session of whoever runs it, for sudo
            # knows by its terminal who has typed a password.
            process_group=0,
        )
    except (OSError, ValueError) as error:
        raise StartError(str(error)) from error


async def _write(process: asyncio.subprocess.Process, data: bytes) -> None:
    if process.stdin is None:
        return
    # A command may end without having read all of its input.
    with suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(data)
        await process.stdin.drain()
        process.stdin.close()
        await process.stdin.wait_closed()


async def _read(stream: asyncio.StreamReader | None, name: str, capture: Capture) -> None:
    while stream is not None and (data := await stream.read(65536)):
        capture.feed(name, data)


async def _stop(process: asyncio.subprocess.Process) -> None:
    """End the command's whole group: first kindly, then, after a moment, for sure."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), _SECONDS_TO_STOP)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def _status(status: int) -> str | None:
    if status >= 0:
        return f"exit status {status}" if status else None
    return f"signal: {(signal.strsignal(-status) or str(-status)).lower()}"
