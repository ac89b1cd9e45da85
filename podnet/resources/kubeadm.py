"""kubeadm: the control plane, and the workers that join it."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pulumi

from podnet.commands import kubeadm
from podnet.commands.kubeadm import BootstrapToken, join_config
from podnet.kinds import Kind
from podnet.model import Cluster, Node
from podnet.resources.network import PodNetwork
from podnet.resources.runner import Component, NodeHandle, Secrecy, component_urn, on_host, on_node, secret, texts


class ControlPlane:
    """``kubeadm init`` on the control plane, and the kubeconfig on the host."""

    def __init__(self, cluster: Cluster, handle: NodeHandle, network: PodNetwork) -> None:
        self.handle = handle
        node = cluster.control_plane
        earlier = component_urn("podnet:kubeadm:ControlPlane", "control-plane")
        component = Component(
            Kind.INIT,
            node.name,
            {
                "node": node.name,
                "podSubnets": texts([cluster.pod_subnet]),
                "serviceSubnets": texts([cluster.service_subnet]),
                "kubernetesVersion": cluster.kubernetes_version,
            },
            moved_from=earlier,
        )
        self.init = on_node(
            "kubeadm-init", kubeadm.init(cluster), handle, parent=component, triggers=[handle.machine.id]
        )
        component = Component(Kind.KUBECONFIG, node.name, {"node": node.name}, moved_from=earlier)
        admin_conf = on_node(
            "admin-conf",
            kubeadm.admin_conf(),
            handle,
            parent=component,
            depends_on=[self.init],
            triggers=[self.init.id],
            secrecy=Secrecy(stdout=True),
        )
        self.kubeconfig = secret(admin_conf.stdout)
        self.kubeconfig_file = on_host(
            "kubeconfig",
            kubeadm.kubeconfig(cluster),
            parent=component,
            stdin=self.kubeconfig,
            triggers=[cluster.name],
        )
        self.registered = _register(node, self, self.init, [network.conf], moved_from=earlier)


def join(
    handle: NodeHandle, control_plane: ControlPlane, network: PodNetwork, routes_to_it: Sequence[pulumi.Resource]
) -> pulumi.Resource:
    """Declare ``kubeadm join`` of one worker; the resource with which it is a Node of the cluster."""
    node = handle.node
    name = node.name
    earlier = component_urn("podnet:kubeadm:Worker", f"{name}-worker")
    # A Node's pod CIDR cannot be changed once it is set: with another pod subnet the worker leaves and joins again.
    # So it does where the control plane was recreated, which makes another cluster.
    triggers = [handle.machine.id, str(node.pod_subnet), control_plane.init.id]
    token = on_node(
        f"{name}-bootstrap-token",
        kubeadm.bootstrap_token(node),
        control_plane.handle,
        parent=Component(Kind.BOOTSTRAP_TOKEN, name, {"node": name}, moved_from=earlier),
        renamed_from=f"{name}-join-ticket",
        depends_on=[control_plane.init],
        triggers=triggers,
        secrecy=Secrecy(stdout=True),
    )
    joined = on_node(
        f"{name}-join",
        kubeadm.join(),
        handle,
        parent=Component(Kind.JOIN, name, {"node": name, "podSubnets": texts([node.pod_subnet])}, moved_from=earlier),
        stdin=secret(token.stdout).apply(lambda line: join_config(node, _token(line))),
        triggers=triggers,
    )
    # Pods come to a node that can be reached, and a node is drained before the ways to it go.
    return _register(
        node,
        control_plane,
        joined,
        [network.conf, *routes_to_it],
        moved_from=earlier,
        # Another token makes it run again, which ends that token: also one that was made without need.
        stdin=secret(token.stdout).apply(lambda line: _token(line).token_id),
    )


def _token(line: str) -> BootstrapToken:
    return BootstrapToken(**json.loads(line))


def _register(
    node: Node,
    control_plane: ControlPlane,
    joined: pulumi.CustomResource,
    reached_by: Sequence[pulumi.Resource],
    *,
    moved_from: pulumi.Output[str],
    stdin: pulumi.Input[str] | None = None,
) -> pulumi.Resource:
    name = node.name
    inputs = {"node": name, "podSubnets": texts([node.pod_subnet])}
    return on_node(
        f"{name}-registered",
        kubeadm.register(node),
        control_plane.handle,
        parent=Component(Kind.REGISTRATION, name, inputs, moved_from=moved_from),
        # The kubelet is Ready when it finds a CNI conf, which is among them.
        depends_on=[joined, *reached_by],
        triggers=[joined.id],
        stdin=stdin,
    )
