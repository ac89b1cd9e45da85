"""kubeadm on the nodes, and its configuration.

https://kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta4/ is the format.

JSON is YAML, so documents are dumped as JSON: one value, no templates.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from podnet.commands.shell import Command, on_host, on_node
from podnet.model import Cluster, Node

IMAGE_REPOSITORY: Final = "podnet.local"
API_PORT: Final = 6443
_API: Final = "kubeadm.k8s.io/v1beta4"
_CRI_SOCKET: Final = "unix:///run/containerd/containerd.sock"

IGNORED_PREFLIGHT: Final = ("Swap", "SystemVerification", "FileContent--proc-sys-net-bridge-bridge-nf-call-iptables")
"""What a container cannot show although it works: swap is the host's, the kernel's config file is not there, and the
bridge sysctl is there with the module br_netfilter, which kubeadm does not wait for."""


@dataclass(frozen=True, slots=True)
class BootstrapToken:
    """What a worker needs to join. token and ca_hash are secret; the token ends when the worker is registered."""

    endpoint: str
    token: str
    ca_hash: str

    @property
    def token_id(self) -> str:
        """The part of the token that is no secret: the name of it (kubeadm's "token ID")."""
        return self.token.partition(".")[0]


def init(cluster: Cluster) -> Command:
    """Make the control plane; nothing where it was made from the same configuration."""
    return Command(create=on_node("kubeadm-init"), stdin=init_config(cluster), delete=on_node("kubeadm-reset"))


def bootstrap_token(node: Node) -> Command:
    """Make a bootstrap token for one worker, on the control plane; prints a line of JSON that is secret.

    The token ends when the node is registered, or with this resource.
    """
    return Command(create=on_node("bootstrap-token", node.name), delete=on_node("bootstrap-token-remove", node.name))


def join() -> Command:
    """Join a worker, with the configuration on standard input; nothing where it has joined."""
    return Command(create=on_node("join"), delete=on_node("kubeadm-reset"))


def register(node: Node) -> Command:
    """Give a node its pod CIDR and wait until it is Ready; on deletion drain it and delete the Node. Control plane."""
    return Command(create=on_node("register", node.name, *node.pod_subnets), delete=on_node("unregister", node.name))


def admin_conf() -> Command:
    """Print the cluster's kubeconfig: secret."""
    return Command(create=on_node("admin-conf"))


def kubeconfig(cluster: Cluster) -> Command:
    """Keep the cluster's kubeconfig, which comes on standard input, as admin.conf (mode 0600); prints its path."""
    return Command(create=on_host("kubeconfig", cluster.name), delete=on_host("kubeconfig-down", cluster.name))


def init_config(cluster: Cluster) -> str:
    """The documents for ``kubeadm init`` on the control plane, and for the kubelets and kube-proxies of all nodes."""
    return _documents(
        {
            "apiVersion": _API,
            "kind": "InitConfiguration",
            "localAPIEndpoint": {
                "advertiseAddress": str(cluster.control_plane.address),
                "bindPort": API_PORT,
            },
            "nodeRegistration": _registration(cluster.control_plane),
            # No token that everybody knows, and none that outlives the join it was made for. kubeadm makes one of a day
            # all the same (its defaults), which podnet-node ends.
            "bootstrapTokens": [],
        },
        {
            "apiVersion": _API,
            "kind": "ClusterConfiguration",
            "clusterName": cluster.name,
            "kubernetesVersion": f"v{cluster.kubernetes_version}",
            "imageRepository": IMAGE_REPOSITORY,
            "networking": {
                "podSubnet": _list(cluster.pod_subnets),
                "serviceSubnet": _list(cluster.service_subnets),
            },
            "controllerManager": {
                # The plan says which node has which pod subnet; the controller would hand them out in order of arrival.
                "extraArgs": [
                    {"name": "allocate-node-cidrs", "value": "false"},
                    # The usual 20 requests a second make it begin its work five seconds late: it asks for a token for
                    # each of its controllers first.
                    {"name": "kube-api-qps", "value": "100"},
                    {"name": "kube-api-burst", "value": "200"},
                ],
            },
        },
        _kubelet_config(),
        {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": "iptables",
            "clusterCIDR": _list(cluster.pod_subnets),
            # 0 leaves the kernel's own limit: a container may not change it.
            "conntrack": {"maxPerCore": 0},
        },
    )


def join_config(node: Node, token: BootstrapToken) -> str:
    """The document for ``kubeadm join`` of a worker. Secret: it holds the token."""
    return _documents(
        {
            "apiVersion": _API,
            "kind": "JoinConfiguration",
            "nodeRegistration": _registration(node),
            "discovery": {
                "bootstrapToken": {
                    "apiServerEndpoint": token.endpoint,
                    "token": token.token,
                    "caCertHashes": [token.ca_hash],
                }
            },
        }
    )


def _registration(node: Node) -> dict[str, object]:
    return {
        "name": node.name,
        "criSocket": _CRI_SOCKET,
        # Without node-ip a machine with several interfaces registers the first one's address.
        "kubeletExtraArgs": [{"name": "node-ip", "value": _list(node.addresses)}],
        "ignorePreflightErrors": list(IGNORED_PREFLIGHT),
        "imagePullPolicy": "IfNotPresent",
    }


def _kubelet_config() -> dict[str, object]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "cgroupDriver": "cgroupfs",
        "failSwapOn": False,
        "failCgroupV1": False,
        # Boxes share the host's disk: thresholds in percent of it would evict pods of a machine that lacks nothing.
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "500Mi", "imagefs.available": "500Mi"},
        # Images come with the bundle and cannot be had again: never collect them.
        "imageGCHighThresholdPercent": 100,
        # A node that is rebooted reports within seconds instead of ten.
        "nodeStatusUpdateFrequency": "5s",
        # Pods are ended when their conf changes, and in faults; the usual delay grows to five minutes.
        # https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#configurable-container-restart-delay
        "crashLoopBackOff": {"maxContainerRestartPeriod": "5s"},
    }


def _list(values: Iterable[object]) -> str:
    """One for each address family, as Kubernetes takes them: with commas."""
    return ",".join(map(str, values))


def _documents(*documents: Mapping[str, object]) -> str:
    return "".join("---\n" + json.dumps(document, indent=2) + "\n" for document in documents)
