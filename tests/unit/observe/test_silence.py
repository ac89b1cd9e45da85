"""Servers of every kind on loopback: only the one that takes a connection and says nothing is silent."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest

from podnet.observe.silence import is_silent

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]


def speaks(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-test\r\n")


def closes(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


def resets(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


@pytest.mark.parametrize("serve", [speaks, closes, resets])
def test_who_answers_or_hangs_up_is_not_silent(serve: Serve) -> None:
    async def ask() -> bool:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            return await is_silent("127.0.0.1", server.sockets[0].getsockname()[1], dial=30, patience=30)

    assert not asyncio.run(ask())


def test_who_takes_a_connection_and_says_nothing_is_silent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as frozen:  # its kernel takes connections, and nobody accepts them
        port = frozen.getsockname()[1]
        assert asyncio.run(is_silent("127.0.0.1", port, dial=30, patience=0.1))


def test_who_refuses_is_not_silent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert not asyncio.run(is_silent("127.0.0.1", port, dial=30, patience=30))
    assert not asyncio.run(is_silent("no-such-host.invalid", port, dial=30, patience=30))
