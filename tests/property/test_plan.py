"""What holds for every cluster, and for every config, that anybody could write."""

from __future__ import annotations

import copy
import json
import shlex
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from podnet import addressing, config
from podnet.commands import ssh
from podnet.config import dump
from podnet.errors import ConfigError
from podnet.model import Cluster
from podnet.node import cni
from podnet.planning import NodePlan, plan

STEM = st.from_regex(r"[a-z][a-z0-9-]{0,37}", fullmatch=True)


@st.composite
def configs(draw: st.DrawFn) -> dict[str, Any]:
    """Give a config that is right, of 2 to 40 nodes."""
    count = draw(st.integers(2, 40))
    stem = draw(STEM)
    # The control plane's subnet is number 1, so a worker may stand one address below it, but not two.
    head = draw(st.integers(2, 150))
    offsets = draw(
        st.lists(
            st.integers(-1, 100).filter(lambda offset: offset not in (0, 1 - head)),
            min_size=count - 1,
            max_size=count - 1,
            unique=True,
        )
    )
    nodes = [
        {
            "name": f"{stem}{index}",
            "role": "control-plane" if offset == 0 else "worker",
            "address": f"192.168.77.{head + offset}",
            "memory": draw(st.integers(1700, 8192)),
            "cpus": draw(st.integers(2, 8)),
        }
        for index, offset in enumerate([0, *offsets])
    ]
    if draw(st.booleans()):
        # Written subnets lie in the upper half of the range, derived ones in the lower.
        for index, node in enumerate(nodes):
            node["podSubnet"] = f"10.22.{128 + index}.0/{draw(st.integers(24, 28))}"
    return {
        "machineNetwork": "192.168.77.0/24",
        "podSubnet": "10.22.0.0/16",
        "nodes": draw(st.permutations(nodes)),
        "cni": {"mtu": draw(st.integers(576, 9000)), "portmap": draw(st.booleans())},
    }


@given(configs())
def test_every_node_has_a_route_to_every_other(raw: dict[str, Any]) -> None:
    cluster = config.load("dev", raw)
    routes = plan(cluster).routes
    nodes = {node.name: node for node in cluster.nodes}
    assert len(routes) == len(nodes) * (len(nodes) - 1)
    assert len({(route.node, route.peer) for route in routes}) == len(routes)
    for route in routes:
        assert route.node != route.peer
        assert route.destination == str(nodes[route.peer].pod_subnet)
        assert route.gateway == str(nodes[route.peer].address)
        assert addressing.usable(cluster.machine_network, nodes[route.peer].address)
        assert not addressing.overlap(nodes[route.peer].pod_subnet, nodes[route.node].pod_subnet)


@given(configs())
def test_no_two_nodes_share_a_pod_address(raw: dict[str, Any]) -> None:
    cluster = config.load("dev", raw)
    ordered = sorted(cluster.nodes, key=lambda node: int(node.pod_subnet.first))
    for before, after in pairwise(ordered):
        assert before.pod_subnet.last < after.pod_subnet.first
    for each in plan(cluster).nodes:
        assert addressing.within(each.node.pod_subnet, cluster.pod_subnet)
        bridge = addressing.parse_address(each.spec.bridge_addresses[0].partition("/")[0])
        assert addressing.usable(each.node.pod_subnet, bridge)


def kept(plans: tuple[NodePlan, ...], without: str) -> list[tuple[Any, ...]]:
    """Give what every node but one has, without that one among its peers and the routes to it."""
    return [
        (
            each.node,
            each.spec.pod_subnets,
            each.spec.masquerade,
            {name: addresses for name, addresses in each.spec.peers.items() if name != without},
            [route for route in each.routes if route.peer != without],
        )
        for each in plans
        if each.node.name != without
    ]


