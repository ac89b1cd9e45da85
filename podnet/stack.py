"""The whole deployment, in reading order: the chapter, as resources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from podnet.planning import ClusterPlan
from podnet.resources.host import Host
from podnet.resources.kubeadm import ControlPlane, join
from podnet.resources.machine import Machine
from podnet.resources.network import pod_network
from podnet.resources.node_state import NodeState
from podnet.resources.verification import Verification
from podnet.resources.workload import Workload


@dataclass(frozen=True, slots=True)
class Deployment:
    """What a deployed stack tells about itself."""

    outputs: Mapping[str, pulumi.Input[object]]


def config_values() -> dict[str, str]:
    """Every value of this stack's config in podnet's namespace, as the engine hands it over."""
    prefix = "podnet:"
    values: Mapping[str, str] = pulumi.runtime.config.CONFIG.get()
    return {key.removeprefix(prefix): value for key, value in values.items() if key.startswith(prefix)}


def deploy(plan: ClusterPlan) -> Deployment:
    """Declare every resource of a plan."""
    cluster = plan.cluster
    host = Host(cluster)
    machines = {node.name: Machine(cluster, node, host).handle for node in cluster.nodes}
    networks = {each.node.name: pod_network(each, machines[each.node.name]) for each in plan.nodes}

    states = [NodeState(plan, machines[name], each.all) for name, each in networks.items()]

    head = cluster.control_plane
    control_plane = ControlPlane(cluster, machines[head.name], networks[head.name])
    registered = [control_plane.registered] + [
        join(
            machines[node.name],
            control_plane,
            networks[node.name],
            [other.routes[node.name] for name, other in networks.items() if name != node.name],
        )
        for node in cluster.workers
    ]

    network = [resource for each in networks.values() for resource in each.all]
    workload = Workload(cluster, control_plane.kubeconfig, machines[head.name].machine, [*registered, *network])
    proved = [*registered, *network, workload.deployment, workload.service]
    verification = Verification(plan, proved, states, control_plane)

    return Deployment(
        {
            "nodes": {
                node.name: {"role": str(node.role), "address": str(node.address), "podSubnet": str(node.pod_subnet)}
                for node in cluster.nodes
            },
            "routes": [f"{route.node}: {route}" for route in plan.routes],
            "pods": verification.pods,
            "kubeconfig": control_plane.kubeconfig_file.stdout,
            "picture": verification.picture,
            "verdict": verification.verdict,
        }
    )
