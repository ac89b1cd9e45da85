"""Day two: the network is changed while it is used, and only what has to change does."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest

from podnet import versions
from tests.e2e.conftest import CONFIG, STACK, Clone

from .conftest import kill_session, timed

pytestmark = [pytest.mark.boxes, pytest.mark.faults]

NODES: list[dict[str, Any]] = CONFIG["podnet:nodes"]
NODE3 = {"name": "node3", "role": "worker", "address": "10.100.197.203", "memory": 1536}
"""Its pod subnet follows from its address: 10.24.4.0/24."""

SERVER = """
import socket
server = socket.create_server(("", 9000))
connection = server.accept()[0]
count = 0
while part := connection.recv(1 << 16):
    count += len(part)
print("arrived", count, flush=True)
"""
CLIENT = """
import os, socket, sys, time
connection = socket.create_connection((sys.argv[1], 9000))
count = 0
while not os.path.exists("/tmp/enough"):
    connection.sendall(b"x" * 10_000)
    count += 10_000
    time.sleep(0.02)
connection.close()
print("sent", count, flush=True)
"""


def boots(clone: Clone) -> dict[str, str]:
    """Tell one run of a machine from the next: when its init started."""
    return {node["name"]: clone.on(node["name"], "stat -c %Y /proc/1").stdout for node in NODES}


def run_pod(clone: Clone, name: str, node: str, program: str, *arguments: str) -> None:
    container = {
        "name": "python",
        "image": f"podnet.local/probe:{versions.PROBE}",
        "command": ["python3", "-c", program, *arguments],
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"nodeName": node, "restartPolicy": "Never", "containers": [container]},
    }
    (clone.folder / f"{name}.json").write_text(json.dumps(pod))
    clone.sh(f"kubectl apply -f {name}.json && kubectl wait --for=condition=Ready pod/{name} --timeout=60s")


def steps(clone: Clone) -> dict[str, str]:
    """What a preview would do, by the resource's name; what stays the same is left out, and components."""
    done = clone.sh(f"pulumi preview --json --stack {STACK}")
    found = [step for step in json.loads(done.stdout)["steps"] if step["op"] not in {"same", "read"}]
    kept = [step for step in found if (step.get("newState") or step["oldState"]).get("custom")]
    return {step["urn"].rpartition("::")[2]: step["op"] for step in kept}


@pytest.mark.short
def test_a_node_comes_while_a_transfer_goes_on(clone: Clone, figures: dict[str, float]) -> None:
    clone.run("make up")
    before = boots(clone)
    run_pod(clone, "transfer-server", "node2", SERVER)
    address = clone.kubectl("get pod transfer-server")["status"]["podIP"]
    run_pod(clone, "transfer-client", "node1", CLIENT, address)

    clone.configure(nodes=[*NODES, NODE3])
    others = {name: op for name, op in steps(clone).items() if "node3" not in name}
    # One new route each; the rest of the others is as it was, and what they are proved by is made again.
    states = {f"{node['name']}-state" for node in NODES}
    assert set(others) <= states | {"vagrant-folder", "ssh-config", "verify", f"podnet-{STACK}"}
    assert "replace" not in set(others.values()) - {others.get("verify")}
    with timed(figures, "a node added"):
        assert clone.passed(clone.run("make up").stdout)

    assert boots(clone) == before
    for node in NODES:
        routes = clone.on(node["name"], "ip -4 route show proto 201").stdout
        assert "10.24.4.0/24 via 10.100.197.203" in routes
    clone.sh("kubectl exec transfer-client -- touch /tmp/enough")
    ended = "kubectl wait --for=jsonpath='{.status.phase}'=Succeeded --timeout=60s"
    clone.sh(f"{ended} pod/transfer-client pod/transfer-server")
    sent = int(clone.sh("kubectl logs transfer-client").stdout.split()[1])
    arrived = int(clone.sh("kubectl logs transfer-server").stdout.split()[1])
    assert sent == arrived > 1_000_000
    clone.sh("kubectl delete pod transfer-client transfer-server")


