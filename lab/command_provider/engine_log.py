"""Messages to the engine, which shows them to the user. The SDK gives a provider no handle for this."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc


class EngineLog:
    """The engine's log service. Without an address (in tests) messages go nowhere."""

    def __init__(self, address: str | None = None) -> None:
        self._stub: Any = None
        if address:
            self._stub = engine_pb2_grpc.EngineStub(grpc.aio.insecure_channel(address))

    async def info(self, text: str, urn: str = "", *, ephemeral: bool = False) -> None:
        """Tell the user something; if ephemeral, only for as long as the resource is being worked on."""
        await self._send(engine_pb2.INFO, text, urn, ephemeral=ephemeral)

    async def warning(self, text: str, urn: str = "") -> None:
        """Warn the user."""
        await self._send(engine_pb2.WARNING, text, urn, ephemeral=False)

    @asynccontextmanager
    async def lines(self, urn: str) -> AsyncIterator[Callable[[str], None]]:
        """Give a function that logs a line without waiting; all are sent, in order, before this ends."""
        queue: asyncio.Queue[str | None] = asyncio.Queue()

        async def pump() -> None:
            while (line := await queue.get()) is not None:
                await self.info(line, urn, ephemeral=True)

        pumping = asyncio.create_task(pump())
        try:
            yield queue.put_nowait
        finally:
            queue.put_nowait(None)
            await pumping

    async def _send(self, severity: engine_pb2.LogSeverity.ValueType, text: str, urn: str, *, ephemeral: bool) -> None:
        if self._stub is None:
            return
        request = engine_pb2.LogRequest(severity=severity, message=text, urn=urn, ephemeral=ephemeral)
        # A message that cannot be delivered (the engine is going away) must not fail the command.
        with suppress(grpc.RpcError):
            await self._stub.Log(request)
