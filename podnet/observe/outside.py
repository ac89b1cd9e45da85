"""What stands for the outside while a verification lasts: a server on this machine, or what the config names."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Final

from podnet.addressing import AddressError, family_of, network_of, parse_address, special_use, within
from podnet.model import MachineProvider
from podnet.observe.access import PROBES_TIMEOUT, together
from podnet.observe.sessions import Session
from podnet.planning import ClusterPlan
from podnet.verify.check import Endpoint, EndpointKind
from podnet.verify.scenarios import PORT, Outside

_HERE: Final = "the machine that runs podnet"
_INSTEAD: Final = f"set podnet:outside to an address that answers TCP on port {PORT} (docs/existing-machines.md)"


@asynccontextmanager
async def outside(plan: ClusterPlan, nodes: Mapping[str, Session]) -> AsyncIterator[Mapping[str, Outside]]:
    """Give the outside of each node's pods, by the node's name; every node has tried its own, as the control.

    It is what the config names, or the gateway; of existing hosts whose gateway is no address of this machine, it is
    this machine's address that the node's login came from.
    """
    async with AsyncExitStack() as stack:
        servers = _Servers(stack)
        places = [await _place(plan, session, servers) for session in nodes.values()]
        pairs = zip(nodes.values(), places, strict=True)
        tried = await together(*(_tried(plan, session, place) for session, place in pairs))
        yield dict(zip(nodes, tried, strict=True))


class _Servers:
    """The servers of one verification, one for each address that is asked for."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self._ports: dict[str, int] = {}

    async def port(self, address: str) -> int:
        """Serve on a free port of an address of this machine; the port. OSError where that cannot be done."""
        if address not in self._ports:
            # Not asyncio's own: that one takes a socket that cannot be made for one that is not needed.
            listening = socket.create_server((address, 0))
            server = await asyncio.start_server(_answer, sock=listening)
            await self._stack.enter_async_context(server)
            self._ports[address] = listening.getsockname()[1]
        return self._ports[address]


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(writer.get_extra_info("peername")[0].encode() + b"\n")
    with contextlib.suppress(OSError):  # a probe that has its answer, or lost its patience, goes
        await reader.read()
        writer.write(b"0\n")
        await writer.drain()
    writer.close()


async def _place(plan: ClusterPlan, session: Session, servers: _Servers) -> Outside:
    cluster = plan.cluster
    named = _endpoint(str(cluster.outside))
    if cluster.outside != cluster.gateway:
        return Outside(named, PORT)
    try:
        return Outside(named, await servers.port(named.address))
    except OSError as error:
        if cluster.provider is not MachineProvider.SSH:
            return Outside(named, untried=f"{_HERE} cannot answer at {named.address}, the gateway: {_words(error)}")
    caller = _endpoint(session.caller)
    if why := _no_outside(plan, caller.address):
        return Outside(caller, untried=f"{why}; {_INSTEAD}")
    try:
        return Outside(caller, await servers.port(caller.address))
    except OSError as error:
        between = f"where {_HERE} cannot answer: {_words(error)} (a bastion or a translation between)"
        return Outside(caller, untried=f"the login came from {caller.address}, {between}; {_INSTEAD}")


def _endpoint(address: str) -> Endpoint:
    return Endpoint(EndpointKind.OUTSIDE, "outside", "", address)


def _words(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else str(error)


def _no_outside(plan: ClusterPlan, caller: str) -> str:
    """Why the address that a login came from cannot stand for the outside of this cluster; empty where it can."""
    if not caller:
        return "nobody knows where the login came from"
    cluster = plan.cluster
    family = family_of(cluster.pod_subnet)
    what = ""
    try:
        address = parse_address(caller, family)
    except AddressError:
        what = f"no {family.label} address"
    else:
        special = special_use(network_of(address, family.bits))
        if special:
            what = f"in {special}"
        elif any(within(address, network) for network in (cluster.pod_subnet, cluster.service_subnet)):
            what = "in the cluster's own ranges"
        elif address in [node.address for node in cluster.nodes]:
            what = "a node"
    return what and f"the login came from {caller}, which is {what}"


async def _tried(plan: ClusterPlan, session: Session, place: Outside) -> Outside:
    """Let the node itself try it: what does not answer a node, or sees it as another, proves nothing of its pods."""
    if place.untried:
        return place
    probe = {"id": "outside", "action": "tcp", "address": place.endpoint.address, "port": place.port}
    [answer] = await session.ask({"do": "probe", "probes": [probe]}, PROBES_TIMEOUT)
    node, there = session.node.name, f"{place.endpoint.address}:{place.port}"
    if not answer["ok"]:
        where, what = f"on {_HERE}", f"(a firewall, or a bastion between); {_INSTEAD}"
        if plan.cluster.outside != plan.cluster.gateway:
            where, what = "which podnet:outside names", "(docs/existing-machines.md says what has to answer there)"
        return replace(place, untried=f"{node} does not reach {there}, {where}: {answer['error']} {what}")
    if answer["source"] != answer["local"]:
        seen = f"{there} sees {node} as {answer['source']}, and not as its own {answer['local']}"
        return replace(place, untried=f"{seen}: something between translates; {_INSTEAD}")
    return replace(place, seen=answer["source"])
