"""A node as it is: what `pulumi refresh` reads, and `pulumi up --refresh` puts right.

The commands of a node cannot be read back; they say what was done once. This resource says what is there now. It is a
dynamic one: the engine runs it by Pulumi's plugin for Python, in the checkout, with the environment of the shell.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, ResourceProvider, UpdateResult

from podnet import config
from podnet.errors import PodnetError
from podnet.observe import drift
from podnet.observe.access import as_described
from podnet.planning import ClusterPlan, plan
from podnet.resources.network import earlier_component
from podnet.resources.runner import NodeHandle

_OF_EVERY_NODE: Final = ("machineNetwork", "gateway", "podSubnet", "serviceSubnet", "cni")
"""What every node's network follows from, beside the nodes."""


class NodeState(pulumi.dynamic.Resource, module="podnet", name="NodeState"):
    """One node's share of the network, as it is.

    drift: what is not as planned, a sentence each; an update puts it right. foreign: what others have put there, which
    the verification then judges.
    """

    drift: pulumi.Output[list[str]]
    foreign: pulumi.Output[list[str] | None]

    def __init__(self, planned: ClusterPlan, handle: NodeHandle, made: Sequence[pulumi.Resource]) -> None:
        cluster = planned.cluster
        name = handle.node.name
        super().__init__(
            _Provider(),
            f"{name}-state",
            {"stack": cluster.name, "node": name, "cluster": config.dump(cluster), "drift": None, "foreign": None},
            # What it reads is made by these; it goes with the machine and undoes nothing of its own.
            pulumi.ResourceOptions(
                aliases=[pulumi.Alias(parent=earlier_component(name))],
                depends_on=list(made),
                deleted_with=handle.machine,
            ),
        )


class _Provider(ResourceProvider):
    """The operations. Properties: stack, node, cluster (the whole config), drift, foreign.

    Those of the state may be of another version of podnet, so they are compared as they stand and read without rules.
    """

    serialize_as_secret_always = False

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """An update is due where the node has drifted, or its own share of the plan is another."""
        return DiffResult(changes=bool(olds.get("drift")) or _share(olds) != _share(news))

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Nothing is made: the node's commands have just made it."""
        return CreateResult(f"{props['stack']}-{props['node']}", {**props, "drift": [], "foreign": []})

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Look at the node."""
        planned = _plan(props)
        with as_described(_folder(props), planned.cluster) as access:
            found = asyncio.run(drift.look(planned, props["node"], access))
        return ReadResult(id_, {**props, "drift": list(found.drift), "foreign": list(found.foreign)})

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Put right what has drifted, and look whether it is."""
        foreign = olds.get("foreign") or []
        if olds.get("drift"):
            planned = _plan(news)
            with as_described(_folder(news), planned.cluster) as access:
                asyncio.run(drift.repair(planned, news["node"], access))
                left = asyncio.run(drift.look(planned, news["node"], access))
            if left.drift:
                raise PodnetError(f"node {news['node']} is not as planned after its repair: {'; '.join(left.drift)}")
            foreign = list(left.foreign)
        return UpdateResult({**news, "drift": [], "foreign": foreign})


def _plan(props: Mapping[str, Any]) -> ClusterPlan:
    """The plan that these properties describe; they may be the state's, which another version of podnet wrote."""
    return plan(config.restore(props["stack"], _whole(props["cluster"])))


def _share(props: Mapping[str, Any]) -> object:
    """What of the config says how this node's network is to be, as it stands there: it is compared, and not planned."""
    cluster = props["cluster"]
    nodes = cluster.get("nodes", [])
    own = [node for node in nodes if node.get("name") == props["node"]]
    ways = {node.get("name"): (node.get("address"), node.get("podSubnet")) for node in nodes}
    return own, ways, [cluster.get(key) for key in _OF_EVERY_NODE]


def _whole(value: Any) -> Any:
    """Numbers come back from the engine as floats."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: _whole(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_whole(each) for each in value]
    return value


def _folder(props: Mapping[str, Any]) -> Path:
    stacks = os.environ.get("PODNET_STACKS")
    if not stacks:
        raise PodnetError("PODNET_STACKS is not set: run make up, or put the output of make -s env into this shell")
    return Path(stacks) / str(props["stack"])
