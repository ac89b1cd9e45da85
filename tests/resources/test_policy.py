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

key = local.Command("ssh-key", create="/p/python -m podnet.host key-up dev", opts=pulumi.ResourceOptions(
    additional_secret_outputs=["stdout"]))
machine = local.Command("node1-vm", create="/p/python -m podnet.host machine-up dev node1")
ssh = remote.ConnectionArgs(host="10.0.0.1", user="v", private_key=key.stdout, host_key=machine.stdout)
NODE = "sudo /usr/local/lib/podnet/podnet-node"
CLUSTER = {"kind": "ClusterConfiguration", "networking": {"podSubnet": "10.22.0.0/16", "serviceSubnet": "10.96.0.0/16"}}


def conf(subnet, **more):
    bridge = {"type": "bridge", "ipam": {"type": "host-local", "subnet": subnet}, **more}
    return json.dumps({"cniVersion": "0.3.1", "name": "mynet", "plugins": [bridge]})


def rules(statement):
    return (
        "table ip podnet {\\n  set spared {\\n    type ipv4_addr\\n    flags interval\\n"
        "    elements = { 10.22.0.0/16 }\\n  }\\n  chain postrouting {\\n"
        "    type nat hook postrouting priority srcnat; policy accept;\\n    " + statement + "\\n  }\\n}\\n"
    )


def command(name, create="touch x", delete="rm x", connection=ssh, **more):
    return remote.Command(name, create=create, delete=delete, connection=connection, **more)


command("init", f"{NODE} kubeadm-init", f"{NODE} kubeadm-reset", stdin="---\\n" + json.dumps(CLUSTER))
command("conf1", f"{NODE} cni-conf /etc/c cni0", f"{NODE} cni-conf-remove /etc/c cni0", stdin=conf("10.22.1.0/24"))
command("masquerade", f"{NODE} masquerade", f"{NODE} masquerade-remove", stdin=rules("ip daddr != @spared masquerade"))
command("ticket", f"{NODE} join-ticket node1", f"{NODE} join-ticket-remove node1")
command("admin-conf", f"{NODE} admin-conf", delete=None)
command("outside", "iptables -t nat -A POSTROUTING -s 172.17.0.0/16 -j MASQUERADE", "iptables -t nat -F")
command("exempt", "sudo iptables-restore", "sudo iptables -t nat -F", stdin=(
    "*nat\\n-A POSTROUTING -d 10.22.0.0/16 -j RETURN\\n-A POSTROUTING -j MASQUERADE\\nCOMMIT\\n"))
command("key", stdin=key.stdout)
command("told", stdin=pulumi.Output.secret("-----BEGIN OPENSSH PRIVATE KEY-----"))
"""

BAD = [
    ("no-snat-between-pods", 'command("odd", stdin=rules("masquerade"))'),
    ("no-snat-between-pods", 'command("odd", stdin=rules("masquerade").replace("table ip ", "table "))'),
    ("no-snat-between-pods", 'command("odd", stdin="*nat\\n-A POSTROUTING -j MASQUERADE\\nCOMMIT\\n")'),
    ("no-snat-between-pods", 'command("odd", "iptables -t nat -A POSTROUTING ! -d 127.0.0.1 -j MASQUERADE")'),
    ("no-snat-between-pods", """command("odd", stdin='{"type": "bridge", "ip\\\\u006dasq": true}')"""),
    (
        "no-snat-between-pods",
        'rule = {"table": "x", "chain": "y", "expr": [{"masquerade": None}]}\n'
        'command("odd", stdin=json.dumps({"nftables": [{"add": {"rule": rule}}]}))',
    ),
    ("no-snat-between-pods", 'command("odd", stdin=rules("masquerade")[:-4])'),
    ("no-pod-masqueraded", 'command("odd", stdin=rules("ip daddr != 10.22.2.0/24 masquerade"))'),
    ("no-pod-masqueraded", 'command("odd", stdin=rules("ip saddr 10.22.1.0/24 masquerade"))'),
    ("no-pod-masqueraded", 'command("odd", "iptables -t nat -A POSTROUTING -d 10.22.1.0/25 -j MASQUERADE")'),
    ("no-overlap", 'command("odd", stdin=conf("10.22.1.128/25"))'),
    ("host-keys-pinned", 'command("odd", connection=remote.ConnectionArgs(host="10.0.0.1", user="v"))'),
    (
        "host-keys-to-come",
        'command("odd", connection=remote.ConnectionArgs(host="10.0.0.1", user="v", private_key=key.stdout))',
    ),
    ("remote-commands-undone", 'command("odd", f"{NODE} route node2", delete=None)'),
    ("remote-commands-undone", 'command("odd", delete="echo")'),
    ("remote-commands-undone", 'command("odd", delete="sudo -n true")'),
    ("remote-commands-undone", 'command("odd", delete="exit 0; rm x")'),
    ("remote-commands-undone", 'command("odd", f"{NODE} route node2", f"{NODE} route-remove node3")'),
    (
        "images-pinned",
        'Pod("odd", metadata={"name": "a"}, spec={"containers": [{"name": "a", "image": "nginx:latest"}]},\n'
        '    opts=pulumi.ResourceOptions(provider=Provider("k", kubeconfig=key.stdout)))',
    ),
    ("no-secret-in-clear", 'command("odd", stdin="-----BEGIN OPENSSH PRIVATE KEY-----")'),
]
"""What a stack has that breaks a rule, and the policy that refuses it, and no other."""


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
    """What ``up`` shows: connections with their keys, tickets, the kubeconfig. Marked as secrets they are."""
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


@pytest.mark.parametrize(("policy", "odd"), BAD, ids=[f"{policy}-{number}" for number, (policy, _) in enumerate(BAD)])
def test_a_stack_that_breaks_a_rule_is_refused_by_it_alone(
    engine: Engine, request: pytest.FixtureRequest, policy: str, odd: str
) -> None:
    said = preview(engine, engine.program(f"bad-{request.node.callspec.id}", GOOD + odd), 1)
    assert refused(said) == {(policy, "odd")}, said


def test_the_chapters_own_conf_is_refused(engine: Engine) -> None:
    """The chapter's ipMasq hides pods from pods of other nodes: podnet can set it, a reviewer can refuse it."""
    text = dev_config() + "  podnet:cni: {ipMasq: true}\n"
    said = preview(engine, engine.podnet("chapter", text), 1)
    confs = {("no-snat-between-pods", f"{name}-cni-conf") for name in ("master", "node1", "node2")}
    assert confs <= refused(said)
