"""Whether this host has room for a stack's networks: no route of its own may lead where they lie."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network

from podnet.errors import PodnetError
from podnet.host.programs import output

Route = Mapping[str, object]
"""As ``ip -json route show`` has it."""


def require_free(bridge: str, networks: Sequence[str]) -> None:
    """Look for routes of this host to any of these networks, but for those of the stack's own bridge.

    Raises PodnetError that names all of them. Services are left out: their addresses never leave a node.
    """
    wanted = [ip_network(each) for each in networks]
    versions = sorted({network.version for network in wanted})
    shown = [output(["ip", "-json", f"-{version}", "route", "show"]) for version in versions]
    routes = [route for text in shown for route in json.loads(text or "[]")]
    if found := list(clashes(bridge, wanted, routes)):
        lines = [f"  - {network} overlaps the route to {_words(route)}" for network, route in found]
        head = "the host already has a route to a network of this stack; choose another, or remove the route:"
        raise PodnetError("\n".join([head, *lines]))


def clashes(
    bridge: str, networks: Sequence[IPv4Network | IPv6Network], routes: Sequence[Route]
) -> Iterator[tuple[IPv4Network | IPv6Network, Route]]:
    """Pair each network with each route that leads into it. The default route claims no range of its own."""
    others = [route for route in routes if route.get("dev") != bridge and route["dst"] != "default"]
    for network in networks:
        for route in others:
            if network.overlaps(ip_network(str(route["dst"]))):
                yield network, route


def _words(route: Route) -> str:
    gateway = f" via {route['gateway']}" if "gateway" in route else ""
    end = f" dev {route['dev']}" if "dev" in route else f" ({route.get('type', 'unicast')})"
    return f"{route['dst']}{gateway}{end}"