@given(configs(), st.data())
def test_a_node_that_comes_or_goes_changes_nothing_of_the_others(raw: dict[str, Any], data: st.DataObject) -> None:
    workers = [node for node in raw["nodes"] if node["role"] == "worker"]
    gone = data.draw(st.sampled_from(workers))
    # One worker must stay; a node that is appended instead of left out is the same comparison, read backwards.
    spare = {"name": "z" * 40, "role": "worker", "address": "192.168.77.253", "podSubnet": "10.22.255.0/24"}
    full = raw | {"nodes": [*raw["nodes"], spare]}
    fewer = full | {"nodes": [node for node in full["nodes"] if node is not gone]}
    with_all, with_fewer = (plan(config.load("dev", each)).nodes for each in (full, fewer))
    assert kept(with_all, gone["name"]) == kept(with_fewer, gone["name"])
    appended = plan(config.load("dev", raw)).nodes
    assert kept(with_all, spare["name"]) == kept(appended, spare["name"])


@given(configs(), st.randoms(use_true_random=False))
def test_the_order_of_the_nodes_changes_no_node(raw: dict[str, Any], random: Any) -> None:
    shuffled = copy.deepcopy(raw)
    random.shuffle(shuffled["nodes"])
    one, other = (config.load("dev", each) for each in (raw, shuffled))
    assert sorted(one.nodes, key=lambda node: node.name) == sorted(other.nodes, key=lambda node: node.name)


@given(configs())
def test_round_trip(raw: dict[str, Any]) -> None:
    cluster = config.load("dev", raw)
    written = dump(cluster)
    assert config.load("dev", written) == cluster
    as_pulumi = {key: value if isinstance(value, str) else json.dumps(value) for key, value in written.items()}
    assert config.load("dev", as_pulumi) == cluster


@given(configs())
def test_every_conf_is_json_that_says_its_subnet(raw: dict[str, Any]) -> None:
    cluster = config.load("dev", raw)
    for each in plan(cluster).nodes:
        document = json.loads(cni.conf(cluster.cni, each.spec.pod_subnets))
        bridge = document["plugins"][0] if cluster.cni.portmap else document
        assert bridge["ipam"]["subnet"] == str(each.node.pod_subnet)


def right() -> dict[str, Any]:
    """Give a config that is right, with every value written."""
    raw = {
        "machineNetwork": "192.168.77.0/24",
        "podSubnet": "10.22.0.0/16",
        "nodes": [
            {"name": "a", "role": "control-plane", "address": "192.168.77.10"},
            {"name": "b", "role": "worker", "address": "192.168.77.11"},
        ],
    }
    return dump(config.load("dev", raw))


def paths(value: object, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List the path of every value in a config, the whole ones and their parts."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [*([here] if here else []), *(path for key, part in parts for path in paths(part, (*here, key)))]


def put(raw: dict[str, Any], path: tuple[Any, ...], value: object) -> dict[str, Any]:
    """Give a copy of a config with one value replaced."""
    changed: Any = copy.deepcopy(raw)
    target = changed
    for part in path[:-1]:
        target = target[part]
    target[path[-1]] = value
    return dict(changed)


# Anything that YAML or JSON can say, and a few things that only YAML can. Surrogates too: JSON's \ud800 is one.
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()))
    | st.binary()
    | st.dates()
)
HOSTILE = st.recursive(
    SCALARS,
    lambda part: st.lists(part, max_size=4) | st.dictionaries(st.text() | st.integers(), part, max_size=4),
    max_leaves=8,
)
SHELL = st.sampled_from(
    [
        *(
            "$(reboot)",
            "`id`",
            "; rm -rf /",
            "a\nb",
            "node1\n",
            "'",
            '"',
            "../../etc",
            "-n",
            "a b",
            "\x00",
            "%s",
            "{x}",
        ),
        *("*", "10.22.0.0/16 ", "10.22.0.0/16\n", "0.0.0.0/0", "\u202e", "\u00e9", "x" * 10_000, "9" * 5_000),
    ]
)


@given(st.sampled_from(paths(right())), HOSTILE)
def test_any_value_anywhere_is_read_or_refused(path: tuple[Any, ...], value: object) -> None:
    try:
        cluster = config.load("dev", put(right(), path, value))
    except ConfigError as error:
        assert error.problems
        assert str(error).isprintable() or "\n" in str(error)
        assert all(line.isprintable() for line in str(error).splitlines())
    else:
        assert isinstance(cluster, Cluster)
        assert config.load("dev", dump(cluster)) == config.restore("dev", dump(cluster)) == cluster


