"""Log in by SSH: through a bastion if there is one, again and again until the limit is reached."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import asyncssh

from lab.command_provider.errors import CommandError
from lab.command_provider.inputs import Connection, Endpoint

Notice = Callable[[str], Awaitable[None]]

# The official provider's waits.
_FIRST_WAIT = 0.1
_WAIT_FACTOR = 1.5
_LONGEST_WAIT = 5.0
# A machine that has died under a running command would otherwise never be noticed: it is given three quarters of one.
_KEEPALIVE_SECONDS = 15
_KEEPALIVES_MISSED = 3
_SECONDS_TO_CLOSE = 2.0


@asynccontextmanager
async def dial(connection: Connection, notice: Notice) -> AsyncIterator[asyncssh.SSHClientConnection]:
    """Give a logged-in connection. `notice` is told of each attempt that failed and will be repeated."""
    if connection.proxy is None:
        async with _login(connection.target, "Dial", None, notice) as target:
            yield target
        return
    async with (
        _login(connection.proxy, "Dial proxy", None, notice) as proxy,
        _login(connection.target, "Dial from proxy", proxy, notice) as target,
    ):
        yield target


@asynccontextmanager
async def _login(
    endpoint: Endpoint, what: str, tunnel: asyncssh.SSHClientConnection | None, notice: Notice
) -> AsyncIterator[asyncssh.SSHClientConnection]:
    host_key = _host_key(endpoint)

    async def attempt(keys: list[asyncssh.SSHKeyPair] | None) -> asyncssh.SSHClientConnection:
        try:
            return await _connect(endpoint, host_key, keys, tunnel)
        except (asyncssh.HostKeyNotVerifiable, asyncssh.KeyExchangeFailed) as error:
            if host_key is None:
                raise
            # Another machine answers there, and it would do so the next time as well.
            raise CommandError(
                f"{_place(endpoint)}: the host key is not the expected one, {host_key.get_fingerprint()}; "
                f"not connected ({error})"
            ) from error

    async with _client_keys(endpoint) as keys:
        ssh = await _until_limit(lambda: attempt(keys), endpoint, what, notice)
    try:
        yield ssh
    finally:
        ssh.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(ssh.wait_closed(), _SECONDS_TO_CLOSE)


async def _until_limit(
    attempt: Callable[[], Awaitable[asyncssh.SSHClientConnection]], endpoint: Endpoint, what: str, notice: Notice
) -> asyncssh.SSHClientConnection:
    limit = endpoint.dial_error_limit
    wait = _FIRST_WAIT
    failed = 0
    while True:
        try:
            return await attempt()
        except (OSError, asyncssh.Error) as error:
            # The limit is of repetitions, as in the official provider: a limit of 0 still dials once.
            if limit >= 0 and failed >= limit:
                raise CommandError(
                    f"after {failed} failed attempts: {what.lower()} {_place(endpoint)}: {_reason(error)}"
                ) from error
        failed += 1
        await notice(f"{what} {failed}/{'inf' if limit < 0 else limit} failed: retrying")
        await asyncio.sleep(wait)
        wait = min(wait * _WAIT_FACTOR, _LONGEST_WAIT)


async def _connect(
    endpoint: Endpoint,
    host_key: asyncssh.SSHKey | None,
    keys: list[asyncssh.SSHKeyPair] | None,
    tunnel: asyncssh.SSHClientConnection | None,
) -> asyncssh.SSHClientConnection:
    timeout = endpoint.per_dial_timeout or None
    return await asyncssh.connect(
        endpoint.host,
        endpoint.port,
        tunnel=tunnel or (),
        username=endpoint.user,
        password=endpoint.password,
        client_keys=keys,
        # Of its own accord asyncssh would offer the agent's keys too, before the one that is given.
        agent_path=None,
        preferred_auth=("publickey", "password", "keyboard-interactive"),
        known_hosts=([host_key], [], []) if host_key else None,
        connect_timeout=timeout,
        login_timeout=timeout or 0,
        keepalive_interval=_KEEPALIVE_SECONDS,
        keepalive_count_max=_KEEPALIVES_MISSED,
        # Nothing of the user's own SSH settings applies.
        config=None,
        gss_host=None,
        x509_trusted_certs=None,
    )


def _host_key(endpoint: Endpoint) -> asyncssh.SSHKey | None:
    if endpoint.host_key is None:
        return None
    try:
        return asyncssh.import_public_key(endpoint.host_key)
    except asyncssh.KeyImportError as error:
        raise CommandError(f"failed to parse host key: {error}") from error


@asynccontextmanager
async def _client_keys(endpoint: Endpoint) -> AsyncIterator[list[asyncssh.SSHKeyPair] | None]:
    """Give the given key, or else the agent's. None turns keys off: for an empty list asyncssh would look for files."""
    if endpoint.private_key is not None:
        try:
            key = asyncssh.import_private_key(endpoint.private_key, endpoint.private_key_password)
        except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
            raise CommandError(f"failed to parse private key: {error}") from error
        yield list(asyncssh.load_keypairs([key]))
        return
    agent_path = endpoint.agent_socket_path or os.environ.get("SSH_AUTH_SOCK")
    if not agent_path:
        yield None
        return
    try:
        agent = await asyncssh.connect_agent(agent_path)
    except OSError as error:
        raise CommandError(f"SSH agent at {agent_path}: {_reason(error)}") from error
    async with agent:
        yield list(await agent.get_keys()) or None


def _place(endpoint: Endpoint) -> str:
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    return f"{host}:{endpoint.port}"


def _reason(error: Exception) -> str:
    if isinstance(error, asyncssh.PermissionDenied):
        return f"unable to authenticate: {error}"
    if isinstance(error, TimeoutError):
        return "timed out"
    # asyncio puts the address into its own text, which is there already.
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno).lower()
    return str(error) or type(error).__name__
