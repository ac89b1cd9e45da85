"""kubeadm: the control plane, and the workers that join it."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pulumi

from podnet.commands import host, kubeadm
from podnet.model import Cluster, Node
from podnet.render.kubeadm import BootstrapToken, join_config
from podnet.resources.network import PodNetwork
from podnet.resources.runner import NodeHandle, Secrecy, on_host, on_node, secret


class ControlPlane(pulumi.ComponentResource):
    """``kubeadm init`` on the control plane, and the kubeconfig on the host."""

    def __init__(self, cluster: Cluster, handle: NodeHandle, network: PodNetwork) -> None:
        super().__init__("podnet:kubeadm:ControlPlane", "control-plane")
        self.handle = handle
        self.init = on_node("kubeadm-init", kubeadm.init(cluster), handle, parent=self, triggers=[handle.machine.id])
        admin_conf = on_node(
            "admin-conf",
            kubeadm.admin_conf(),
            handle,
            parent=self,
            depends_on=[self.init],
            triggers=[self.init.id],
            secrecy=Secrecy(stdout=True),
        )
        self.kubeconfig = secret(admin_conf.stdout)
        self.kubeconfig_file = on_host(
            "kubeconfig",
            host.kubeconfig(cluster),
            parent=self,
            stdin=self.kubeconfig,
            triggers=[cluster.name],
        )
        self.registered = _register(cluster.control_plane, self, self.init, [network.conf])
        self.register_outputs({})


class Worker(pulumi.ComponentResource):
    """``kubeadm join`` of one worker."""

    def __init__(
        self,
        handle: NodeHandle,
        control_plane: ControlPlane,
        network: PodNetwork,
        routes_to_it: Sequence[pulumi.Resource],
    ) -> None:
        name = handle.node.name
        super().__init__("podnet:kubeadm:Worker", f"{name}-worker")
        # A Node's pod CIDR cannot be changed once it is set: with another pod subnet the worker leaves and joins again.
        # So it does where the control plane was made anew, which makes another cluster.
        triggers = [handle.machine.id, str(handle.node.pod_subnet), control_plane.init.id]
        ticket = on_node(
            f"{name}-join-ticket",
            kubeadm.bootstrap_token(handle.node),
            control_plane.handle,
            parent=self,
            depends_on=[control_plane.init],
            triggers=triggers,
            secrecy=Secrecy(stdout=True),
        )
        join = on_node(
            f"{name}-join",
            kubeadm.join(),
            handle,
            parent=self,
            stdin=secret(ticket.stdout).apply(lambda line: _join_config(handle.node, line)),
            triggers=triggers,
        )
        # Pods come to a node that can be reached, and a node is drained before the ways to it go.
        self.registered = _register(
            handle.node,
            control_plane,
            join,
            [network.conf, *routes_to_it],
            parent=self,
            # Another ticket makes it run again, which ends that ticket: also one that was made without need.
            stdin=secret(ticket.stdout).apply(lambda line: _ticket(line).token_id),
        )
        self.register_outputs({})


def _join_config(node: Node, line: str) -> str:
    return join_config(node, _ticket(line))


def _ticket(line: str) -> BootstrapToken:
    return BootstrapToken(**json.loads(line))


def _register(
    node: Node,
    control_plane: ControlPlane,
    joined: pulumi.CustomResource,
    reached_by: Sequence[pulumi.Resource],
    *,
    parent: pulumi.Resource | None = None,
    stdin: pulumi.Input[str] | None = None,
) -> pulumi.Resource:
    return on_node(
        f"{node.name}-registered",
        kubeadm.register(node),
        control_plane.handle,
        parent=parent or control_plane,
        # The kubelet is Ready when it finds a CNI conf, which is among them.
        depends_on=[joined, *reached_by],
        triggers=[joined.id],
        stdin=stdin,
    )
