"""The names that podnet derives from a stack's and its nodes' names: each means one thing, and whoever takes it can."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from podnet import config
from podnet.commands.vagrant import container_name
from podnet.errors import ConfigError
from podnet.model import Cluster
from tests.conftest import GOLDEN

KNOWN = ("master", "node1", "node2")
"""The nodes of the stacks whose resources the golden files list, as the engine names them."""

WORDS = ("a", "b", "c", "route", "to", "join", "ticket", "vm", "masquerade", "registered", "network", "ssh", "key")
NAME = st.lists(st.sampled_from(WORDS), min_size=1, max_size=7).map("-".join)


def patterns() -> set[tuple[str, ...]]:
    """Every name of a resource, but for a node's own component, split at the nodes that it names."""
    lines = [line for file in ("edges.txt", "edges-existing.txt") for line in (GOLDEN / file).read_text().splitlines()]
    found = set()
    for line in lines:
        name = line.partition(": ")[0]
        for node in KNOWN:
            name = name.replace(node, "\n")
        found.add(tuple(name.split("\n")))
    return found - {("", "")}


def derived(nodes: Sequence[str]) -> Iterator[str]:
    """The name of every resource of a stack with these nodes, were each a machine and each a host."""
    for pattern in patterns():
        match pattern:
            case (name,):
                yield name
            case ("", suffix):
                yield from (f"{node}{suffix}" for node in nodes)
            case ("", between, ""):
                yield from (f"{node}{between}{peer}" for node in nodes for peer in nodes if node != peer)
            case _:
                raise AssertionError(pattern)


def load(stack: str, names: Sequence[str]) -> Cluster:
    nodes = [
        {"name": name, "role": "worker" if index else "control-plane", "address": f"192.168.77.{100 + index}"}
        for index, name in enumerate(names)
    ]
    return config.load(stack, {"machineNetwork": "192.168.77.0/24", "podSubnet": "10.22.0.0/16", "nodes": nodes})


def test_the_golden_files_name_resources_of_every_kind() -> None:
    assert ("", "-route-to-", "") in patterns()
    assert ("", "-vm") in patterns()
    assert ("", "-claim") in patterns()
    assert ("verify",) in patterns()
    assert sorted(derived(["a", "b"])).count("a-route-to-b") == 1


@given(st.lists(NAME, min_size=2, max_size=6, unique=True))
@example(["a", "c", "a-route-to-b", "b-route-to-c"])
@example(["a", "b-masquerade", "a-route-to-b"])
def test_no_two_resources_have_one_name(names: list[str]) -> None:
    try:
        load("dev", names)
    except ConfigError:
        assume(False)
    every = list(derived(names))
    assert len(set(every)) == len(every)


@given(st.integers(1, 30), st.integers(1, 40))
def test_lxc_takes_the_name_of_every_container(stack: int, node: int) -> None:
    """The container's name is its host name, and a longer one ends ``up`` in the middle."""
    try:
        cluster = load("s" * stack, ["n" * node, "other"])
    except ConfigError:
        assert len(f"podnet-{'s' * stack}-{'n' * node}") > 64
    else:
        assert all(len(container_name(cluster, each)) <= 64 for each in cluster.nodes)


@given(st.from_regex(r"(0x)?[0-9a-f]{1,12}", fullmatch=True))
def test_a_nodes_name_reads_as_no_address(name: str) -> None:
    try:
        load("dev", [name, "other"])
    except ConfigError:
        return
    with pytest.raises(OSError, match="illegal"):
        socket.inet_aton(name)
