"""What there is in a stack, by kind: the types of podnet's Pulumi components.

Every command has one of these as its parent, so the kind stands in the command's URN:
``urn:pulumi:dev::podnet::podnet:cni:NetConf$command:remote:Command::node1-cni-conf``. Reviews and policies read it
there. Names are for people: nothing is read from them.
"""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """The type of a component. What is made under one that names a node is made for that node."""

    HOST = "podnet:host:Host"
    BRIDGE = "podnet:host:Bridge"
    PRIVATE_KEY = "podnet:ssh:PrivateKey"
    MACHINE = "podnet:machine:Machine"
    VAGRANT_MACHINE = "podnet:machine:VagrantMachine"
    EXISTING_HOST = "podnet:machine:ExistingHost"
    NODE_BUNDLE = "podnet:machine:NodeBundle"
    NETWORK_SERVICE = "podnet:node:NetworkService"
    NET_CONF = "podnet:cni:NetConf"
    MASQUERADE = "podnet:masquerade:Masquerade"
    STATIC_ROUTES = "podnet:routes:StaticRoutes"
    INIT = "podnet:kubeadm:Init"
    KUBECONFIG = "podnet:kubeadm:Kubeconfig"
    BOOTSTRAP_TOKEN = "podnet:kubeadm:BootstrapToken"  # noqa: S105  # a type, and no token
    JOIN = "podnet:kubeadm:Join"
    REGISTRATION = "podnet:kubeadm:Registration"
    WORKLOAD = "podnet:workload:Workload"
    VERIFICATION = "podnet:verification:Verification"


def kind_of(urn: str) -> Kind | None:
    """Give the kind of a resource: its own, or that of the nearest component above it; None where there is none."""
    types = urn.split("::")[2].split("$")
    return next((Kind(each) for each in reversed(types) if each in _VALUES), None)


_VALUES = frozenset(Kind)
