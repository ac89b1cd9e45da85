"""The probe's own program: runs in a pod, and on a node, with nothing but Python's standard library.

``agent.py serve PORT`` answers every TCP connection and UDP packet with the address that it came from: that is
what "the server saw" means everywhere in podnet. ``agent.py probe`` reads a JSON list of probes from standard input,
makes them side by side, and prints a JSON list of what happened. ``agent.py attend`` does both on a node, as root, and
more: it answers requests, a line of JSON each, until its standard input ends, which it does with the login that it
came by. So nothing of it outlives the one who asks.
"""

from __future__ import annotations

import array
import asyncio
import json
import os
import socket
import struct
import subprocess
import sys
import time
from typing import Any

_TRIES = 3  # at least, and over at least so many seconds: kube-proxy needs one or two to know a new Service
_PATIENCE = 3.0
_TIMEOUT = 2.0
_SIDE_BY_SIDE = 32
_TOO_BIG = ("message too long", "frag needed")  # ping(8)'s words for a packet that does not fit
_TIMED_OUT = "timed out"
_LINE = 1 << 26  # bytes that a request or an answer may have


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


async def _start(address: str, port: int) -> tuple[asyncio.Server, int]:
    """Serve TCP and UDP on a port of an address (0: any that is free for both); the port."""
    server = await asyncio.start_server(_answer, address, port, reuse_address=True)
    taken = server.sockets[0].getsockname()[1]
    loop = asyncio.get_running_loop()
    try:
        await loop.create_datagram_endpoint(_UdpServer, local_addr=(address, taken))
    except OSError:
        server.close()
        if port:
            raise
        return await _start(address, 0)
    return server, taken


async def serve(port: int) -> None:
    """Serve until ended."""
    server, _ = await _start("0.0.0.0", port)  # noqa: S104  # a pod's only address, and what Kubernetes asks on
    print("ready", flush=True)
    async with server:
        await server.serve_forever()


class _Echoes:
    """Who the pings of this verification came from, as this node saw them last: behind every rule that it has.

    A packet socket sees what enters and leaves every interface, so the last sight of a packet to a pod is on the pod's
    own end of the way. Each ping carries a tag in its payload, which says whose it is.
    """

    def __init__(self) -> None:
        self.sources: dict[str, str] = {}
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))  # ETH_P_ALL: outgoing too
        # Take ICMP (protocol 1, at byte 9 of the IP header) and nothing else: the kernel drops the rest unseen.
        program = [(0x30, 0, 0, 9), (0x15, 0, 1, 1), (0x06, 0, 0, 0x10000), (0x06, 0, 0, 0)]
        code = array.array("B", b"".join(struct.pack("HBBI", *step) for step in program))
        so_attach_filter = 26
        described = struct.pack("HP", len(program), code.buffer_info()[0])
        self._socket.setsockopt(socket.SOL_SOCKET, so_attach_filter, described)
        self._socket.setblocking(False)
        asyncio.get_running_loop().add_reader(self._socket, self.read)

    def read(self) -> None:
        """Take what has come."""
        while True:
            try:
                packet, where = self._socket.recvfrom(256)
            except BlockingIOError:
                return
            header = (packet[0] & 15) * 4
            if where[1] == 0x0800 and packet[header : header + 1] == b"\x08":  # IPv4; an echo request
                tag = packet[header + 24 : header + 40]  # behind the ICMP header and ping's own time stamp
                self.sources[tag.hex()] = socket.inet_ntoa(packet[12:16])


