"""The proof, as a resource: it fails the deployment where the network does not do what it should."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pulumi
from pulumi_command import local, remote

from podnet.commands import verification
from podnet.kinds import Kind
from podnet.planning import ClusterPlan
from podnet.resources.kubeadm import ControlPlane
from podnet.resources.node_state import NodeState
from podnet.resources.runner import Component, on_host


class Verification(Component):
    """Runs again when something that it proves has changed, and not otherwise."""

    def __init__(
        self,
        plan: ClusterPlan,
        proved: Sequence[pulumi.Resource],
        states: Sequence[NodeState],
        control_plane: ControlPlane,
    ) -> None:
        super().__init__(Kind.VERIFICATION, "verification", {})
        command = on_host(
            "verify",
            verification.verify(plan.cluster),
            parent=self,
            # It looks with the kubeconfig, at everything.
            depends_on=[*proved, control_plane.kubeconfig_file],
            triggers=[resource.id for resource in proved if isinstance(resource, pulumi.CustomResource)],
            # A command that only ran again keeps its id, and says when it ran. What others did was no command of ours.
            environment={"PODNET_CHANGED": _said(proved), "PODNET_FOREIGN": _foreign(states)},
            logging=local.Logging.STDERR,
        )
        report: pulumi.Output[dict[str, Any]] = command.stdout.apply(json.loads)
        self.verdict = report.apply(lambda found: found["verdict"])
        self.picture = report.apply(lambda found: found.get("picture", ""))
        self.pods = report.apply(lambda found: found["pods"])


def _foreign(states: Sequence[NodeState]) -> pulumi.Output[str]:
    seen = [state.foreign for state in states]
    return pulumi.Output.all(*seen).apply(lambda many: "; ".join(each for found in many for each in found or []))


def _said(proved: Sequence[pulumi.Resource]) -> pulumi.Output[str]:
    """What the commands of the nodes have printed: not one of them prints a secret."""
    said = [each.stdout for each in proved if isinstance(each, remote.Command)]
    return pulumi.Output.all(*said).apply(lambda texts: " ".join(sorted(texts)))
