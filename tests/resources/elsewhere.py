"""The state of a stack that is up somewhere else: as a real one, but no host and no cluster of it can be reached.

It is made from a preview, which says which resources there are; each gets an id and outputs here, and those of its
inputs that come of others' outputs.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, cast

from podnet.commands.kubeadm import BootstrapToken, join_config
from podnet.config import from_stack_file
from podnet.kinds import Kind, kind_of
from podnet.planning import ClusterPlan
from podnet.planning import plan as podnet_plan
from podnet.resources.runner import to_machine
from tests.resources.engine import Engine

_ID = "0123abcd"
_PROVIDER_ID = "6f0e3c3a-0000-4000-8000-000000000001"
_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}

KUBECONFIG = json.dumps(
    {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": "https://192.0.2.1:6443", "insecure-skip-tls-verify": True}}],
        "users": [{"name": "u", "user": {"token": "nobody"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
)
TICKET = '{"endpoint":"192.0.2.1:6443","token":"abcdef.0123456789abcdef","ca_hash":"sha256:00"}'
PRIVATE_KEY = "a private key\n"
OUTPUTS = {
    "ssh-key": PRIVATE_KEY,
    "admin-conf": KUBECONFIG,
    "kubeconfig": "/elsewhere/admin.conf",
    "bootstrap-token": TICKET,
    "verify": '{"verdict": "passed", "pods": []}',
}


def import_state(engine: Engine, project: Path) -> None:
    """Give the stack dev of a project the state of one that is up."""
    engine.run(project, "stack", "init", "dev")
    plan = podnet_plan(from_stack_file(project / "Pulumi.dev.yaml"))
    steps = json.loads(engine.run(project, "preview", "--stack", "dev", "--json"))["steps"]
    _import(engine, project, [_resource(step["newState"], plan) for step in steps])


_KEPT = (Kind.HOST, Kind.MACHINE, Kind.WORKLOAD, Kind.VERIFICATION)
"""The kinds of which version 0.1 had components too; what stood in another one in these now stood in these."""

_NETWORK = "podnet:network:PodNetwork::{}-pod-network"
_WORKER = "podnet:kubeadm:Worker::{}-worker"
_CONTROL_PLANE = "podnet:kubeadm:ControlPlane::control-plane"
_EARLIER = {
    Kind.NET_CONF: _NETWORK,
    Kind.MASQUERADE: _NETWORK,
    Kind.STATIC_ROUTES: _NETWORK,
    Kind.BOOTSTRAP_TOKEN: _WORKER,
    Kind.JOIN: _WORKER,
    Kind.REGISTRATION: _WORKER,
    Kind.INIT: _CONTROL_PLANE,
    Kind.KUBECONFIG: _CONTROL_PLANE,
}
"""By kind, the type and name of the component that its commands stood in."""


def as_earlier(state: dict[str, Any]) -> dict[str, Any]:
    """Give a state as version 0.1 would have written it: with fewer components, and another name for a token."""
    resources = state["deployment"]["resources"]
    known = {each["urn"]: each for each in resources}
    stack = resources[0]["urn"]
    prefix = stack.rpartition("pulumi:pulumi:Stack")[0]
    urns: dict[str, str] = {}
    found: dict[str, dict[str, Any]] = {}
    for each in resources:
        if not each.get("custom"):
            if kind_of(each["urn"]) in _KEPT or each["urn"] == stack:
                found[each["urn"]] = {**each, "inputs": {}}
            continue
        parent = _earlier_parent(each, known, prefix)
        if parent and parent not in known:
            type_ = parent.split("::")[2]
            found[parent] = {"urn": parent, "custom": False, "type": type_, "parent": stack}
        name = each["urn"].rpartition("::")[2].replace("-bootstrap-token", "-join-ticket")
        urn = f"{prefix}{parent.split('::')[2]}${each['type']}::{name}" if parent else each["urn"]
        urns[each["urn"]] = urn
        found[urn] = {**each, "parent": parent} if parent else each
    document = {**state["deployment"], "resources": [_renamed(each, urns) for each in found.values()]}
    return {**state, "deployment": document}


def _earlier_parent(state: dict[str, Any], known: dict[str, Any], prefix: str) -> str:
    """The component that a resource stood in; empty where in none."""
    kind, name = kind_of(state["urn"]), state["urn"].rpartition("::")[2]
    if state["type"].endswith(":NodeState"):
        return prefix + _NETWORK.format(name.removesuffix("-state"))
    if kind is None:
        return ""
    component = known[state["parent"]]
    if kind in _KEPT:
        return str(component["urn"])
    if kind not in _EARLIER:
        return str(component["parent"])
    node = component["urn"].rpartition("::")[2]
    is_head = any(each["type"] == Kind.INIT and each["urn"].endswith(f"::{node}") for each in known.values())
    return prefix + (_CONTROL_PLANE if is_head and kind is Kind.REGISTRATION else _EARLIER[kind].format(node))


def _renamed(value: Any, urns: dict[str, str]) -> Any:
    """A part of a state with the URNs of before."""
    if isinstance(value, dict):
        return {key: _renamed(part, urns) for key, part in value.items()}
    if isinstance(value, list):
        return [_renamed(part, urns) for part in value]
    return urns.get(value, value) if isinstance(value, str) else value


def _resource(state: dict[str, Any], plan: ClusterPlan) -> dict[str, Any]:
    kept = {key: value for key, value in state.items() if key not in ("sourcePosition", "stackTrace")}
    name = kept["urn"].rpartition("::")[2]
    objects = ["default/nginx-deployment", "default/nginx-service"]
    told = {key: value for key, value in (kept.get("inputs") or {}).items() if key != "environment"}
    inputs = {**_with_ids(told, objects), **_secret_inputs(state, plan)}
    inputs.pop("__internal", None)  # a provider's, which no state holds
    if kept.get("custom"):
        kept["id"] = _PROVIDER_ID if kept["type"].startswith("pulumi:providers:") else f"{name}{_ID}"
        if kept["type"].startswith("kubernetes:"):
            kept["id"] = f"default/{inputs['metadata']['name']}"
    kept["inputs"], kept["outputs"] = inputs, {**inputs, **_outputs(name, kept["type"], inputs)}
    if kept.get("provider"):
        kept["provider"] = kept["provider"].replace(_UNKNOWN, _PROVIDER_ID)
    return kept


def _outputs(name: str, type_: str, inputs: dict[str, Any]) -> dict[str, Any]:
    if type_.startswith("kubernetes:"):
        # What the provider compares with, beside what the API server said.
        return {"__inputs": inputs, "__initialApiVersion": inputs["apiVersion"], "__fieldManager": "pulumi"}
    if type_.endswith(":NodeState"):
        return {"drift": [], "foreign": []}
    if not type_.startswith("command:"):
        return {}
    text = next((text for end, text in OUTPUTS.items() if name.endswith(end)), f"{name} was here\n")
    secret = name in ("ssh-key", "admin-conf") or name.endswith("bootstrap-token")
    return {"stdout": _secret(text) if secret else text, "stderr": ""}


def _secret(value: Any) -> dict[str, str]:
    return {**_SECRET, "plaintext": json.dumps(value)}


def _secret_inputs(state: dict[str, Any], plan: ClusterPlan) -> dict[str, Any]:
    """The inputs that a preview shows to nobody."""
    name, inputs = state["urn"].rpartition("::")[2], {}
    if "connection" in (state.get("inputs") or {}):
        vms = (urn.rpartition("::")[2] for urn in state["propertyDependencies"]["connection"])
        host = next(vm.removesuffix("-vm") for vm in vms if vm.endswith("-vm"))
        keys = (cast("Any", PRIVATE_KEY), cast("Any", f"{host}-vm was here\n"))  # what an Output will hold
        ssh = to_machine(plan.of(host).node, *keys)
        connection = {
            "host": ssh.host,
            "user": ssh.user,
            "port": 22,
            "perDialTimeout": ssh.per_dial_timeout,
            "dialErrorLimit": ssh.dial_error_limit,
            "privateKey": _secret(ssh.private_key),
            "hostKey": ssh.host_key,
        }
        inputs["connection"] = _secret(connection)
    if name == "verify":
        told = (urn for urn in state["propertyDependencies"]["environment"] if "NodeState::" not in urn)
        said = sorted(f"{urn.rpartition('::')[2]} was here\n" for urn in told)
        inputs["environment"] = {"PODNET_CHANGED": " ".join(said), "PODNET_FOREIGN": ""}
    if name == "kubeconfig":
        inputs["stdin"] = _secret(KUBECONFIG)
    if state["type"] == "pulumi:providers:kubernetes":
        inputs["kubeconfig"] = _secret(KUBECONFIG)
    if name.endswith("-join"):
        node = plan.of(name.removesuffix("-join")).node
        inputs["stdin"] = _secret(join_config(node, BootstrapToken(**json.loads(TICKET))))
    if name.endswith("-registered") and name.removesuffix("-registered") != plan.cluster.control_plane.name:
        inputs["stdin"] = _secret(BootstrapToken(**json.loads(TICKET)).token_id)
    return inputs


def _with_ids(value: Any, objects: list[str]) -> Any:
    """The ids that the preview made up, as those of the state. objects: for ids that it does not know, in order."""
    if isinstance(value, dict):
        return {key: _with_ids(part, objects) for key, part in value.items()}
    if isinstance(value, list):
        return [_with_ids(part, objects) for part in value]
    if value == _UNKNOWN:
        return objects.pop(0)
    if isinstance(value, str) and (found := re.fullmatch(r"([a-z0-9-]+)[0-9a-f]{8}", value)):
        return f"{found[1]}{_ID}"
    return value


def _import(engine: Engine, project: Path, resources: list[dict[str, Any]]) -> None:
    empty = json.loads(engine.run(project, "stack", "export", "--stack", "dev"))
    known = {resource["urn"] for resource in resources}
    named = {resource["provider"].rpartition("::")[0] for resource in resources if resource.get("provider")}
    empty["deployment"]["resources"] = [resources[0], *map(_default, sorted(named - known)), *resources[1:]]
    file = project.parent / f"state of {project.name}.json"
    file.write_text(json.dumps(empty))
    engine.run(project, "stack", "import", "--stack", "dev", "--file", str(file))


def _default(urn: str) -> dict[str, Any]:
    """A provider that no program declares: the engine makes it, and no preview shows it."""
    version = re.search(r"::default_(\d+)_(\d+)_(\d+)$", urn)
    inputs = {"version": ".".join(version.groups())} if version else {}
    type_ = urn.split("::")[-2]
    return {"urn": urn, "custom": True, "id": _PROVIDER_ID, "type": type_, "inputs": inputs, "outputs": inputs}
