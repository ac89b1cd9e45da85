"""The subcommands of podnet-node, as root on a node. Each may be repeated, and goes on where it was interrupted.

Content comes on standard input. What notes something prints when, which is all that a command of the network tells: the
verification runs again when one tells another.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Final

from podnet.node import bridge, cni, files, masquerade, peers, pods, reconcile, routes
from podnet.node.check import Unseen
from podnet.node.spec import CONFIG, Masquerade, NodeSpec
from podnet.node.system import Live

APPLIED: Final = f"{CONFIG}/conf.applied"
"""The CNI conf as podnet wrote it last."""

_SYSTEM: Final = Live()


def run() -> list[str]:
    """Make this node once as it is noted here."""
    return reconcile.apply(reconcile.NOTED, _SYSTEM)


def keep() -> list[str]:
    """Keep it so, until it is ended: the subcommand of podnet-network.service."""
    from podnet.node.watch import watch  # noqa: PLC0415  # the other subcommands need none of it

    watch(lambda: _report(run))
    return []


def _report(subcommand: Callable[[], list[str]]) -> int:
    """Run a subcommand; 0 where all is done, 1 where something could not be, each said in a line."""
    try:
        return reconcile.report(subcommand())
    except Unseen as why:
        return reconcile.report([str(why)])
    except OSError as error:
        return reconcile.report([f"{error.filename or 'podnet-node'}: {error.strerror}"])


def repair() -> list[str]:
    """Make this node as the plan on standard input says, also where somebody else has changed it."""
    spec = NodeSpec.from_json(json.load(sys.stdin))
    for peer, addresses in spec.peers.items():
        _note_peer(peer, addresses, "".join(f"{route}\n" for route in spec.routes if route.peer == peer))
    files.write(masquerade.FILE, masquerade.document(spec.masquerade))
    _write_conf(cni.path(spec.cni), spec.cni.bridge, cni.conf(spec.cni, spec.pod_subnets))
    return reconcile.apply(reconcile.planned(spec), _SYSTEM, foreign=True)


def set_route(peer: str, *addresses: str) -> list[str]:
    """Set the routes on standard input to the pods of a peer with these addresses, now and for every boot."""
    _note_peer(peer, addresses, sys.stdin.read())
    return _run_and_say_when()


def _note_peer(peer: str, addresses: Sequence[str], lines: str) -> None:
    files.write(f"{peers.FOLDER}/{peer}", "".join(f"{address}\n" for address in addresses))
    files.write(f"{routes.FOLDER}/{peer}", lines)


def remove_route(peer: str) -> list[str]:
    """Forget a peer, and the routes to it."""
    files.remove(f"{routes.FOLDER}/{peer}", f"{peers.FOLDER}/{peer}")
    return run()


def set_masquerade() -> list[str]:
    """Set the masquerade on standard input, now and for every boot."""
    files.write(masquerade.FILE, masquerade.document(Masquerade.from_json(json.load(sys.stdin))))
    files.remove(masquerade.EARLIER)
    return _run_and_say_when()


def remove_masquerade() -> list[str]:
    """Remove the masquerade."""
    files.remove(masquerade.FILE, masquerade.EARLIER)
    return run()


def set_conf(path: str, name: str) -> list[str]:
    """Write the CNI conf on standard input, and note the bridge that has to stay up."""
    _write_conf(path, name, sys.stdin.read())
    print(_now())
    return []


def remove_conf(path: str, name: str) -> list[str]:
    """Remove the CNI conf; pods that have it end."""
    files.remove(path, bridge.FILE, APPLIED)
    pods.end(name, _SYSTEM)
    return []


def _write_conf(path: str, name: str, text: str) -> None:
    """Another content than podnet wrote before ends this node's pods, which come back under the new conf.

    A file that somebody else has changed is only written again.
    """
    before = _SYSTEM.read(APPLIED)
    files.write(path, text)
    if before is not None and before != text:
        pods.end(name, _SYSTEM)
    files.write(bridge.FILE, f"{name}\n")
    # Last: a run that is cut off before this ends the pods once more.
    files.write(APPLIED, text)
    pods.wait_for_end(_SYSTEM)


def _run_and_say_when() -> list[str]:
    # What was done is for people; standard output is for the engine.
    with contextlib.redirect_stdout(sys.stderr):
        failures = run()
    print(_now())
    return failures


def _now() -> str:
    now = time.time_ns()
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now // 10**9)) + f".{now % 10**9:09d}Z"


SUBCOMMANDS: Final[dict[str, Callable[..., list[str]]]] = {
    "reconcile": run,
    "watch": keep,
    "repair": repair,
    "route": set_route,
    "route-remove": remove_route,
    "masquerade": set_masquerade,
    "masquerade-remove": remove_masquerade,
    "cni-conf": set_conf,
    "cni-conf-remove": remove_conf,
}


def _of_kubeadm() -> dict[str, Callable[..., None]]:
    from podnet.node import kubeadm  # noqa: PLC0415  # what keeps a node needs none of it

    return {
        "kubeadm-init": kubeadm.init,
        "kubeadm-reset": kubeadm.reset,
        "bootstrap-token": kubeadm.make_token,
        "bootstrap-token-remove": kubeadm.remove_token,
        "join": kubeadm.join,
        "register": kubeadm.register,
        "unregister": kubeadm.unregister,
        "admin-conf": kubeadm.show_admin_conf,
        # What the states of an earlier podnet undo with.
        "join-ticket-remove": kubeadm.remove_token,
    }


def main(arguments: Sequence[str]) -> int:
    """Run one subcommand; 0 where all is done, 1 where something could not be, each said in a line."""
    os.environ |= {"LC_ALL": "C", "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    name, *rest = arguments or [""]
    subcommand = SUBCOMMANDS.get(name) or _of_kubeadm().get(name)
    if subcommand is None:
        known = ", ".join([*SUBCOMMANDS, *_of_kubeadm()])
        print(f"podnet-node: there is no subcommand {name!r}; there are {known}", file=sys.stderr)
        return 2
    return _report(lambda: subcommand(*rest) or [])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
