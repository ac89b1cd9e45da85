"""A node's CNI network configuration (https://www.cni.dev/docs/spec/), made of the basic plugins alone.

It is the chapter's conf, key for key and in its order. Where it says something else there is a comment, because every
such place was a fault that could be measured.
"""

from __future__ import annotations

import json
from typing import Final

from podnet import addressing
from podnet.model import CniOptions
from podnet.planning import NetConf

_CNI_VERSION: Final = "0.3.1"

_FOLDER: Final = "/etc/cni/net.d"

_LEASES: Final = "/run/podnet/ipam"


def path(options: CniOptions) -> str:
    """Give the file of the conf on every node; a list of plugins ends in .conflist, a single one in .conf."""
    return f"{_FOLDER}/10-{options.network}.{'conflist' if options.portmap else 'conf'}"


def net_conf(conf: NetConf, options: CniOptions) -> str:
    """Render one node's conf as JSON."""
    head: dict[str, object] = {"cniVersion": _CNI_VERSION, "name": options.network}
    if options.portmap:
        # The chapter's single plugin knows no hostPort, which Kubernetes' conformance tests ask for.
        document = {**head, "plugins": [_bridge(conf, options), _portmap()]}
    else:
        document = {**head, **_bridge(conf, options)}
    return json.dumps(document, indent=2) + "\n"


def _bridge(conf: NetConf, options: CniOptions) -> dict[str, object]:
    return {
        "type": "bridge",
        "bridge": options.bridge,
        "isGateway": True,
        # The chapter says true. Then the plugin spares only the node's own pod subnet from masquerade, and a pod of
        # another node sees the node's address instead of the pod's: the very NAT that the pod network must not have.
        # podnet masquerades node-wide instead, and spares every pod.
        "ipMasq": options.ip_masq,
        # The chapter leaves it out. Then a pod that calls its own Service, and is chosen to answer, never gets the
        # packet: a bridge does not send a frame back to the port it came from.
        **({"hairpinMode": True} if options.hairpin_mode else {}),
        # The chapter leaves it to the kernel. Written, it is the same on every node, and part of the plan.
        "mtu": options.mtu,
        "ipam": _host_local(conf),
    }


def _host_local(conf: NetConf) -> dict[str, object]:
    return {
        "type": "host-local",
        # The chapter leaves it at /var/lib/cni, which outlives a reboot although the pods' sandboxes do not: addresses
        # leak until the range is full. /run is empty after a boot.
        "dataDir": _LEASES,
        "subnet": str(conf.subnet),
        "routes": [{"dst": str(addressing.everything(addressing.family_of(conf.subnet)))}],
    }


def _portmap() -> dict[str, object]:
    return {
        "type": "portmap",
        # The runtime fills in a pod's hostPorts only for a plugin that says it takes them.
        "capabilities": {"portMappings": True},
        # Without it the node itself cannot reach a hostPort on localhost, nor a pod its own.
        "snat": True,
    }