def test_a_node_in_the_middle_goes(clone: Clone, figures: dict[str, float]) -> None:
    """Nothing is renumbered: the nodes after it keep subnet, address and machine."""
    before = boots(clone)
    left = [NODES[0], NODES[2], NODE3]
    clone.configure(nodes=left)
    with timed(figures, "a node removed"):
        assert clone.passed(clone.run("make up").stdout)
    nodes = {item["metadata"]["name"]: item["spec"]["podCIDR"] for item in clone.kubectl("get nodes")["items"]}
    assert nodes == {"master": "10.24.1.0/24", "node2": "10.24.3.0/24", "node3": "10.24.4.0/24"}
    assert f"podnet-{STACK}-node1" not in clone.run("lxc-ls -1").stdout.split()
    for name in ("master", "node2"):
        assert clone.on(name, "stat -c %Y /proc/1").stdout == before[name]
        assert "10.24.2.0/24" not in clone.on(name, "ip route; cat /etc/podnet/routes.d/*; nft list ruleset").stdout


@pytest.mark.parametrize(
    ("options", "gone", "there"),
    [
        ({"mtu": 1400}, "ip link show dev cni0 | grep 'mtu 1500'", "ip link show dev cni0 | grep 'mtu 1400'"),
        ({"bridge": "pods0"}, "ip link show dev cni0", "ip -4 address show dev pods0 | grep 10.24.3.1/24"),
        (
            {"network": "othernet"},
            "ls /etc/cni/net.d/10-mynet.conflist /run/podnet/ipam/mynet",
            "ls /run/podnet/ipam/othernet && grep -h othernet /etc/cni/net.d/10-othernet.conflist",
        ),
    ],
    ids=["MTU", "bridge", "network"],
)
def test_an_option_is_changed_and_back(clone: Clone, options: dict[str, Any], gone: str, there: str) -> None:
    """Conf, bridge, leases and pods are recreated in an order that works; the machines stay."""
    left = [NODES[0], NODES[2], NODE3]
    before = clone.on("node2", "stat -c %Y /proc/1").stdout
    clone.configure(nodes=left, cni=options)
    assert clone.passed(clone.run("make up").stdout)
    assert clone.on("node2", gone, check=False).returncode != 0
    assert clone.on("node2", there).stdout
    clone.configure(nodes=left)
    assert clone.passed(clone.run("make up").stdout)
    assert clone.on("node2", there, check=False).returncode != 0
    assert clone.on("node2", "stat -c %Y /proc/1").stdout == before


def test_the_subnet_of_the_control_plane_is_changed(clone: Clone) -> None:
    """The cluster stays: its Node is recreated with another pod CIDR, and so are its pods."""
    left = [{**NODES[0], "podSubnet": "10.24.77.0/24"}, NODES[2], NODE3]
    created = clone.kubectl("get namespace default")["metadata"]["creationTimestamp"]
    clone.configure(nodes=left)
    assert clone.passed(clone.run("make up").stdout)
    master = clone.kubectl("get node master")
    assert master["spec"]["podCIDR"] == "10.24.77.0/24"
    assert any(taint["key"] == "node-role.kubernetes.io/control-plane" for taint in master["spec"]["taints"])
    assert clone.kubectl("get namespace default")["metadata"]["creationTimestamp"] == created
    dns = clone.kubectl("-n kube-system get pods --selector k8s-app=kube-dns")["items"]
    assert all(not re.match(r"10\.24\.1\.", pod["status"]["podIP"]) for pod in dns)


