"""What stands in a stack's state is read, whatever podnet wrote it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from podnet import config, versions
from podnet.errors import ConfigError, PodnetError
from podnet.planning import plan
from podnet.resources.node_state import _plan, _Provider
from tests.conftest import dev_config

NEWER = "1.99.0"


def props(dumped: dict[str, Any], node: str = "node1", drift: list[str] | None = None) -> dict[str, Any]:
    """Properties as the engine gives them back: its numbers are floats."""
    return {"stack": "dev", "node": node, "cluster": _floats(dumped), "drift": drift}


def _floats(value: Any) -> Any:
    match value:
        case dict():
            return {key: _floats(each) for key, each in value.items()}
        case list():
            return [_floats(each) for each in value]
        case int() if not isinstance(value, bool):
            return float(value)
    return value


@pytest.fixture
def dumped() -> dict[str, Any]:
    """The dev stack, as podnet describes it in its state."""
    return config.dump(config.load("dev", dev_values()))


def dev_values() -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load(dev_config())["config"]
    return {key.removeprefix("podnet:"): value for key, value in values.items()}


def changes(olds: dict[str, Any], news: dict[str, Any]) -> bool:
    return bool(_Provider().diff("dev-node1", olds, news).changes)


def test_the_state_of_a_podnet_with_another_kubernetes_is_no_change(
    dumped: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    olds = props(dumped, drift=[])
    monkeypatch.setattr(versions, "KUBERNETES", NEWER)
    with pytest.raises(ConfigError, match="is not supported"):
        config.load("dev", dumped)
    assert not changes(olds, props(dumped | {"kubernetesVersion": NEWER}))


def test_a_node_is_looked_at_under_the_config_that_it_was_made_with(
    dumped: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = plan(config.load("dev", dumped))
    monkeypatch.setattr(versions, "KUBERNETES", NEWER)
    assert _plan(props(dumped)) == made


def test_a_rule_that_is_new_does_not_reach_what_stands(dumped: dict[str, Any]) -> None:
    """Names that were taken once, and keys that another podnet knows or does not know yet."""
    old = copy.deepcopy(dumped)
    old["nodes"][1]["name"] = "a-route-to-b"
    old["nodes"][2]["memory"] = 64
    old["nodes"][2]["ofAnotherPodnet"] = True
    old["ofAnotherPodnet"] = {"a": [1]}
    del old["cni"]["portmap"]
    with pytest.raises(ConfigError):
        config.load("dev", old)
    planned = _plan(props(old, "a-route-to-b"))
    assert [node.node.name for node in planned.nodes] == ["master", "a-route-to-b", "node2"]
    assert planned.cluster.cni.portmap
    assert not changes(props(old, "a-route-to-b"), props(old, "a-route-to-b"))


def test_a_description_that_nobody_can_read_is_said(dumped: dict[str, Any]) -> None:
    with pytest.raises(PodnetError, match="the cluster dev was described by a podnet that this one does not know"):
        _plan(props(dumped | {"podSubnet": "fd00::/64"}))
    with pytest.raises(PodnetError, match="podnet:provider: 'mars' is not a provider"):
        _plan(props(dumped | {"provider": "mars"}))


def test_to_destroy_nothing_is_read() -> None:
    _Provider().delete("dev-node1", {"stack": "dev", "node": "node1", "cluster": "nothing that is known"})


def test_what_another_podnet_described_otherwise_is_a_change(dumped: dict[str, Any]) -> None:
    assert changes(props({}), props(dumped))


@pytest.mark.parametrize("drift", [[], ["route to node2: none"]])
def test_drift_is_a_change(dumped: dict[str, Any], drift: list[str]) -> None:
    assert changes(props(dumped, drift=drift), props(dumped)) == bool(drift)


def test_another_share_of_the_network_is_a_change_and_what_is_of_no_network_is_none(dumped: dict[str, Any]) -> None:
    def changed(**values: Any) -> bool:
        return changes(props(dumped), props(dumped | values))

    def node2(**values: Any) -> list[dict[str, Any]]:
        return [*dumped["nodes"][:2], dumped["nodes"][2] | values]

    assert changed(nodes=node2(address="10.100.198.222"))
    assert changed(nodes=node2(podSubnet="10.22.9.0/24"))
    assert changed(nodes=dumped["nodes"][:2])
    assert changed(nodes=[*node2(), dumped["nodes"][2] | {"name": "node3"}])
    assert changed(cni=dumped["cni"] | {"mtu": 1400})
    assert changed(podSubnet="10.22.0.0/15")
    assert changed(serviceSubnet="10.97.0.0/16")
    assert not changed(nodes=list(reversed(dumped["nodes"])))
    assert not changed(nodes=node2(memory=4096))
    assert not changed(images={"nginx": "podnet.local/nginx:2", "probe": "podnet.local/probe:2"})


def test_what_is_dumped_is_restored(dumped: dict[str, Any]) -> None:
    assert config.restore("dev", dumped) == config.load("dev", dumped)
