"""What makes another machine, and what a stack's folder is made of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from podnet import config, scripts
from podnet.addressing import parse_address, parse_network
from podnet.commands import vagrant
from podnet.model import Cluster, MachineProvider

CLUSTER = config.from_stack_file(Path(__file__).parents[3] / "Pulumi.dev.yaml")
NODE = CLUSTER.nodes[1]


@pytest.mark.parametrize(
    "other",
    [
        replace(CLUSTER, gateway=parse_address("10.100.198.254")),
        replace(CLUSTER, machine_network=parse_network("10.100.192.0/21")),
        replace(CLUSTER, provider=MachineProvider.LIBVIRT),
    ],
    ids=["gateway", "network", "provider"],
)
def test_what_a_machine_cannot_change_makes_another(other: Cluster) -> None:
    assert vagrant.made_with(other, NODE) != vagrant.made_with(CLUSTER, NODE)


def test_machines_that_were_made_without_a_word_on_the_gateway_stay() -> None:
    assert vagrant.made_with(CLUSTER, NODE) == ["lxc", vagrant.described(CLUSTER, NODE), "10.100.198.0/24"]


def test_another_vagrantfile_is_brought_to_a_stack_that_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    before = vagrant.folder(CLUSTER)
    assert vagrant.folder(CLUSTER) == before
    text = scripts.text("Vagrantfile")
    monkeypatch.setattr(scripts, "text", lambda name: f"{text}# another\n" if name == "Vagrantfile" else "")
    assert vagrant.folder(CLUSTER) != before