TEXT_PATHS = [path for path in paths(right()) if isinstance(path[-1], str)]


@pytest.mark.parametrize("path", TEXT_PATHS, ids=lambda path: ".".join(map(str, path)))
@given(value=SHELL)
def test_hostile_text_is_refused_in_every_field(path: tuple[Any, ...], value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.load("dev", put(right(), path, value))
    assert all(line.isprintable() for line in str(caught.value).splitlines())


@given(st.text() | SHELL)
def test_any_stack_name_is_read_or_refused(stack: str) -> None:
    try:
        assert config.load(stack, right()).name == stack
    except ConfigError as error:
        assert error.problems[0].where == "stack"


@given(st.dictionaries(st.text() | st.sampled_from(sorted(right())), HOSTILE, max_size=6))
def test_any_config_at_all_is_read_or_refused(raw: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        config.load("dev", raw)


@given(st.sets(st.sampled_from(paths(right())).filter(lambda path: len(path) > 1), min_size=2, max_size=6))
def test_every_problem_is_reported_at_once(chosen: set[tuple[Any, ...]]) -> None:
    """Each spoilt value gets a problem of its own, or lies within another that is spoilt."""
    raw = right()
    outer = {path for path in chosen if not any(path != other and path[: len(other)] == other for other in chosen)}
    for path in outer:
        raw = put(raw, path, -1.5)
    with pytest.raises(ConfigError) as caught:
        config.load("dev", raw)
    reported = {problem.where for problem in caught.value.problems}
    expected = {
        "podnet:" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)[1:] for path in outer
    }
    assert reported >= expected


HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
HOSTILE = st.one_of(
    st.text(max_size=40),
    # Nearly right: what is accepted counts too.
    st.from_regex(r"[a-z/~-][a-z0-9./_@+ \n-]{0,8}", fullmatch=True),
    st.text("ab0~/.-_@+ =#%$`'\"\n\\", min_size=1, max_size=6),
    st.sampled_from(["-oProxyCommand=id", "a\nProxyCommand id", "$(id)", "/k\n/l", "~/a b", f"{HOST_KEY} a b"]),
)


@settings(max_examples=300)
@given(configs(), HOSTILE, st.sampled_from(["host", "user", "hostKey", "keyFile"]), st.booleans())
def test_no_value_of_a_login_becomes_another_setting(raw: dict[str, Any], text: str, key: str, bastion: bool) -> None:
    """It is refused, or it stands in the ssh_config as one word of one line, and as one word of a command."""
    for node in raw["nodes"]:
        del node["memory"], node["cpus"]
        node["ssh"] = {"user": "admin", "hostKey": HOST_KEY, "keyFile": "~/.ssh/id_ed25519"}
    login = raw["nodes"][0]["ssh"]
    if bastion:
        login["bastion"] = {"host": "jump", "user": "admin", "hostKey": HOST_KEY, "keyFile": "/k"}
    good = config.load("dev", raw | {"provider": "ssh"})
    (login["bastion"] if bastion else login)[key] = text
    try:
        cluster = config.load("dev", raw | {"provider": "ssh"})
    except ConfigError:
        return
    event("accepted")
    assert config.load("dev", dump(cluster)) == cluster
    assert config.restore("dev", dump(cluster)) == cluster
    lines = [[line.split() for line in ssh.config(each).splitlines()] for each in (cluster, good)]
    assert [line[:1] for line in lines[0]] == [line[:1] for line in lines[1]]
    assert all(len(line) in (0, 2) for line in lines[0])
    shown = next(node.ssh for node in cluster.nodes if node.name == raw["nodes"][0]["name"])
    shown = shown.bastion if shown and bastion else shown
    assert shown is not None
    assert shlex.split(ssh.login_key(shown).create)[-2:] == ["login-key", shown.key_file]
