"""Whether this host has room for a stack's networks: no route of its own may lead where they lie.

``python -m podnet.observe.host BRIDGE NETWORK...`` looks and says so; exit code 1 where there is a clash.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from netaddr import IPNetwork

from podnet import addressing
from podnet.errors import PodnetError
from podnet.model import Cluster
from podnet.node import iproute
from podnet.node.iproute import KernelRoute
from podnet.render import vagrant


def require_room(cluster: Cluster) -> None:
    """Look at this host's routes. Raises PodnetError naming every route that leads where machines or pods lie.

    Services are left out: their addresses never leave a node.
    """
    require_free(vagrant.bridge_name(cluster), [cluster.machine_network, cluster.pod_subnet])


def require_free(bridge: str, networks: Sequence[IPNetwork]) -> None:
    """Look for routes of this host to any of these networks, but for those of the stack's own bridge."""
    found = clashes(bridge, networks, iproute.routes(_routes()))
    if found:
        lines = [f"  - {network} overlaps the route to {route.destination}{_by(route)}" for network, route in found]
        head = "the host already has a route to a network of this stack; choose another, or remove the route:"
        raise PodnetError("\n".join([head, *lines]))


def clashes(
    bridge: str, networks: Sequence[IPNetwork], routes: Sequence[KernelRoute]
) -> list[tuple[IPNetwork, KernelRoute]]:
    """Pair each network with each route that leads into it and is not the stack's own. Pure."""
    others = [route for route in routes if route.device != bridge]
    pairs = addressing.clashes(networks, [addressing.parse_network(route.destination) for route in others])
    return [(network, route) for network, taken in pairs for route in others if route.destination == str(taken)]


def _by(route: KernelRoute) -> str:
    gateway = f" via {route.gateway}" if route.gateway else ""
    return f"{gateway} dev {route.device}" if route.device else f"{gateway} ({route.kind})"


def _routes() -> str:
    try:
        done = subprocess.run(["ip", "-json", "-4", "route", "show"], check=False, text=True, capture_output=True)
    except FileNotFoundError:
        raise PodnetError("the program ip is missing on this host: install iproute2") from None
    if done.returncode:
        raise PodnetError(f"ip route failed: {done.stderr.strip()}")
    return done.stdout or "[]"


def main(arguments: Sequence[str]) -> int:
    """Look for the networks that are named; 1 where a route is in the way."""
    bridge, *networks = arguments
    try:
        require_free(bridge, [addressing.parse_network(text) for text in networks])
    except PodnetError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
