"""The pods and Services that podnet places for a verification, and takes away after it."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from podnet.observe.access import LONGER, Access, CannotLookError, bound, longest
from podnet.observe.progress import Progress
from podnet.observe.sessions import agent_source
from podnet.planning import ClusterPlan
from podnet.verify.check import Endpoint, EndpointKind
from podnet.verify.scenarios import PORT, Outside, Placement, Probe

LABEL: Final = "podnet.io/verification"
_READY_TIMEOUT: Final = 60
_DELETE_TIMEOUT: Final = 15


@asynccontextmanager
async def placed(plan: ClusterPlan, access: Access, progress: Progress) -> AsyncIterator[str]:
    """Place two probe pods on every node, each with a Service; take all away at the end, in the background.

    Yields their namespace: every verification has one of its own, so that two may run at once and what a killed one
    left is in nobody's way.
    """
    namespace = f"podnet-verify-{secrets.token_hex(3)}"
    objects = json.dumps({"apiVersion": "v1", "kind": "List", "items": _objects(plan, namespace)})
    old: list[str] = []
    try:
        _, old = await asyncio.gather(
            access.kubectl("create", "--validate=false", "-f", "-", stdin=objects), _left_behind(access)
        )
        yield namespace
    finally:
        try:
            words = ("delete", "namespace", namespace, *old, "--wait=false", "--ignore-not-found")
            await access.kubectl(*words, timeout=_DELETE_TIMEOUT)
        except CannotLookError as error:
            # Whatever brought us here says more than this does.
            progress.warn(f"the namespace {namespace} is left behind ({error})")


async def _left_behind(access: Access) -> list[str]:
    """The namespaces of verifications that were killed: their pods have ended, and the rest is cleared away."""
    found = await access.kubectl("get", "namespaces", "--selector", LABEL, "-o", "json")
    oldest = datetime.now(UTC) - timedelta(seconds=longest())
    made = {_name(item): item["metadata"]["creationTimestamp"] for item in json.loads(found)["items"]}
    return [name for name, stamp in made.items() if datetime.fromisoformat(stamp) < oldest]


async def placement(
    access: Access,
    plan: ClusterPlan,
    namespace: str,
    node_ports: Mapping[str, int],
    outside: Mapping[str, Outside],
) -> Placement:
    """Wait until the probes, the workload and the cluster's DNS are ready; where they are.

    CannotLookError says which are not.
    """
    # What they wait for comes in one long answer to one request.
    limit = (f"--timeout={bound(_READY_TIMEOUT):.0f}s", "--request-timeout=0")
    probes = ("wait", "--namespace", namespace, "--for=condition=Ready", "pods", "--all", *limit)
    # DNS is verified too, and a cluster that has just been made may not answer yet.
    dns = ("rollout", "status", "--namespace", "kube-system", "deployment/coredns", *limit)
    web = ("rollout", "status", "--namespace", "default", "deployment/nginx-deployment", *limit)
    try:
        patience = bound(_READY_TIMEOUT) + 15
        await asyncio.gather(*(access.kubectl(*words, timeout=patience) for words in (probes, dns, web)))
    except CannotLookError as error:
        raise CannotLookError(f"{error}; {await _unready(access, namespace)}") from None
    own, servers = await asyncio.gather(
        access.kubectl("get", "pods,services", "--namespace", namespace, "-o", "json"),
        access.kubectl("get", "pods", "--namespace", "default", "--selector", "app=nginx", "-o", "json"),
    )
    items = json.loads(own)["items"]
    addresses = {_name(item): item["status"]["podIP"] for item in items if item["kind"] == "Pod"}
    specs = {_name(item): item["spec"] for item in items if item["kind"] == "Service"}

    def probe(node: str, letter: str) -> Probe:
        name = f"{node}-{letter}"
        spec = specs[name]
        endpoint = Endpoint(EndpointKind.POD, f"{node}/{letter}", node, addresses[name], name)
        return Probe(endpoint, name, spec["clusterIP"], spec["ports"][0]["nodePort"])

    return Placement(
        probes={node.name: (probe(node.name, "a"), probe(node.name, "b")) for node in plan.cluster.nodes},
        node_ports=node_ports,
        web=tuple(_web(item) for item in sorted(json.loads(servers)["items"], key=_name) if _is_running(item)),
        outside=outside,
        namespace=namespace,
    )


async def _unready(access: Access, namespace: str) -> str:
    """Which probe pods are not Ready, and what was last said of them."""
    pods, warnings = await asyncio.gather(
        access.kubectl("get", "pods", "--namespace", namespace, "-o", "json"),
        access.kubectl("get", "events", "--namespace", namespace, "--field-selector", "type=Warning", "-o", "json"),
    )
    names = [_name(item) for item in json.loads(pods)["items"] if not _is_ready(item)]
    events = json.loads(warnings)["items"]
    last = events[-1]["message"] if events else "no event says why"
    patience = f"{bound(_READY_TIMEOUT):.0f} s ({LONGER})"
    return f"not ready after {patience}: {', '.join(names) or 'none'}; {last}"


def _name(item: Any) -> str:
    return str(item["metadata"]["name"])


def _is_ready(item: Any) -> bool:
    conditions = item["status"].get("conditions", [])
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def _is_running(item: Any) -> bool:
    return _is_ready(item) and "deletionTimestamp" not in item["metadata"]


def _web(item: Any) -> Endpoint:
    node, name = item["spec"]["nodeName"], _name(item)
    return Endpoint(EndpointKind.POD, f"{node}/{name}", node, item["status"]["podIP"], name)


def _objects(plan: ClusterPlan, namespace: str) -> list[dict[str, Any]]:
    first: list[dict[str, Any]] = [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": namespace,
                "labels": {LABEL: "true", "pod-security.kubernetes.io/enforce": "restricted"},
            },
        },
        # Its own: the namespace's default one comes late where the controllers have just been started.
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "probe", "namespace": namespace},
            "automountServiceAccountToken": False,
        },
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "agent", "namespace": namespace},
            "data": {"agent.py": agent_source()},
        },
    ]
    for node in plan.cluster.nodes:
        for letter in ("a", "b"):
            name = f"{node.name}-{letter}"
            metadata = {"name": name, "namespace": namespace, "labels": {LABEL: name}}
            first.append({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": _pod(plan, node.name)})
            first.append(
                {
                    "apiVersion": "v1",
                    "kind": "Service",
                    "metadata": metadata,
                    "spec": {"type": "NodePort", "selector": {LABEL: name}, "ports": [{"port": PORT}]},
                }
            )
    return first


def _pod(plan: ClusterPlan, node: str) -> dict[str, Any]:
    return {
        "nodeName": node,  # placed, not scheduled: every node gets its probes, the control plane too
        "tolerations": [{"operator": "Exists"}],
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 0,
        "activeDeadlineSeconds": int(longest()),
        "serviceAccountName": "probe",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65534, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [
            {
                "name": "probe",
                "image": plan.cluster.images.probe,
                "imagePullPolicy": "IfNotPresent",
                "command": ["python3", "/podnet/agent.py", "serve", str(PORT)],
                "ports": [{"containerPort": PORT}],
                "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": [{"name": "agent", "mountPath": "/podnet", "readOnly": True}],
            }
        ],
        "volumes": [{"name": "agent", "configMap": {"name": "agent"}}],
    }
