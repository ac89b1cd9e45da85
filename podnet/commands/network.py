"""The pod network on one node: its CNI conf, routes, masquerade, and what heals them."""

from __future__ import annotations

from typing import Final

from podnet.commands.shell import Command, as_root, quote, write_file
from podnet.model import CniOptions
from podnet.planning import Masquerade, NetConf, Route
from podnet.render import cni, network

_CONVERGE: Final = "/usr/local/lib/podnet/podnet-network"
_ROUTES: Final = "/etc/podnet/routes.d"
_MASQUERADE: Final = "/etc/podnet/masquerade.nft"
_UNITS: Final = "/etc/systemd/system"


def service(options: CniOptions) -> Command:
    """Install what keeps routes and masquerade: a script, and a systemd service and timer that run it."""
    files = {
        _CONVERGE: ("podnet-network", "0755"),
        f"{_UNITS}/podnet-network.service": ("podnet-network.service", "0644"),
        f"{_UNITS}/podnet-network.timer": ("podnet-network.timer", "0644"),
    }
    # The files travel in one script on standard input. The closing word of each document is on no line of theirs.
    parts = ["set -eu"]
    for path, (name, mode) in files.items():
        content = network.node_file(name)
        parts.append(f"({write_file(path, mode)}) <<'END-OF-{name}'\n{content}END-OF-{name}")
    parts += [
        "mkdir -p " + _ROUTES,
        f"printf '%s\\n' {quote(options.bridge)} > /etc/podnet/bridge",
        "systemctl daemon-reload",
        "systemctl enable --quiet --now podnet-network.service podnet-network.timer",
    ]
    return Command(
        create="sudo sh -s",
        stdin="\n".join(parts) + "\n",
        delete=as_root(
            "systemctl disable --quiet --now podnet-network.timer podnet-network.service || true\n"
            f"rm -f {' '.join(files)} /etc/podnet/bridge\n"
            "systemctl daemon-reload\n"
            "rmdir /etc/podnet/routes.d /etc/podnet /usr/local/lib/podnet 2>/dev/null || true"
        ),
    )


def conf(conf: NetConf, options: CniOptions) -> Command:
    """Write a node's CNI conf."""
    path = cni.path(options)
    return Command(
        create=as_root(write_file(path)),
        stdin=cni.net_conf(conf, options),
        delete=as_root(
            f"rm -f {quote(path)}\n"
            # The bridge is the plugin's, and the plugin never removes it.
            f"ip link delete {quote(options.bridge)} type bridge 2>/dev/null || true\n"
            "rm -rf /run/podnet/ipam"
        ),
    )


def route(route: Route) -> Command:
    """Set one route, now and for every boot."""
    path = quote(f"{_ROUTES}/{route.peer}")
    return Command(
        create=as_root(f"{write_file(f'{_ROUTES}/{route.peer}')}\n{_CONVERGE}"),
        stdin=network.route(route),
        delete=as_root(f"rm -f {path}\n{_CONVERGE}"),
    )


def masquerade(masquerade: Masquerade) -> Command:
    """Set a node's masquerade, now and for every boot."""
    return Command(
        create=as_root(f"{write_file(_MASQUERADE)}\n{_CONVERGE}"),
        stdin=network.masquerade(masquerade),
        delete=as_root(f"rm -f {_MASQUERADE}\n{_CONVERGE}"),
    )
