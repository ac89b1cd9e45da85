"""Golden files of everything that is generated for a machine or a node, and of every command line."""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path

import pytest

from podnet import config
from podnet.commands import bundle, kubeadm, network, shell, ssh, vagrant, verification
from podnet.node import masquerade
from podnet.planning import plan
from tests.conftest import Golden

CLUSTER = config.from_stack_file(Path(__file__).parents[3] / "Pulumi.dev.yaml")
PLAN = plan(CLUSTER)
NODE1 = PLAN.of("node1")


def test_kubeadm_init(golden: Golden) -> None:
    golden("kubeadm/init.yaml", kubeadm.init_config(CLUSTER))


def test_kubeadm_join(golden: Golden) -> None:
    token = kubeadm.BootstrapToken("10.100.198.200:6443", "aaaaaa.bbbbbbbbbbbbbbbb", "sha256:cc")
    golden("kubeadm/join.yaml", kubeadm.join_config(NODE1.node, token))


def test_machines(golden: Golden) -> None:
    golden("vagrant/machines.json", vagrant.machines(CLUSTER))


def test_masquerade(golden: Golden) -> None:
    golden("network/masquerade.json", masquerade.document(NODE1.spec.masquerade))
    golden("network/masquerade.nft", masquerade.rules(NODE1.spec.masquerade))


def test_routes(golden: Golden) -> None:
    golden("network/routes.txt", "".join(f"{route}\n" for route in PLAN.routes))


@pytest.mark.parametrize(("stack", "bridge"), [("dev", "podnet-dev"), ("a-long-name-for-a-stack", "podnet-b9add51b")])
def test_bridge_name_fits_an_interface(stack: str, bridge: str) -> None:
    name = vagrant.bridge_name(config.load(stack, config.dump(CLUSTER)))
    assert len(name) <= 15
    assert name == bridge


def test_command_lines(golden: Golden) -> None:
    commands: dict[str, shell.Command] = {
        "network": vagrant.bridge(CLUSTER),
        "ssh-key": ssh.ssh_key(CLUSTER),
        "vagrant-folder": vagrant.folder(CLUSTER),
        "node1-vm": vagrant.machine(CLUSTER, NODE1.node),
        "node1-bundle": bundle.bundle(CLUSTER, NODE1.node),
        "ssh-config": ssh.ssh_config(CLUSTER),
        "kubeconfig": kubeadm.kubeconfig(CLUSTER),
        "node1-cni-conf": network.conf(NODE1.spec),
        "node1-route-to-master": network.routes(NODE1.peers[0], NODE1.routes_to("master")),
        "node1-masquerade": network.masquerade(NODE1.spec.masquerade),
        "kubeadm-init": kubeadm.init(CLUSTER),
        "node1-bootstrap-token": kubeadm.bootstrap_token(NODE1.node),
        "node1-join": kubeadm.join(),
        "node1-registered": kubeadm.register(NODE1.node),
        "admin-conf": kubeadm.admin_conf(),
        "verify": verification.verify(CLUSTER),
    }
    lines = [f"{name}\n  create: {each.create}\n  delete: {each.delete}\n" for name, each in commands.items()]
    golden("commands.txt", "\n".join(lines))


def test_dump_is_the_way_back() -> None:
    assert config.load("dev", config.dump(CLUSTER)) == CLUSTER
    assert astuple(CLUSTER.cni)


@pytest.mark.parametrize("hostile", ["a'b", "$(touch /x)", "a b", "`id`", 'a"b', "a\nb", "-rf"])
def test_arguments_are_quoted(hostile: str) -> None:
    import shlex  # noqa: PLC0415

    assert shlex.split(shell.on_node("route", hostile))[-1] == hostile
