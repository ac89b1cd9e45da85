"""nginx on two nodes: the chapter's Deployment, and a Service for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pulumi
from pulumi_kubernetes import Provider
from pulumi_kubernetes.apps.v1 import Deployment
from pulumi_kubernetes.core.v1 import Service

from podnet.kinds import Kind
from podnet.model import Cluster
from podnet.planning import WEB_PODS
from podnet.resources.runner import Component

LABELS: Final = {"app": "nginx"}
PORT: Final = 80


class Workload(Component):
    """The Deployment ``nginx-deployment`` and the Service ``nginx`` in the namespace default."""

    def __init__(
        self,
        cluster: Cluster,
        kubeconfig: pulumi.Output[str],
        cluster_machine: pulumi.Resource,
        depends_on: Sequence[pulumi.Resource],
    ) -> None:
        super().__init__(Kind.WORKLOAD, "workload", {})
        provider = Provider(
            "kubernetes",
            kubeconfig=kubeconfig,
            # A kubeconfig with other bytes is still the same cluster; without this it would replace every object.
            cluster_identifier=f"podnet-{cluster.name}",
            enable_server_side_apply=True,
            opts=pulumi.ResourceOptions(parent=self),
        )
        options = pulumi.ResourceOptions(
            parent=self,
            provider=provider,
            depends_on=list(depends_on),
            deleted_with=cluster_machine,  # the objects end with the cluster that holds them
            replace_with=[cluster_machine],
            custom_timeouts=pulumi.CustomTimeouts(create="3m", update="3m", delete="1m"),
        )
        self.deployment = Deployment("nginx-deployment", **deployment(cluster), opts=options)
        self.service = Service("nginx-service", **service(), opts=options)


def deployment(cluster: Cluster) -> dict[str, Any]:
    """The Deployment's metadata and spec. With a single worker the second node is the control plane."""
    spec = _pod(cluster.images.nginx)
    if len(cluster.workers) < WEB_PODS:
        spec["tolerations"] = [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]
    return {
        "metadata": {"name": "nginx-deployment", "namespace": "default", "labels": LABELS},
        "spec": {
            "replicas": WEB_PODS,
            "selector": {"matchLabels": LABELS},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 1}},
            "template": {"metadata": {"labels": LABELS}, "spec": spec},
        },
    }


def _pod(image: str) -> dict[str, Any]:
    return {
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "DoNotSchedule",
                "labelSelector": {"matchLabels": LABELS},
                # Without it the old pods count too, and the new pod of a rolling update finds no node.
                "matchLabelKeys": ["pod-template-hash"],
            }
        ],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 33,
            "runAsGroup": 33,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "nginx",
                "image": image,
                "ports": [{"containerPort": PORT}],
                "readinessProbe": {"httpGet": {"path": "/", "port": PORT}, "periodSeconds": 1},
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108  # nginx.conf's own folder
            }
        ],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
        "terminationGracePeriodSeconds": 5,
    }


def service() -> dict[str, Any]:
    """The Service's metadata and spec."""
    return {
        "metadata": {
            "name": "nginx-service",
            "namespace": "default",
            "labels": LABELS,
            # Pulumi looks for endpoints every ten seconds; the verification, which follows, asks the Service itself.
            "annotations": {"pulumi.com/skipAwait": "true"},
        },
        "spec": {"selector": LABELS, "ports": [{"port": PORT, "targetPort": PORT}]},
    }
