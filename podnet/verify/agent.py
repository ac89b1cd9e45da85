"""The probe's own program: runs in a pod, and on a node, with nothing but Python's standard library.

``agent.py serve PORT`` answers every TCP connection and UDP packet with the address that it came from: that is
what "the server saw" means everywhere in podnet. ``agent.py probe`` reads a JSON list of probes from standard input,
makes them side by side, and prints a JSON list of what happened.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import time
from typing import Any

_TRIES = 3
_SIDE_BY_SIDE = 32
_TOO_LONG = ("message too long", "frag needed")  # ping(8)'s words for a packet that does not fit


class _UdpServer(asyncio.DatagramProtocol):
    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        del data
        self._transport.sendto(addr[0].encode(), addr)


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say who is there, then count what comes until the other side has no more."""
    peer = writer.get_extra_info("peername")[0]
    writer.write(peer.encode() + b"\n")
    count = 0
    try:
        while chunk := await reader.read(1 << 16):
            count += len(chunk)
        writer.write(str(count).encode() + b"\n")
        await writer.drain()
    except OSError:
        pass
    writer.close()


async def serve(port: int, seconds: float = 0) -> None:
    """Serve TCP and UDP on a port of every address; for some seconds, or (0) until ended."""
    server = await asyncio.start_server(_answer, "0.0.0.0", port, reuse_address=True)  # noqa: S104
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(_UdpServer, local_addr=("0.0.0.0", port))  # noqa: S104
    print("ready", flush=True)
    async with server:
        if seconds:
            await asyncio.sleep(seconds)
        else:
            await server.serve_forever()


async def _tcp(probe: dict[str, Any]) -> dict[str, Any]:
    """Connect, read who the server saw; with bytes, send so many and read how many arrived."""
    reader, writer = await asyncio.open_connection(probe["address"], probe["port"])
    try:
        source = (await reader.readline()).decode().strip()
        if size := probe.get("bytes"):
            block = b"\0" * 65536
            left = size
            while left:
                part = block[: min(left, len(block))]
                writer.write(part)
                await writer.drain()
                left -= len(part)
        writer.write_eof()
        arrived = int((await reader.readline()).decode() or -1)
    finally:
        writer.close()
    if arrived != probe.get("bytes", 0):
        raise OSError(f"{arrived} of {probe.get('bytes', 0)} bytes arrived")
    return {"source": source}


async def _udp(probe: dict[str, Any]) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setblocking(False)
        await loop.sock_connect(client, (probe["address"], probe["port"]))
        await loop.sock_sendall(client, b"?")
        return {"source": (await loop.sock_recv(client, 256)).decode()}


async def _http(probe: dict[str, Any]) -> dict[str, Any]:
    """Ask a web server for a path that names the probe, so that it can be found in the server's log."""
    reader, writer = await asyncio.open_connection(probe["address"], probe["port"])
    try:
        writer.write(f"GET {probe['path']} HTTP/1.0\r\nHost: podnet\r\n\r\n".encode())
        status = (await reader.readline()).decode().split(" ")
    finally:
        writer.close()
    if len(status) < 2 or not status[1].isdigit():
        raise OSError("no HTTP answer")
    return {}


async def _ping(probe: dict[str, Any]) -> dict[str, Any]:
    """One echo, by ping(8). size: of the whole IP packet, sent with don't-fragment."""
    command = ["ping", "-n", "-c", "1", "-W", "1"]
    if size := probe.get("size"):
        command += ["-M", "do", "-s", str(size - 28)]  # 20 bytes IP header, 8 bytes ICMP header
    process = await asyncio.create_subprocess_exec(
        *command, probe["address"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    output = (await process.communicate())[0].decode()
    if process.returncode:
        last = [line for line in output.splitlines() if line and not line.startswith(("PING", "---"))]
        raise OSError(last[0] if last else "no echo")
    return {}


async def _dns(probe: dict[str, Any]) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(probe["name"], None, family=socket.AF_INET, type=socket.SOCK_STREAM)
    return {"source": str(found[0][4][0])}


_ACTIONS = {"tcp": _tcp, "udp": _udp, "http": _http, "icmp": _ping, "dns": _dns}


async def _probe(probe: dict[str, Any], room: asyncio.Semaphore) -> dict[str, Any]:
    """Make one probe, again where it fails: one lost packet is no verdict. A probe that must fail is made once."""
    error = ""
    async with room:
        for _ in range(1 if probe.get("refused") else _TRIES):
            start = time.monotonic()
            try:
                found = await asyncio.wait_for(_ACTIONS[probe["action"]](probe), probe.get("timeout", 2))
            except TimeoutError:
                error = "timed out"
            except (OSError, ValueError) as failure:
                error = str(failure) or type(failure).__name__
                if probe.get("refused") and any(words in error.lower() for words in _TOO_LONG):
                    return {"id": probe["id"], "ok": False, "refused": True, "error": error}
            else:
                milliseconds = (time.monotonic() - start) * 1000
                return {"id": probe["id"], "ok": True, "ms": round(milliseconds, 2), **found}
    return {"id": probe["id"], "ok": False, "error": error}


async def probe_all(probes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Make probes side by side; the results in the order of the probes."""
    room = asyncio.Semaphore(_SIDE_BY_SIDE)
    return list(await asyncio.gather(*(_probe(probe, room) for probe in probes)))


def main(arguments: list[str]) -> None:
    """Run one of: serve PORT [SECONDS]; probe."""
    if arguments[0] == "serve":
        asyncio.run(serve(int(arguments[1]), float(arguments[2]) if len(arguments) > 2 else 0))
    else:
        print(json.dumps(asyncio.run(probe_all(json.load(sys.stdin)))))


if __name__ == "__main__":
    main(sys.argv[1:])
