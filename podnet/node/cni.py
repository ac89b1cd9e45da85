"""The CNI network configuration (https://www.cni.dev/docs/spec/), made of the basic plugins alone.

It is the chapter's conf, key for key and in its order. Where it says something else there is a comment, because every
such place was a fault that could be measured.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from podnet.node.check import Check, Repair, Seen, Unseen, check
from podnet.node.iproute import EVERYTHING
from podnet.node.spec import CONFIG, CniOptions, NodeSpec, version_of
from podnet.node.system import System, json_of

FOLDER: Final = "/etc/cni/net.d"
"""Where containerd looks for confs."""

SET_ASIDE: Final = f"{CONFIG}/set-aside"
_CNI_VERSION: Final = "0.3.1"
_LEASES: Final = "/run/podnet/ipam"
_ENDINGS: Final = (".conf", ".conflist", ".json")
"""What containerd takes for a conf (go-cni); it sorts the names and loads the first."""


def path(options: CniOptions) -> str:
    """Give the file of the conf on every node; a list of plugins ends in .conflist, a single one in .conf."""
    return f"{FOLDER}/10-{options.network}.{'conflist' if options.portmap else 'conf'}"


def conf(options: CniOptions, subnets: Sequence[str]) -> str:
    """Give one node's conf as JSON. subnets: of the node's pods, one for each address family."""
    head: dict[str, object] = {"cniVersion": _CNI_VERSION, "name": options.network}
    if options.portmap:
        # The chapter's single plugin knows no hostPort, which Kubernetes' conformance tests ask for.
        document = {**head, "plugins": [_bridge(options, subnets), _portmap()]}
    else:
        document = {**head, **_bridge(options, subnets)}
    return json.dumps(document, indent=2) + "\n"


def _bridge(options: CniOptions, subnets: Sequence[str]) -> dict[str, object]:
    return {
        "type": "bridge",
        "bridge": options.bridge,
        "isGateway": True,
        # The chapter says true. Then the plugin exempts only the node's own pod subnet from masquerade, and a pod of
        # another node sees the node's address instead of the pod's: the very NAT that the pod network must not have.
        # podnet masquerades node-wide instead, and exempts every pod.
        "ipMasq": options.ip_masq,
        # The chapter leaves it out. Then a pod that calls its own Service, and is chosen to answer, never gets the
        # packet: a bridge does not send a frame back to the port it came from.
        **({"hairpinMode": True} if options.hairpin_mode else {}),
        # The chapter leaves it to the kernel. Written, it is the same on every node, and part of the plan.
        "mtu": options.mtu,
        "ipam": _host_local(subnets),
    }


def _host_local(subnets: Sequence[str]) -> dict[str, object]:
    several = {"ranges": [[{"subnet": subnet}] for subnet in subnets]}
    versions = dict.fromkeys(map(version_of, subnets))
    return {
        "type": "host-local",
        # The chapter leaves it at /var/lib/cni, which outlives a reboot although the pods' sandboxes do not: addresses
        # leak until the range is full. /run is empty after a boot.
        "dataDir": _LEASES,
        **({"subnet": subnets[0]} if len(subnets) == 1 else several),
        "routes": [{"dst": EVERYTHING[version]} for version in versions],
    }


def _portmap() -> dict[str, object]:
    return {
        "type": "portmap",
        # The runtime fills in a pod's hostPorts only for a plugin that says it takes them.
        "capabilities": {"portMappings": True},
        # Without it the node itself cannot reach a hostPort on localhost, nor a pod its own.
        "snat": True,
    }


def diff(spec: NodeSpec, system: System) -> Iterator[Check]:
    """Compare: containerd loads podnet's conf and no other of the same network, and it is the plan's.

    A conf that was changed is written again by the subcommand that wrote it, which knows what to do with the pods.
    """
    name = path(spec.cni).rpartition("/")[2]
    yield check("cni-conf", f"{name} first, as planned", lambda: _seen(name, spec, system))


def actual(system: System) -> dict[str, str]:
    """Give what containerd takes for a conf, by name, in the order in which it looks at them."""
    files = system.folder(FOLDER)
    if files is None:
        raise Unseen(f"{FOLDER} cannot be read")
    return {name: files[name] for name in sorted(files) if name.endswith(_ENDINGS)}


def _seen(name: str, spec: NodeSpec, system: System) -> Seen:
    confs = actual(system)
    aside = tuple(_set_aside(other) for other in confs if other != name)
    if name not in confs:
        return Seen(f"no {name}", False, f"ls {FOLDER}", aside)
    loaded = list(confs)
    before = loaded[: loaded.index(name)]
    if before:
        hint = f"containerd loads {before[0]} and never {name}: remove it from {FOLDER}"
        return Seen(f"{', '.join(before)} before {name}", False, hint, aside)
    same = [other for other in loaded[1:] if _network_of(confs[other]) == spec.cni.network]
    if same:
        hint = f"two confs of one network share its leases and caches: remove {same[0]} from {FOLDER}"
        return Seen(f"{', '.join(same)} names the network {spec.cni.network} too", False, hint, aside)
    if json_of(confs[name]) != json_of(conf(spec.cni, spec.pod_subnets)):
        hint = f"{FOLDER}/{name} was changed on the node; make up writes the plan's again"
        return Seen(f"{name} first, with another content", False, hint)
    return Seen(f"{name} first, as planned", True)


def _set_aside(name: str) -> Repair:
    does = f"move {FOLDER}/{name} to {SET_ASIDE}: containerd loads the first of its folder"
    return Repair(does, ("mv", "-f", f"{FOLDER}/{name}", SET_ASIDE), foreign=True)


def _network_of(text: str) -> Any:
    document = json_of(text)
    return document.get("name") if isinstance(document, Mapping) else None
