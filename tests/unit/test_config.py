"""The config: what is read, what is filled in, and everything that is refused, with its words."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from podnet import config, versions
from podnet.addressing import Family, parse_address, parse_network
from podnet.config import defaults
from podnet.config.shape import ClusterShape, NodeShape
from podnet.errors import ConfigError, PodnetError
from podnet.model import Images, Login, MachineProvider, Role
from podnet.node.spec import CniOptions
from podnet.planning import plan
from tests.conftest import GOLDEN, Golden

ROOT = Path(__file__).parents[2]
BAD = sorted((GOLDEN / "config").glob("*.yaml"))
STACKS = sorted([ROOT / "Pulumi.dev.yaml", *(ROOT / "examples").glob("Pulumi.*.yaml")])


def smallest() -> dict[str, Any]:
    """Give a config with nothing that has a default, as it stands in YAML."""
    return {
        "machineNetwork": "192.168.50.0/24",
        "podSubnet": "10.22.0.0/16",
        "nodes": [
            {"name": "master", "role": "control-plane", "address": "192.168.50.200"},
            {"name": "node1", "role": "worker", "address": "192.168.50.201"},
        ],
    }


def test_every_default_is_filled_in() -> None:
    cluster = config.load("dev", smallest())
    assert cluster.name == "dev"
    assert cluster.provider is MachineProvider.LXC
    assert str(cluster.gateway) == "192.168.50.1"
    assert cluster.outside == cluster.gateway
    assert str(cluster.service_subnet) == "10.96.0.0/12"
    assert cluster.kubernetes_version == versions.KUBERNETES
    assert cluster.cni == CniOptions("mynet", "cni0", 1500, ip_masq=False, hairpin_mode=True, portmap=True)
    assert cluster.images == Images("podnet.local/nginx:1.22.1", "podnet.local/probe:1")
    assert [(node.role, node.memory, node.cpus) for node in cluster.nodes] == [
        (Role.CONTROL_PLANE, 2048, 2),
        (Role.WORKER, 2048, 2),
    ]


def test_every_written_value_is_kept() -> None:
    raw = smallest() | {
        "provider": "libvirt",
        "gateway": "192.168.50.254",
        "serviceSubnet": "10.97.0.0/16",
        "outside": "203.0.113.9",
        "cni": {
            "network": "n",
            "bridge": "b",
            "mtu": 9000,
            "ipMasq": True,
            "hairpinMode": False,
            "portmap": False,
        },
        "images": {"nginx": "localhost:5000/a/nginx@sha256:" + "0a" * 32, "probe": "probe:latest@sha256:" + "0" * 64},
    }
    raw["nodes"][1] |= {"podSubnet": "10.22.128.0/17", "memory": 1024, "cpus": 1}
    cluster = config.load("dev", raw)
    assert cluster.provider is MachineProvider.LIBVIRT
    assert [str(value) for value in (cluster.gateway, cluster.service_subnet, cluster.outside)] == [
        "192.168.50.254",
        "10.97.0.0/16",
        "203.0.113.9",
    ]
    assert cluster.cni == CniOptions("n", "b", 9000, ip_masq=True, hairpin_mode=False, portmap=False)
    assert cluster.images.nginx == raw["images"]["nginx"]
    node = cluster.workers[0]
    assert (str(node.pod_subnet), node.memory, node.cpus) == ("10.22.128.0/17", 1024, 1)


HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
ECDSA_KEY = (
    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBNmkVIRo3HrzHVKqSZl0cgTE6WZMbiLFfYGm7gOV"
    "j3y8CuhSmSpFWWw1DCUY9iSUN5sQN9UOG8nzUyhzgUVNLkY="
)


def existing() -> dict[str, Any]:
    """Give a config of existing hosts, with nothing that has a default."""
    raw = smallest() | {"provider": "ssh"}
    for node in raw["nodes"]:
        node["ssh"] = {"user": "admin", "hostKey": HOST_KEY, "agent": True}
    return raw


def test_an_existing_host_answers_at_its_own_address() -> None:
    master, node1 = config.load("dev", existing()).nodes
    assert master.ssh == Login("192.168.50.200", 22, "admin", HOST_KEY, None)
    assert node1.ssh == Login("192.168.50.201", 22, "admin", HOST_KEY, None)


def test_every_written_value_of_an_existing_host_is_kept() -> None:
    raw = existing()
    raw["nodes"][1]["ssh"] = {
        "host": "node1.example.org",
        "port": 2222,
        "user": "_deploy-1.x",
        "hostKey": f"  {ECDSA_KEY}   root@node1 ",
        "keyFile": "/etc/keys/node1",
        "bastion": {"host": "192.0.2.7", "user": "jump", "hostKey": HOST_KEY, "keyFile": "~/.ssh/jump"},
    }
    bastion = Login("192.0.2.7", 22, "jump", HOST_KEY, "~/.ssh/jump")
    cluster = config.load("dev", raw)
    assert cluster.workers[0].ssh == Login(
        "node1.example.org", 2222, "_deploy-1.x", ECDSA_KEY, "/etc/keys/node1", bastion
    )
    assert config.load("dev", config.dump(cluster)) == cluster
    assert config.restore("dev", config.dump(cluster)) == cluster


KEYS = (
    HOST_KEY,
    ECDSA_KEY,
    "ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBP/gudELtwTIZBkJJoi+A9I5Y1WZbdNmVqRc8A7Zlf"
    "sPHqCSyZ1EBvA782PJr/G5EDigTAgaoezPHeSumljIYKlD5KC/fx3z/ZCuCRp/PFJyROuZkZ6hbYB2EgYiLmNbag==",
    "ecdsa-sha2-nistp521 AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBAHwx8VRAVIXwlPZ6RocB/IFiX2GeO32Lr8mb3pQih"
    "4qKAASZMRrxV8BLlscIx6nsLduFaHpabDXlBxCP5LVtpXCIwD/DDvw3FJ+2LhDzPcPW2Q8Co/gIeBTgA36iPko0Ttd30jDbz84YFJCDYH9P4JdUxEy"
    "RGIBwO71YTkWY7N12m5bzA==",
)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.partition(" ")[0])
def test_a_host_key_is_one_of_its_type(key: str) -> None:
    raw = existing()
    raw["nodes"][1]["ssh"]["hostKey"] = key
    node = config.load("dev", raw).workers[0]
    assert node.ssh is not None
    assert node.ssh.host_key == key
    kind, data = key.split()
    for wrong in (f"{kind} {data[4:]}", f"{kind} {data[:-8]}", f"{kind} {data}AAAA", kind, data, f"ssh-dss {data}"):
        raw["nodes"][1]["ssh"]["hostKey"] = wrong
        with pytest.raises(ConfigError, match="is not a public host key"):
            config.load("dev", raw)


def test_the_same_name_behind_another_bastion_is_another_host() -> None:
    raw = existing()
    for number, node in enumerate(raw["nodes"]):
        bastion = {"host": f"jump{number}", "user": "jump", "hostKey": HOST_KEY, "agent": True}
        node["ssh"] |= {"host": "inside", "bastion": bastion}
    assert {node.ssh.host for node in config.load("dev", raw).nodes if node.ssh} == {"inside"}


def test_pulumi_hands_structured_values_over_as_json() -> None:
    raw = smallest() | {"cni": {"mtu": 1450}, "images": {"probe": "probe:2"}}
    as_json = {key: value if isinstance(value, str) else json.dumps(value) for key, value in raw.items()}
    assert config.load("dev", as_json) == config.load("dev", raw)


def test_a_pod_subnet_follows_from_the_nodes_own_address() -> None:
    raw = smallest()
    raw["nodes"] = [
        {"name": "node9", "role": "worker", "address": "192.168.50.209"},
        {"name": "node0", "role": "worker", "address": "192.168.50.199"},
        *raw["nodes"],
    ]
    assert {node.name: str(node.pod_subnet) for node in config.load("dev", raw).nodes} == {
        "node9": "10.22.10.0/24",
        "node0": "10.22.0.0/24",
        "master": "10.22.1.0/24",
        "node1": "10.22.2.0/24",
    }


def test_the_length_of_a_pod_subnet_follows_from_the_family() -> None:
    head, node = (
        NodeShape.model_construct(role=role, address=parse_address(address, Family.IPV6))
        for role, address in ((Role.CONTROL_PLANE, "fd00:100::200"), (Role.WORKER, "fd00:100::207"))
    )
    pods = parse_network("fd00:22::/56", Family.IPV6)
    cluster = ClusterShape.model_construct(pod_subnet=pods, nodes=[node, head])
    assert str(defaults.pod_subnet(cluster, head)) == "fd00:22:0:1::/64"
    assert str(defaults.pod_subnet(cluster, node)) == "fd00:22:0:8::/64"


def test_what_stands_is_read_back_without_rules() -> None:
    """Another podnet, with other rules and other keys, may have made it."""
    dumped: dict[str, Any] = config.dump(config.load("dev", smallest()))
    dumped |= {"kubernetesVersion": "1.10.1", "machineNetwork": "192.168.50.0/30", "later": {"a": 1}}
    dumped["cni"]["mtu6"] = 1480
    dumped["images"]["nginx"] = "nginx:latest"
    dumped["nodes"][1] |= {"name": "Node_1", "memory": 1, "zone": "b"}
    del dumped["cni"]["mtu"], dumped["nodes"][0]["cpus"]
    cluster = config.restore("dev", dumped)
    assert (cluster.kubernetes_version, str(cluster.machine_network)) == ("1.10.1", "192.168.50.0/30")
    assert cluster.images.nginx == "nginx:latest"
    assert (cluster.cni.mtu, cluster.control_plane.cpus) == (1500, 2)
    assert (cluster.workers[0].name, cluster.workers[0].memory) == ("Node_1", 1)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("podSubnet",), "fd00:22::/56", "podnet:podSubnet: 'fd00:22::/56' is IPv6"),
        (("nodes",), {}, "podnet:nodes: a mapping; expected a list"),
        (("nodes", 1, "role"), "witness", "podnet:nodes[1].role: 'witness' is not a role"),
        (("nodes", 0), "master", "podnet:nodes[0]: 'master' is text"),
        (("cni", "mtu"), "1500", "podnet:cni.mtu: '1500' is text"),
        (("nodes", 1, "podSubnet"), None, "10.22.0.0/24 has too few subnets"),
    ],
)
def test_what_stands_and_cannot_be_read_is_named(path: tuple[Any, ...], value: object, said: str) -> None:
    dumped: dict[str, Any] = config.dump(config.load("dev", smallest())) | {"podSubnet": "10.22.0.0/24"}
    target: Any = dumped
    for part in path[:-1]:
        target = target[part]
    target[path[-1]] = value
    with pytest.raises(PodnetError, match=re.escape(said)) as caught:
        config.restore("dev", dumped)
    assert str(caught.value).startswith("the cluster dev was described by a podnet that this one does not know: ")


def test_only_a_whole_value_may_be_json() -> None:
    raw = existing()
    raw["nodes"][0]["ssh"] = json.dumps(raw["nodes"][0]["ssh"])
    with pytest.raises(ConfigError, match="expected a mapping of keys to values"):
        config.load("dev", raw)


@pytest.mark.parametrize("path", STACKS, ids=lambda path: path.name)
def test_the_stacks_that_are_shipped_load(path: Path) -> None:
    cluster = config.from_stack_file(path)
    assert path.name == f"Pulumi.{cluster.name}.yaml"
    assert len(plan(cluster).routes) == len(cluster.nodes) * (len(cluster.nodes) - 1)


def test_the_dev_stack_is_the_chapters_cluster() -> None:
    cluster = config.from_stack_file(ROOT / "Pulumi.dev.yaml")
    assert [(node.name, str(node.address), str(node.pod_subnet)) for node in cluster.nodes] == [
        ("master", "10.100.198.200", "10.22.1.0/24"),
        ("node1", "10.100.198.201", "10.22.2.0/24"),
        ("node2", "10.100.198.202", "10.22.3.0/24"),
    ]


def test_json_that_nests_without_end_is_refused() -> None:
    with pytest.raises(ConfigError, match="expected a list"):
        config.load("dev", smallest() | {"nodes": "[" * 100_000})


def test_a_number_too_long_to_write_out_is_refused() -> None:
    raw = smallest() | {"cni": {"mtu": 10**5000}}
    raw["nodes"][1] |= {"memory": -(10**5000), "name": 10**5000}
    with pytest.raises(ConfigError) as caught:
        config.load("dev", raw)
    assert [(problem.where, problem.found) for problem in caught.value.problems] == [
        ("podnet:cni.mtu", "a huge number bytes cannot be the MTU"),
        ("podnet:nodes[1].memory", "a huge number MiB is not enough for a worker node"),
        ("podnet:nodes[1].name", "a huge number is a whole number"),
    ]


def test_the_stacks_that_are_shipped_run_side_by_side() -> None:
    clusters = [config.from_stack_file(path) for path in STACKS]
    networks = [network for cluster in clusters for network in (cluster.machine_network, cluster.pod_subnet)]
    assert len(clusters) == 4
    assert not [
        (str(one), str(other))
        for index, one in enumerate(networks)
        for other in networks[index + 1 :]
        if one.first <= other.last and other.first <= one.last
    ]


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_what_is_refused_and_how(path: Path, tmp_path: Path, golden: Golden) -> None:
    """Each file of golden/config is a stack's file with something wrong; its words stand beside it."""
    text = path.read_text()
    named = re.match(r"# stack: (.*)\n", text)
    file = tmp_path / f"Pulumi.{named[1] if named else 'dev'}.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        config.from_stack_file(file)
    assert caught.value.problems
    golden(f"config/{path.stem}.txt", f"{caught.value}\n")


