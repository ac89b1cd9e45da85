"""The policy pack in the real engine: podnet's own stack passes, and one that breaks a rule is refused by that rule."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import dev_config
from tests.resources.elsewhere import import_state
from tests.resources.engine import ROOT, Engine

GOOD = """
import json
import pulumi
from pulumi_command import local, remote
from pulumi_kubernetes import Provider
from pulumi_kubernetes.core.v1 import Pod


class Component(pulumi.ComponentResource):
    def __init__(self, kind, name, **inputs):
        super().__init__(f"podnet:{kind}", name, inputs)


def within(component):
    return pulumi.ResourceOptions(parent=component)


def conf(name, *subnets):
    Component("cni:NetConf", name, node=name, podSubnets=subnets)


def masquerade(name, cidrs, does=None):
    ranges = {"podSubnets": ["10.22.1.0/24"], "nonMasqueradeCIDRs": cidrs, "serviceSubnets": ["10.96.0.0/16"]}
    component = Component("masquerade:Masquerade", name, node=name, **ranges)
    stdin = json.dumps({**ranges, **(does or {})})
    command(f"{name}-masquerade", "podnet-node masquerade", "undo", stdin=stdin, opts=within(component))


def command(name, create="touch x", delete="rm x", connection=None, **more):
    return remote.Command(name, create=create, delete=delete, connection=connection or ssh, **more)


key = local.Command("ssh-key", create="make a key", opts=pulumi.ResourceOptions(
    parent=Component("ssh:PrivateKey", "machines"), additional_secret_outputs=["stdout"]))
machine = local.Command("node1-vm", create="vagrant up", opts=within(Component("machine:VagrantMachine", "node1")))
ssh = remote.ConnectionArgs(host="10.0.0.1", user="v", private_key=key.stdout, host_key=machine.stdout)

Component("host:Host", "host", machineNetworks=["10.0.0.0/24"])
Component("kubeadm:Init", "node1", node="node1", podSubnets=["10.22.0.0/16"], serviceSubnets=["10.96.0.0/16"])
conf("node1", "10.22.1.0/24")
masquerade("node1", ["10.22.0.0/16"])
command("admin-conf", "cat x", None, opts=within(Component("kubeadm:Kubeconfig", "node1")))
command("key", stdin=key.stdout)
command("told", stdin=pulumi.Output.secret("-----BEGIN OPENSSH PRIVATE KEY-----"))
"""

BAD = [
    ("no-snat-between-pods", "odd", 'command("odd", "iptables -t nat -A POSTROUTING -d 10.0.0.1 -j MASQUERADE")'),
    ("no-snat-between-pods", "odd", """command("odd", stdin='{"type": "bridge", "ip\\u006dasq": true}')"""),
    ("no-pod-masqueraded", "odd", 'masquerade("odd", ["10.22.2.0/24"])'),
    ("no-pod-masqueraded", "odd-masquerade", 'masquerade("odd", ["10.22.0.0/16"], {"nonMasqueradeCIDRs": []})'),
    ("no-overlap", "odd", 'conf("odd", "10.22.1.128/25")'),
    ("host-keys-pinned", "odd", 'command("odd", connection=remote.ConnectionArgs(host="10.0.0.1", user="v"))'),
    (
        "host-keys-to-come",
        "odd",
        'command("odd", connection=remote.ConnectionArgs(host="10.0.0.1", user="v", private_key=key.stdout))',
    ),
    ("remote-commands-undone", "odd", 'command("odd", delete=None)'),
    (
        "remote-commands-undone",
        "odd",
        'command("odd", delete=None, opts=within(Component("cni:NetConf", "a")))',
    ),
    ("remote-commands-undone", "odd", 'command("odd", delete="sudo -n true")'),
    (
        "images-pinned",
        "odd",
        'Pod("odd", metadata={"name": "a"}, spec={"containers": [{"name": "a", "image": "nginx:latest"}]},\n'
        '    opts=pulumi.ResourceOptions(provider=Provider("k", kubeconfig=key.stdout)))',
    ),
    ("no-secret-in-clear", "odd", 'command("odd", stdin="-----BEGIN OPENSSH PRIVATE KEY-----")'),
]
"""The policy that refuses a stack and no other does, the resource that it refuses, and what the stack has of that."""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory, toolchain_bin: Path) -> Engine:
    return Engine.at(tmp_path_factory.mktemp("engine"), toolchain_bin)


def preview(engine: Engine, project: Path, code: int) -> str:
    engine.run(project, "stack", "init", "dev")
    return engine.run(project, "preview", "--stack", "dev", "--policy-pack", str(engine.home / "policy"), code=code)


def refused(said: str) -> set[tuple[str, str]]:
    """Each policy and the name of the resource that it refuses."""
    return set(re.findall(r"\[mandatory\] +(\S+) +\(\S+: (\S+)\)", said))


@pytest.mark.parametrize("file", ["Pulumi.dev.yaml", "examples/Pulumi.existing.yaml"])
def test_podnets_own_stacks_pass(engine: Engine, file: str) -> None:
    text = dev_config() if file == "Pulumi.dev.yaml" else (ROOT / file).read_text()
    said = preview(engine, engine.podnet(Path(file).name, text), 0)
    assert "✅ podnet@" in said
    # A policy that could not look would say so, at the level advisory.
    assert "advisory" not in said
    assert refused(said) == set()


def test_podnets_own_stack_passes_when_all_its_values_are_known(engine: Engine) -> None:
    """What ``up`` shows: connections with their keys, bootstrap tokens, the kubeconfig. Marked as secrets they are."""
    project = engine.podnet("known")
    import_state(engine, project)
    said = engine.run(project, "preview", "--stack", "dev", "--policy-pack", str(engine.home / "policy"))
    assert "✅ podnet@" in said
    assert "advisory" not in said
    assert "unchanged" in said
    assert "to create" not in said


def test_a_stack_that_keeps_every_rule_passes(engine: Engine) -> None:
    said = preview(engine, engine.program("good", GOOD), 0)
    assert "✅ podnet@" in said
    assert "advisory" not in said


@pytest.mark.parametrize(
    ("policy", "resource", "odd"), BAD, ids=[f"{policy}-{number}" for number, (policy, _, _) in enumerate(BAD)]
)
def test_a_stack_that_breaks_a_rule_is_refused_by_it_alone(
    engine: Engine, request: pytest.FixtureRequest, policy: str, resource: str, odd: str
) -> None:
    said = preview(engine, engine.program(f"bad-{request.node.callspec.id}", GOOD + odd), 1)
    assert refused(said) == {(policy, resource)}, said


def test_what_is_meant_is_allowed_by_name(engine: Engine, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text('{"no-snat-between-pods": {"allow": ["odd"]}}')
    project = engine.program("allowed", GOOD + 'command("odd", "nft add rule x y masquerade", "nft flush chain x y")')
    assert refused(preview(engine, project, 1)) == {("no-snat-between-pods", "odd")}
    packs = ["--policy-pack", str(engine.home / "policy"), "--policy-pack-config", str(config)]
    assert "✅ podnet@" in engine.run(project, "preview", "--stack", "dev", *packs)


def test_the_chapters_own_conf_is_refused(engine: Engine) -> None:
    """The chapter's ipMasq hides pods from pods of other nodes: podnet can set it, a reviewer can refuse it."""
    text = dev_config() + "  podnet:cni: {ipMasq: true}\n"
    said = preview(engine, engine.podnet("chapter", text), 1)
    confs = {("no-snat-between-pods", f"{name}-cni-conf") for name in ("master", "node1", "node2")}
    assert confs <= refused(said)