async def _run(command: list[str]) -> dict[str, Any]:
    """Run a program of the node's own; status 127 where there is none."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    except OSError:
        return {"status": 127, "output": "", "errors": f"there is no {command[0]}"}
    output, errors = await process.communicate()
    return {"status": process.returncode, "output": output.decode("utf-8", "replace"), "errors": errors.decode()}


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            return file.read()
    except OSError:
        return None


def _folder(path: str) -> dict[str, str | None] | None:
    try:
        names = sorted(os.listdir(path))  # noqa: PTH208
    except OSError:
        return None
    return {name: _read(f"{path}/{name}") for name in names if not os.path.isdir(f"{path}/{name}")}  # noqa: PTH112


async def look(wanted: dict[str, Any]) -> dict[str, Any]:
    """What programs print, what files hold and what is in folders, as it is."""
    names = list(wanted["programs"])
    printed = await asyncio.gather(*(_run(wanted["programs"][name]) for name in names))
    return {
        "programs": dict(zip(names, printed, strict=True)),
        "files": {name: _read(path) for name, path in wanted["files"].items()},
        "folders": {name: _folder(path) for name, path in wanted["folders"].items()},
    }


async def attend(address: str, connection: str) -> None:
    """Serve on a free port of the node's address; then answer requests until there are no more.

    On that address alone: UDP from every address would answer a pod from the bridge's, which the pod did not ask.
    The first line says the port, and where the login came from. connection: the login's SSH_CONNECTION (ssh(1)).
    """
    reader = asyncio.StreamReader(limit=_LINE)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    server, port = await _start(address, 0)
    echoes = _Echoes()
    print(json.dumps({"port": port, "caller": connection.partition(" ")[0]}), flush=True)
    while line := await reader.readline():
        request = json.loads(line)
        answer: Any
        if request["do"] == "look":
            answer = await look(request)
        elif request["do"] == "probe":
            answer = await probe_all(request["probes"])
        else:
            echoes.read()
            answer = echoes.sources
        print(json.dumps(answer), flush=True)
    server.close()


async def _tcp(probe: dict[str, Any]) -> dict[str, Any]:
    """Connect, read who the server saw; with bytes, send so many and read how many came. local: who it was."""
    connecting = asyncio.open_connection(probe["address"], probe["port"])
    reader, writer = await asyncio.wait_for(connecting, _TIMEOUT)  # the transfer alone may take longer
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
        counted = (await reader.readline()).decode().strip()
        local = writer.get_extra_info("sockname")[0]
    finally:
        writer.close()
    if counted and not counted.isdigit():
        raise OSError("it answers, but not with the address that it saw")
    if counted != str(probe.get("bytes", 0)):
        raise OSError(f"{counted or 'none'} of {probe.get('bytes', 0)} bytes arrived")
    return {"source": source, "local": local}


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
    if pattern := probe.get("pattern"):
        command += ["-p", pattern]
    if size := probe.get("size"):
        command += ["-M", "do", "-s", str(size - 28)]  # 20 bytes IP header, 8 bytes ICMP header
    process = await asyncio.create_subprocess_exec(
        *command, probe["address"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    output = (await process.communicate())[0].decode()
    if process.returncode:
        last = [line for line in output.splitlines() if line and not line.startswith(("PATTERN", "PING", "---"))]
        raise OSError(last[0] if last else "no echo")
    return {}


async def _dns(probe: dict[str, Any]) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(probe["name"], None, family=socket.AF_INET, type=socket.SOCK_STREAM)
    return {"source": str(found[0][4][0])}


_ACTIONS = {"tcp": _tcp, "udp": _udp, "http": _http, "icmp": _ping, "dns": _dns}


def _words_of(failure: Exception) -> str:
    """The system's words where it has some: asyncio's own say less ("Connect call failed")."""
    number = getattr(failure, "errno", None)
    return os.strerror(number) if number and number > 0 else str(failure) or type(failure).__name__


async def _try(probe: dict[str, Any]) -> dict[str, Any]:
    start = time.monotonic()
    try:
        found = await asyncio.wait_for(_ACTIONS[probe["action"]](probe), probe.get("timeout", _TIMEOUT))
    except TimeoutError:
        return {"id": probe["id"], "ok": False, "error": _TIMED_OUT}
    except (OSError, ValueError) as failure:
        error = _words_of(failure)
        too_big = any(words in error.lower() for words in _TOO_BIG)
        return {"id": probe["id"], "ok": False, "too_big": too_big, "error": error}
    return {"id": probe["id"], "ok": True, "ms": round((time.monotonic() - start) * 1000, 2), **found}


async def _probe(probe: dict[str, Any], room: asyncio.Semaphore) -> dict[str, Any]:
    """Make one probe, again where it fails: one lost packet is no verdict. A probe that must fail is made once."""
    async with room:
        begun = time.monotonic()
        tries = 0
        while True:
            found = await _try(probe)
            tries += 1
            enough = tries >= _TRIES and time.monotonic() - begun >= _PATIENCE
            if found["ok"] or probe.get("must_fail") or enough:
                return found
            if found["error"] != _TIMED_OUT:
                await asyncio.sleep(0.3 * tries)


async def probe_all(probes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Make probes side by side; the results in the order of the probes."""
    room = asyncio.Semaphore(_SIDE_BY_SIDE)
    return list(await asyncio.gather(*(_probe(probe, room) for probe in probes)))


def main(arguments: list[str]) -> None:
    """Run one of: serve PORT; attend ADDRESS CONNECTION; probe."""
    if arguments[0] == "serve":
        asyncio.run(serve(int(arguments[1])))
    elif arguments[0] == "attend":
        asyncio.run(attend(arguments[1], arguments[2]))
    else:
        # The resolver would wait five seconds for each answer, and this program for the resolver.
        os.environ["RES_OPTIONS"] = "timeout:1 attempts:2"
        print(json.dumps(asyncio.run(probe_all(json.load(sys.stdin)))))


if __name__ == "__main__":
    main(sys.argv[1:])
