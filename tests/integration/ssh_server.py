"""A real SSH server for tests: it listens on a free port of this machine and runs commands in a real shell."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import asyncssh

PASSWORD = "correct horse battery staple"
USER = "tester"


@dataclass(frozen=True)
class Session:
    """One command that was run, and how its client had logged in."""

    command: str
    environment: dict[str, str]
    stdin: str
    user: str
    method: str


@dataclass
class SshServer:
    """The server as tests see it. Counts and sessions may be read at any time."""

    root: Path
    host_key: asyncssh.SSHKey = field(default_factory=lambda: asyncssh.generate_private_key("ssh-ed25519"))
    user_key: asyncssh.SSHKey = field(default_factory=lambda: asyncssh.generate_private_key("ssh-ed25519"))
    host: str = "127.0.0.1"
    port: int = 0
    refuse_dials: int = 0
    dials: int = 0
    forwarded: list[tuple[str, int]] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    running: int = 0
    most_running: int = 0

    @property
    def host_key_text(self) -> str:
        """The public host key, as `hostKey` takes it."""
        return self.host_key.export_public_key().decode()

    @cached_property
    def user_key_text(self) -> str:
        """The private key that may log in: written once, as its text has random bytes in it."""
        return self.user_key.export_private_key().decode()

    @property
    def commands(self) -> list[str]:
        """The commands that were run, in order."""
        return [session.command for session in self.sessions]

    def connection(self, **changes: Any) -> dict[str, Any]:
        """Give the connection that logs in with the key, with some of it changed; None leaves a part out."""
        parts = {
            "host": self.host,
            "port": self.port,
            "user": USER,
            "private_key": self.user_key_text,
            "host_key": self.host_key_text,
            **changes,
        }
        return {name: value for name, value in parts.items() if value is not None}


class _Login(asyncssh.SSHServer):
    """Decides who may log in, and drops the first connections if it is told to."""

    def __init__(self, server: SshServer) -> None:
        self._server = server
        self._method = "none"

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        conn.set_extra_info(login=self)
        self._server.dials += 1
        if self._server.dials <= self._server.refuse_dials:
            conn.abort()

    @property
    def method(self) -> str:
        return self._method

    def begin_auth(self, username: str) -> bool:  # noqa: ARG002
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        self._method = "publickey"
        return username == USER and key.public_data == self._server.user_key.public_data

    def validate_password(self, username: str, password: str) -> bool:
        self._method = "password"
        return username == USER and password == PASSWORD

    def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> bool:  # noqa: ARG002
        self._server.forwarded.append((dest_host, dest_port))
        return True


async def _run(server: SshServer, process: asyncssh.SSHServerProcess[bytes]) -> None:
    """Run one command in a shell and give back what it wrote."""
    server.running += 1
    server.most_running = max(server.most_running, server.running)
    try:
        session, stdout, stderr, status = await _in_shell(server, process)
    finally:
        server.running -= 1  # also where the client has gone
    server.sessions.append(session)
    process.stdout.write(stdout)
    process.stderr.write(stderr)
    process.exit(status)


async def _in_shell(server: SshServer, process: asyncssh.SSHServerProcess[bytes]) -> tuple[Session, bytes, bytes, int]:
    command = process.command or ""
    environment = dict(process.env)
    stdin = await process.stdin.read()
    shell = await asyncio.create_subprocess_exec(
        "/bin/sh",
        "-c",
        command,
        cwd=server.root,
        env={**os.environ, **environment},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        stdout, stderr = await shell.communicate(stdin)
    except asyncio.CancelledError:
        # The server is stopped: a test that failed must not leave its commands behind.
        os.killpg(shell.pid, signal.SIGKILL)
        await shell.communicate()
        raise
    login: _Login = process.get_extra_info("login")
    session = Session(command, environment, stdin.decode(), process.get_extra_info("username"), login.method)
    return session, stdout, stderr, shell.returncode or 0


@contextmanager
def ssh_server(root: Path, port: int = 0) -> Iterator[SshServer]:
    """Serve from a thread of its own until the end of the block. port: 0 for a free one."""
    server = SshServer(root, port=port)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> asyncssh.SSHAcceptor:
        return await asyncssh.create_server(
            lambda: _Login(server),
            server.host,
            server.port,
            server_host_keys=[server.host_key],
            process_factory=lambda process: _run(server, process),
            encoding=None,
        )

    async def stop() -> None:
        acceptor.close()
        await acceptor.wait_closed()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    acceptor = asyncio.run_coroutine_threadsafe(start(), loop).result()
    server.port = acceptor.get_port()
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
