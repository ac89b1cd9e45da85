"""Routes to the pods of every other node, and where podnet sets it the default route."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from ipaddress import ip_network
from typing import Final

from podnet.node.check import Check, Once, Repair, Seen, Unseen, check
from podnet.node.iproute import EVERYTHING, KernelRoute, routes
from podnet.node.spec import CONFIG, ROUTE_PROTOCOL, NodeSpec, Route
from podnet.node.system import System, parsed

FOLDER: Final = f"{CONFIG}/routes.d"
"""A file for every route that is to be there, by the peer's name, with ``DESTINATION via GATEWAY`` in it."""

DEFAULT: Final = "/run/podnet/default-route"
"""The default route that a box got from outside before its init ran, as ``ip route show default`` printed it. A box has
no other network manager that would set it again after its interface was down."""

SHOW: Final = ("ip", "-json", "-4", "route", "show")
_HAS_GONE: Final = "No such process"  # ip's words


def noted(node: str, system: System) -> tuple[Route, ...]:
    """Read the routes that the node's resources noted; of two with one destination the one written last."""
    files = system.folder(FOLDER)
    if files is None:
        raise Unseen(f"{FOLDER} cannot be read")
    found: dict[str, Route] = {}
    for peer, text in files.items():
        if peer.startswith("."):  # it is being written
            continue
        for line in text.splitlines():
            destination, _, gateway = line.partition(" via ")
            found.setdefault(destination, Route(node, peer, destination, gateway))
    return tuple(found.values())


def actual(system: System) -> tuple[KernelRoute, ...]:
    """Give every route of the node's main table, as its kernel has it."""
    return parsed(routes, system, SHOW)


def diff(spec: NodeSpec, system: System) -> Iterator[Check]:
    """Compare: each route is there once, no other leads to pods, and the default route is the gateway's."""
    look = Once(lambda: actual(system))
    for route in spec.routes:
        yield check("route", str(route), partial(_route, route, look), route.peer)
    yield check("no-other-route", f"none but the plan's {len(spec.routes)}", lambda: _others(spec, look()))
    if spec.gateway:  # elsewhere podnet does not set it
        yield check("default-route", f"via {spec.gateway}", lambda: _default(spec.gateway, look(), system))


def _route(route: Route, look: Callable[[], Sequence[KernelRoute]]) -> Seen:
    same = [found for found in look() if found.destination == route.destination]
    right = [found for found in same if is_as_planned(found, route)]
    set_it = Repair(f"set the route {route}", ("ip", "route", "replace", "proto", ROUTE_PROTOCOL, *str(route).split()))
    text = ", ".join(map(str, same)) or "no such route"
    return Seen(text, same == right and len(right) == 1, missing(route), () if right else (set_it,))


def missing(route: Route) -> str:
    """Say of a route that a node lacks it."""
    return f"{route.node} has no route {route} (ip route show proto {ROUTE_PROTOCOL})"


def is_as_planned(found: KernelRoute, route: Route) -> bool:
    """Whether a route of the kernel's is one of the plan's, with nothing beside: no metric, no second next hop."""
    planned = f"{route.destination} proto {ROUTE_PROTOCOL} via {route.gateway} dev {found.device}"
    return found.selector == planned


def _others(spec: NodeSpec, found: Sequence[KernelRoute]) -> Seen:
    other = unplanned(spec, found)
    text = ", ".join(map(str, other)) or "none"
    repairs = {route.selector: _remove(route) for route in other}
    return Seen(text, not other, f"ls {FOLDER} on {spec.node}: a file for every route that is to be there",
                tuple(repairs.values()))  # fmt: skip


def unplanned(spec: NodeSpec, found: Sequence[KernelRoute]) -> list[KernelRoute]:
    """Find every route that the pod network must do without: podnet's by its protocol, or one that leads to pods.

    One that leads to more than pods, as the default route does, is no matter: the longest prefix wins.
    """
    wanted = [*spec.routes, *spec.leaving]
    others = []
    for route in found:
        planned = next((each for each in wanted if is_as_planned(route, each)), None)
        if planned is not None:
            wanted.remove(planned)
        elif route.protocol == ROUTE_PROTOCOL or (_leads_to_pods(route, spec) and not _is_the_bridge_s(route, spec)):
            others.append(route)
    return others


def _leads_to_pods(route: KernelRoute, spec: NodeSpec) -> bool:
    mine = ip_network(route.destination)
    ranges = [ip_network(pods) for pods in spec.pods]
    return any(mine.version == pods.version and mine.subnet_of(pods) for pods in ranges)  # type: ignore[arg-type]


def _is_the_bridge_s(route: KernelRoute, spec: NodeSpec) -> bool:
    return route.device == spec.cni.bridge and route.destination in spec.pod_subnets and route.gateway is None


def _remove(route: KernelRoute) -> Repair:
    return Repair(
        f"remove the route {route.selector}, which is not in {FOLDER}",
        ("ip", "route", "del", *route.selector.split()),
        removes=True,
        foreign=route.protocol != ROUTE_PROTOCOL,
        gone=_HAS_GONE,
    )


def _default(gateway: str, found: Sequence[KernelRoute], system: System) -> Seen:
    # The kernel lists the one that it uses first: the one with the least metric.
    default = [route for route in found if route.destination in EVERYTHING.values()]
    words = (noted_default(system) or f"default via {gateway}").split()
    return Seen(
        ", ".join(map(str, default)) or "no default route",
        bool(default) and default[0].gateway == gateway,
        f"ip route show default; {DEFAULT} has the one that the node got when it was started",
        (Repair(f"set the default route via {gateway}", ("ip", "route", "replace", *words)),),
    )


def noted_default(system: System) -> str:
    """Give the default route that a box was started with; empty on every other machine."""
    return (system.read(DEFAULT) or "").partition("\n")[0].strip()
