"""The pod network on one node: its CNI conf, routes, masquerade, and what heals them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from podnet import scripts
from podnet.commands.shell import Command, on_node
from podnet.model import CniOptions
from podnet.planning import Masquerade, NetConf, Route
from podnet.render import cni, network

_LIBRARY: Final = "/usr/local/lib/podnet"
_UNITS: Final = "/etc/systemd/system"
_FILES: Final = {
    f"{_LIBRARY}/podnet-node": "0755",
    f"{_LIBRARY}/podnet-network": "0755",
    f"{_UNITS}/podnet-network.service": "0644",
    f"{_UNITS}/podnet-network.timer": "0644",
}


def service() -> Command:
    """Install podnet's scripts on a node, and the systemd service and timer that keep routes and masquerade."""
    parts = ["set -eu", f"mkdir -p {_LIBRARY} /etc/podnet/routes.d"]
    for path, mode in _FILES.items():
        name = path.rpartition("/")[2]
        # The files hold nothing of the config, and the word that closes each stands on no line of theirs.
        parts.append(f"cat > {path}.new <<'END-OF-{name}'\n{scripts.text(name)}END-OF-{name}")
        parts.append(f"chmod {mode} {path}.new\nmv {path}.new {path}")
    parts.append("systemctl daemon-reload")
    # The timer starts the service at once. What it cannot heal yet is a matter of the commands that come after.
    parts.append("systemctl enable --quiet podnet-network.service")
    parts.append("systemctl enable --quiet --now podnet-network.timer")
    return Command(
        create="sudo sh -s",
        stdin="\n".join(parts) + "\n",
        delete=(
            "sudo systemctl disable --quiet --now podnet-network.timer podnet-network.service; "
            f"sudo rm -rf {' '.join(_FILES)} /etc/podnet {_LIBRARY} && sudo systemctl daemon-reload"
        ),
    )


def conf(conf: NetConf, options: CniOptions) -> Command:
    """Write a node's CNI conf."""
    where = (cni.path(options), options.bridge)
    return Command(
        create=on_node("cni-conf", *where),
        stdin=cni.net_conf(conf, options),
        delete=on_node("cni-conf-remove", *where),
    )


def route(route: Route) -> Command:
    """Set one route, now and for every boot."""
    return Command(
        create=on_node("route", route.peer),
        stdin=network.route(route),
        delete=on_node("route-remove", route.peer),
    )


def masquerade(masquerade: Masquerade) -> Command:
    """Set a node's masquerade, now and for every boot."""
    return Command(
        create=on_node("masquerade"),
        stdin=network.masquerade(masquerade),
        delete=on_node("masquerade-remove"),
    )


def tidy(conf: NetConf, options: CniOptions, strays: Sequence[str]) -> Command:
    """Take away what others put in the pod network's way: confs beside podnet's, these routes, the bridge's changes.

    strays: each in the words of ``ip route del``.
    """
    bridge = (options.bridge, f"{conf.gateway}/{conf.subnet.prefixlen}", options.mtu)
    return Command(
        create=on_node("tidy", cni.path(options), *bridge),
        stdin="".join(f"{words}\n" for words in dict.fromkeys(strays)),
    )
