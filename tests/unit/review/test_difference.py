"""What differs between two plans, in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from podnet import config
from podnet.planning import ClusterPlan, plan
from podnet.review import words
from podnet.review.difference import difference
from tests.conftest import dev_config

NODE3 = "    - {name: node3, role: worker, address: 10.100.198.203, podSubnet: 10.22.4.0/24, memory: 2048, cpus: 2}\n"


@pytest.fixture
def planned(tmp_path: Path) -> Planned:
    return Planned(tmp_path)


class Planned:
    """Plans of the chapter's cluster with something replaced in its text."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *replacements: tuple[str, str], more: str = "") -> ClusterPlan:
        text = dev_config() + more
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        (self.folder / "Pulumi.dev.yaml").write_text(text)
        return plan(config.from_stack_file(self.folder / "Pulumi.dev.yaml"))


def test_nothing(planned: Planned) -> None:
    found = difference(planned(), planned())
    assert found.empty
    assert words.nodes(found) == words.settings(found) == words.routes(found) == []


def test_a_node_is_added(planned: Planned) -> None:
    found = difference(planned(), planned(more=NODE3))
    assert words.nodes(found) == ["`node3` is added: worker, address `10.100.198.203`, pods in `10.22.4.0/24`"]
    assert words.settings(found) == []
    assert words.routes(found) == [
        "`master`, `node1` and `node2`: each gains `10.22.4.0/24` via `10.100.198.203` (`node3`)",
        "`node3` is new, and gets 3 routes: `10.22.1.0/24` via `10.100.198.200` (`master`); "
        "`10.22.2.0/24` via `10.100.198.201` (`node1`); `10.22.3.0/24` via `10.100.198.202` (`node2`)",
    ]


def test_a_node_is_removed(planned: Planned) -> None:
    found = difference(planned(more=NODE3), planned())
    assert words.nodes(found) == ["`node3` is removed: worker, address `10.100.198.203`, pods in `10.22.4.0/24`"]
    assert words.routes(found) == [
        "`master`, `node1` and `node2`: each loses `10.22.4.0/24` via `10.100.198.203` (`node3`)",
        "`node3` goes away, and its 3 routes with it",
    ]


def test_a_node_in_the_middle_is_removed_and_nothing_is_renumbered(planned: Planned) -> None:
    line = next(line for line in dev_config().splitlines(keepends=True) if "name: node1" in line)
    found = difference(planned(more=NODE3), planned((line, ""), more=NODE3))
    assert [node.name for node in found.removed] == ["node1"]
    assert (found.changed, found.added) == ((), ())


def test_an_address_changes(planned: Planned) -> None:
    found = difference(planned(), planned(("10.100.198.202", "10.100.198.212")))
    assert words.nodes(found) == ["`node2`: `address` `10.100.198.202` → `10.100.198.212`"]
    assert words.routes(found) == [
        "`master` and `node1`: each reaches `10.22.3.0/24` (`node2`) via `10.100.198.212` instead of `10.100.198.202`"
    ]


def test_a_pod_subnet_changes(planned: Planned) -> None:
    found = difference(planned(), planned(("10.22.3.0/24", "10.22.9.0/24")))
    assert words.nodes(found) == ["`node2`: `podSubnet` `10.22.3.0/24` → `10.22.9.0/24`"]
    assert words.routes(found) == [
        "`master` and `node1`: each loses `10.22.3.0/24` via `10.100.198.202` (`node2`); "
        "gains `10.22.9.0/24` via `10.100.198.202` (`node2`)"
    ]


def test_two_nodes_swap_their_pod_subnets(planned: Planned) -> None:
    """The destination stays, and leads to another node."""
    swap = [("10.22.2.0/24", "X"), ("10.22.3.0/24", "10.22.2.0/24"), ("X", "10.22.3.0/24")]
    found = difference(planned(), planned(*swap))
    assert words.routes(found)[0] == (
        "`master` reaches `10.22.2.0/24` (`node2`) via `10.100.198.202` instead of `10.100.198.201`; "
        "reaches `10.22.3.0/24` (`node1`) via `10.100.198.201` instead of `10.100.198.202`"
    )


def test_settings(planned: Planned) -> None:
    found = difference(planned(), planned(more="  podnet:cni: {mtu: 1400, ipMasq: true, bridge: br0}\n"))
    assert words.settings(found) == [
        "`cni.bridge` `cni0` → `br0`",
        "`cni.mtu` `1500` → `1400`",
        "`cni.ipMasq` `false` → `true`",
    ]
    assert (found.routes, found.changed) == ((), ())


def test_a_new_stack(planned: Planned) -> None:
    found = difference(None, planned())
    assert [node.name for node in found.added] == ["master", "node1", "node2"]
    assert found.settings == ()
    assert all(line.split("`")[2].startswith(" is new, and gets 2 routes: ") for line in words.routes(found))


def test_a_long_table_is_cut(planned: Planned) -> None:
    more = "".join(
        f"    - {{name: more{n}, role: worker, address: 10.100.198.{n}, podSubnet: 10.22.{n}.0/24}}\n"
        for n in range(10, 30)
    )
    line = words.routes(difference(planned(), planned(more=more)))[0]
    assert line.endswith("; and 8 more")
    assert line.count("gains") == 12
