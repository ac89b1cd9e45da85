"""The pod network on one node: its CNI conf, routes, masquerade, and what keeps them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from importlib import resources
from typing import Final

from podnet import scripts
from podnet.commands.shell import Command, on_node
from podnet.model import Node
from podnet.node import cni
from podnet.node import masquerade as rules
from podnet.node.spec import CONFIG, LIBRARY, Masquerade, NodeSpec, Route

_UNITS: Final = "/etc/systemd/system"
_TIMER: Final = f"{_UNITS}/podnet-network.timer"
_SCRIPTS: Final = {
    f"{LIBRARY}/podnet-node": "0755",
    f"{_UNITS}/podnet-network.service": "0644",
}


def program() -> Iterator[tuple[str, str, str]]:
    """Give what podnet installs on every node: each file's path, mode and content."""
    for path, mode in _SCRIPTS.items():
        yield path, mode, scripts.text(path.rpartition("/")[2])
    yield f"{LIBRARY}/podnet/__init__.py", "0644", resources.files("podnet").joinpath("__init__.py").read_text()
    for file in sorted(resources.files("podnet.node").iterdir(), key=lambda file: file.name):
        if file.name.endswith(".py"):
            yield f"{LIBRARY}/podnet/node/{file.name}", "0644", file.read_text()


def service() -> Command:
    """Install podnet's program on a node, and the systemd service that keeps routes, masquerade and bridge."""
    parts = ["set -eu", f"mkdir -p {LIBRARY}/podnet/node {CONFIG}/routes.d {CONFIG}/peers.d {CONFIG}/set-aside"]
    for path, mode, text in program():
        end = f"END-OF-{path.rpartition('/')[2]}"
        # The files hold nothing of the config, and the word that closes each stands on no line of theirs.
        parts.append(f"cat > {path}.new <<'{end}'\n{text}{end}")
        parts.append(f"chmod {mode} {path}.new\nmv {path}.new {path}")
    # Of an earlier podnet, which had a timer.
    parts.append(f"[ ! -e {_TIMER} ] || systemctl disable --quiet --now podnet-network.timer")
    parts.append(f"rm -f {_TIMER} {LIBRARY}/podnet-network")
    parts.append("systemctl daemon-reload\nsystemctl enable --quiet podnet-network.service")
    # What it cannot repair yet is a matter of the commands that come after.
    parts.append("systemctl restart podnet-network.service")
    return Command(
        create="sudo sh -s",
        stdin="\n".join(parts) + "\n",
        delete=(
            "sudo systemctl disable --quiet --now podnet-network.service; "
            f"sudo rm -rf {' '.join(_SCRIPTS)} {CONFIG} {LIBRARY} && sudo systemctl daemon-reload"
        ),
    )


def conf(spec: NodeSpec) -> Command:
    """Write a node's CNI conf."""
    where = (cni.path(spec.cni), spec.cni.bridge)
    return Command(
        create=on_node("cni-conf", *where),
        stdin=cni.conf(spec.cni, spec.pod_subnets),
        delete=on_node("cni-conf-remove", *where),
    )


def routes(peer: Node, routes: Sequence[Route]) -> Command:
    """Set the routes to one peer, now and for every boot; the node knows it by its addresses too."""
    return Command(
        create=on_node("route", peer.name, *peer.addresses),
        stdin="".join(f"{route}\n" for route in routes),
        delete=on_node("route-remove", peer.name),
    )


def masquerade(masquerade: Masquerade) -> Command:
    """Set a node's masquerade, now and for every boot."""
    return Command(
        create=on_node("masquerade"),
        stdin=rules.document(masquerade),
        delete=on_node("masquerade-remove"),
    )


def repair(spec: NodeSpec) -> Command:
    """Make a node as planned, also where somebody else has changed it."""
    return Command(create=on_node("repair"), stdin=json.dumps(spec.to_json()) + "\n")