def test_there_are_bad_configs_to_refuse() -> None:
    assert len(BAD) >= 40


def test_no_jargon_reaches_the_user() -> None:
    for path in BAD:
        text = path.with_suffix(".txt").read_text()
        for jargon in ("pydantic", "http", "Traceback", "Input should", "NoneType", "dict", "netaddr", "type="):
            assert jargon not in text, path.stem


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("dev.yaml", b"config: {}", "not the name of a stack's file"),
        ("Pulumi.yaml", b"config: {}", "not the name of a stack's file"),
        ("Pulumi..yaml", b"config: {}", "not the name of a stack's file"),
        ("Pulumi.dev.yaml", None, "cannot be read (No such file or directory)"),
        ("Pulumi.dev.yaml", b"\xff\xfe\xfd", "it is not UTF-8"),
        ("Pulumi.dev.yaml", b"", "no mapping called config"),
        ("Pulumi.dev.yaml", b"\x00", "is not YAML"),
        ("Pulumi.dev.yaml", b"a: 2026-99-99", "cannot be read"),
        ("Pulumi.dev.yaml", b"config: {podnet:gateway: " + b"9" * 5000 + b"}", "cannot be read"),
        ("Pulumi.dev.yaml", b"[" * 1500, "cannot be read"),
        ("Pulumi.dev.yaml", b"config: !!python/name:os.system x", "line 1 is not YAML"),
        ("Pulumi.dev.yaml", b"config:\n  ? [1]\n  : 2", "line 2 is not YAML"),
        ("Pulumi.dev.yaml", b"config: {1: 2}", "the key 1 has no namespace"),
        ("Pulumi.dev.yaml", b"config: {podnet:nodes: &x [*x]}", "podnet:nodes[0]: a list"),
    ],
)
def test_a_file_that_is_no_stacks_file(tmp_path: Path, name: str, content: bytes | None, found: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=re.escape(found)):
        config.from_stack_file(path)


def test_other_namespaces_are_not_podnets(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.dev.yaml"
    values = {f"podnet:{key}": value for key, value in smallest().items()}
    other = {"kubernetes:kubeconfig": {"secure": "AAABAKx0"}}
    path.write_text(json.dumps({"encryptionsalt": "v1:x", "config": values | other}))
    assert config.from_stack_file(path) == config.load("dev", smallest())
