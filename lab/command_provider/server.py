"""Serve the provider to the engine until the engine is done with it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import Any

import grpc
from pulumi.provider.experimental.server import ProviderServicer
from pulumi.runtime.proto import provider_pb2_grpc

from lab.command_provider import VERSION
from lab.command_provider.engine_log import EngineLog
from lab.command_provider.errors import CommandError
from lab.command_provider.provider import CommandProvider

_LONGEST_MESSAGE = 400 * 1024 * 1024
_SECONDS_BETWEEN_LOOKS = 2.0


class _PlainErrors(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """An error reaches the engine as its text alone; gRPC would add the class and print a traceback."""

    async def intercept_service(self, continuation: Any, details: Any) -> Any:
        """Wrap a method."""
        handler = await continuation(details)
        if handler is None or handler.unary_unary is None:
            return handler

        async def unary(request: Any, context: Any) -> Any:
            try:
                return await handler.unary_unary(request, context)
            except CommandError as error:
                return await context.abort(grpc.StatusCode.UNKNOWN, str(error))

        return grpc.unary_unary_rpc_method_handler(unary, handler.request_deserializer, handler.response_serializer)


async def serve(engine_address: str) -> None:
    """Serve on a free port, say which on stdout, and end when told to or when the engine is gone."""
    # Before the port is said: from then on the engine may send a signal, or die, at any time.
    engine = os.getppid()
    stop = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    provider = CommandProvider(EngineLog(engine_address))
    size = [("grpc.max_receive_message_length", _LONGEST_MESSAGE), ("grpc.max_send_message_length", _LONGEST_MESSAGE)]
    server = grpc.aio.server(interceptors=[_PlainErrors()], options=size)
    servicer = ProviderServicer([], VERSION, provider, engine_address)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    await _until_told_to_stop(stop, engine)
    await provider.cancel()
    await server.stop(grace=None)


async def _until_told_to_stop(stop: asyncio.Event, engine: int) -> None:
    while not stop.is_set() and os.getppid() == engine:
        # An engine that was killed sends no signal: the commands would run on with nobody to take their result.
        try:
            await asyncio.wait_for(stop.wait(), _SECONDS_BETWEEN_LOOKS)
        except TimeoutError:
            continue


def main(arguments: list[str]) -> None:
    """Run the plugin. The one argument that matters is the engine's address."""
    addresses = [argument for argument in arguments if not argument.startswith("-")]
    if not addresses:
        sys.exit("this is a Pulumi plugin: it is started by the engine, with the engine's address as its argument")
    asyncio.run(serve(addresses[0]))