@pytest.mark.parametrize(
    ("of_node2", "of_node3"),
    [("10.24.4.0/24", "10.24.3.0/24"), ("10.24.3.0/25", "10.24.3.128/25"), ("10.24.3.0/24", "10.24.4.0/24")],
    ids=["exchanged", "one split in two", "back"],
)
def test_workers_that_run_exchange_and_split_their_subnets(clone: Clone, of_node2: str, of_node3: str) -> None:
    before = {name: clone.on(name, "stat -c %Y /proc/1").stdout for name in ("node2", "node3")}
    clone.configure(nodes=[NODES[0], {**NODES[2], "podSubnet": of_node2}, {**NODE3, "podSubnet": of_node3}])
    assert clone.passed(clone.run("make up").stdout)
    found = {item["metadata"]["name"]: item["spec"]["podCIDR"] for item in clone.kubectl("get nodes")["items"]}
    assert found == {"master": "10.24.1.0/24", "node2": of_node2, "node3": of_node3}
    assert before == {name: clone.on(name, "stat -c %Y /proc/1").stdout for name in before}


@pytest.mark.parametrize(
    "successor",
    [
        pytest.param({**NODE3, "name": "node9"}, id="renamed"),
        pytest.param({**NODE3, "name": "node8", "address": "10.100.197.208", "podSubnet": "10.24.4.0/24"}, id="subnet"),
        pytest.param(NODE3, id="back"),
    ],
)
def test_a_worker_takes_over_what_another_one_held(clone: Clone, successor: dict[str, Any]) -> None:
    """Its address, its pod subnet or both: in one up, and back again."""
    before = clone.on("node2", "stat -c %Y /proc/1").stdout
    clone.configure(nodes=[NODES[0], NODES[2], successor])
    assert "in steps, for" in clone.run("make preview").stderr
    done = clone.run("make up")
    assert "in steps, for" in done.stderr
    assert clone.passed(done.stdout)
    assert {item["metadata"]["name"] for item in clone.kubectl("get nodes")["items"]} == {
        "master",
        "node2",
        successor["name"],
    }
    machines = [name for name in clone.run("lxc-ls -1").stdout.split() if name.startswith(f"podnet-{STACK}-")]
    assert sorted(machines) == sorted(f"podnet-{STACK}-{name}" for name in ("master", "node2", successor["name"]))
    assert clone.on("node2", "stat -c %Y /proc/1").stdout == before


def test_the_old_config_works_after_a_takeover_that_was_killed(clone: Clone) -> None:
    old = [NODES[0], NODES[2], NODE3]
    for seconds in (9, 20):
        clone.configure(nodes=[NODES[0], NODES[2], {**NODE3, "name": "node9"}])
        process = clone.start("make up")
        time.sleep(seconds)
        kill_session(process)
        clone.configure(nodes=old)
        assert clone.passed(clone.run("make up").stdout)
        assert {item["metadata"]["name"] for item in clone.kubectl("get nodes")["items"]} == {
            "master",
            "node2",
            "node3",
        }


def test_every_worker_renamed_at_once_is_refused(clone: Clone) -> None:
    clone.configure(nodes=[NODES[0], {**NODES[2], "name": "node7"}, {**NODE3, "name": "node9"}])
    done = clone.run("make up", check=False)
    assert done.returncode != 0
    assert "there would be no worker meanwhile" in done.stderr
    assert "Traceback" not in done.stderr
    clone.configure(nodes=[NODES[0], NODES[2], NODE3])
    assert clone.passed(clone.run("make up").stdout)


def test_another_gateway_is_applied(clone: Clone) -> None:
    """A box has its default route from when it was made, so every one is recreated; and back."""
    left = [NODES[0], NODES[2], NODE3]
    for gateway in ("10.100.197.254", "10.100.197.1"):
        clone.configure(nodes=left, gateway=gateway)
        told = clone.run("make preview").stdout
        assert "master, node2, node3: the machine is destroyed and recreated" in told
        assert clone.passed(clone.run("make up").stdout)
        for name in ("master", "node2", "node3"):
            assert f"default via {gateway} " in clone.on(name, "ip -4 route show default").stdout


def test_down_after_all_that(clone: Clone) -> None:
    clone.run("make down")
    assert f"podnet-{STACK}" not in clone.run("lxc-ls -1; ip link").stdout
