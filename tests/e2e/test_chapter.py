"""End to end on real boxes: up, the verdict, the chapter's own commands, changes, down with nothing left.

The tests are steps of one story and run in the order in which they stand.
"""

from __future__ import annotations

import json
import re
import stat
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from podnet import versions

from .conftest import CONFIG, NODES, STACK, Clone
from .controls import HAIRPIN, LITERAL, needs_route_of_node1, verify

pytestmark = pytest.mark.boxes


def nginx_pods(clone: Clone) -> dict[str, tuple[str, str]]:
    """Node to (name, address) of the nginx pod on it."""
    items = clone.kubectl("get pods --selector app=nginx")["items"]
    running = [item for item in items if "deletionTimestamp" not in item["metadata"]]
    return {item["spec"]["nodeName"]: (item["metadata"]["name"], item["status"]["podIP"]) for item in running}


def test_up_ends_with_a_green_verdict(clone: Clone) -> None:
    done = clone.run("make up")
    assert re.search(r"passed: all \d{3} checks hold", done.stdout)


def test_nodes_are_ready_as_planned(clone: Clone) -> None:
    items = clone.kubectl("get nodes")["items"]
    assert {item["metadata"]["name"] for item in items} == set(NODES)
    for item in items:
        name = item["metadata"]["name"]
        assert {c["type"]: c["status"] for c in item["status"]["conditions"]}["Ready"] == "True"
        assert item["status"]["nodeInfo"]["kubeletVersion"] == f"v{versions.KUBERNETES}"
        assert item["spec"]["podCIDR"] == f"{NODES[name]}.0/24"
        planned = next(node["address"] for node in CONFIG["podnet:nodes"] if node["name"] == name)
        assert {"type": "InternalIP", "address": planned} in item["status"]["addresses"]


def test_nginx_is_on_two_nodes_with_their_addresses(clone: Clone) -> None:
    pods = nginx_pods(clone)
    assert set(pods) == {"node1", "node2"}
    for node, (_, address) in pods.items():
        assert ip_address(address) in ip_network(f"{NODES[node]}.0/24")


@pytest.mark.parametrize("target", ["node1", "node2"])
def test_the_chapter_pings_pods_from_a_node(clone: Clone, target: str) -> None:
    address = nginx_pods(clone)[target][1]
    done = clone.sh(f'vagrant ssh node1 -c "ping -c 1 {address}"')
    assert f"64 bytes from {address}" in done.stdout


def test_the_chapter_pings_a_pod_from_a_pod(clone: Clone) -> None:
    pods = nginx_pods(clone)
    done = clone.sh(f"kubectl exec {pods['node1'][0]} -- ping -c 1 {pods['node2'][1]}")
    assert f"64 bytes from {pods['node2'][1]}" in done.stdout


def test_a_pod_is_logged_with_its_own_address(clone: Clone) -> None:
    pods = nginx_pods(clone)
    clone.sh(f"kubectl exec {pods['node1'][0]} -- curl -sS http://{pods['node2'][1]}/own-address")
    logged = clone.sh(f"kubectl logs {pods['node2'][0]}").stdout
    line = next(line for line in logged.splitlines() if '"GET /own-address' in line and " - - [" in line)
    assert line.split()[0] == pods["node1"][1]


def test_secrets_are_nowhere_in_clear(clone: Clone) -> None:
    folder = clone.state / "stacks" / STACK
    assert stat.S_IMODE((folder / "admin.conf").stat().st_mode) == 0o600
    assert stat.S_IMODE((clone.state / "passphrase").stat().st_mode) == 0o600
    private = (folder / "id_ed25519").read_text().splitlines()[1]
    key_data = re.search(r"client-key-data: (\S+)", (folder / "admin.conf").read_text())
    assert key_data
    kept = [path for path in (clone.state / "backend").rglob("*") if path.is_file()]
    assert kept
    for path in kept:
        text = path.read_text(errors="replace")
        assert private not in text
        assert key_data[1][:40] not in text
        assert not re.search(r"\b[a-z0-9]{6}\.[a-z0-9]{16}\b", text), f"a join token in {path}"


def test_a_second_up_changes_nothing(clone: Clone) -> None:
    clone.sh(f"pulumi preview --stack {STACK} --expect-no-changes")
    done = clone.sh(f"pulumi up --yes --stack {STACK}")
    assert re.search(r"^\s+\d+ unchanged$", done.stdout, re.MULTILINE)
    assert not re.search(r"to (create|update|replace|delete)|(created|updated|replaced|deleted)$", done.stdout)


def test_a_lost_route_fails_the_pairs_that_need_it_and_is_healed(clone: Clone) -> None:
    # The timer would heal it within seconds; it is stopped for the time of the look, and a run of its that goes on.
    stop = "sudo systemctl stop podnet-network.timer podnet-network.service"
    clone.sh(f'vagrant ssh node1 -c "{stop} && sudo ip route del 10.24.3.0/24"')
    report = verify(clone)
    probes = [r for r in report.results if r.scenario not in ("coherence", "packet-of-mtu-plus-1")]
    assert {r.id for r in probes if not r.passed} == {r.id for r in probes if needs_route_of_node1(r)}
    assert {r.hint for r in report.failed} == {
        "node1 has no route 10.24.3.0/24 via 10.100.197.202 (ip route show proto 201); "
        "podnet-network.timer, which sets it, is inactive"
    }
    coherence = [r.id for r in report.failed if r.scenario == "coherence"]
    assert coherence == ["coherence/route: node1 -> node2"]
    kept = json.loads((clone.folder / "report.json").read_text())
    assert kept["verdict"].startswith(f"failed: {len(report.failed)} of ")
    assert ("node1", "10.24.3.0/24") not in {(route.node, route.destination) for route in report.routes}
    clone.sh('vagrant ssh node1 -c "sudo systemctl start podnet-network.timer"')
    clone.sh(
        'vagrant ssh node1 -c "timeout 20 sh -c '
        "'until ip route show proto 201 | grep -q 10.24.3.0/24; do sleep 1; done'\""
    )


def test_the_chapters_own_conf_is_refused(clone: Clone) -> None:
    clone.configure(cni={"ipMasq": True, "hairpinMode": False, "portmap": False})
    done = clone.run("make up", check=False)
    assert done.returncode != 0
    report = re.sub(r"\s+", " ", re.sub(r"[│┃]", " ", done.stdout))
    # The pair, the address expected, and the one that was seen: the node's.
    pair = r"pod-to-pod-other-node/tcp: node1/a \((10\.24\.2\.\d+)\) -> node2/b \(10\.24\.3\.\d+\) \1 10\.100\.197\.201"
    assert re.search(pair, report)
    # Every pair of pods on two nodes, whatever the packet, and nothing between nodes and pods of one node.
    failed = verify(clone).failed
    assert {r.scenario for r in failed} == LITERAL
    assert all(r.source_node != r.destination_node for r in failed if r.scenario not in ("coherence", HAIRPIN))
    assert {r.action for r in failed if r.scenario == "pod-to-pod-other-node"} == {"icmp", "tcp", "udp"}
    assert {r.id for r in failed if r.scenario == "coherence"} == {f"coherence/no-nat-no-drop: {n}" for n in NODES}
    masqueraded = next(r for r in failed if r.scenario == "pod-to-pod-other-node" and r.source == "node1/a")
    assert masqueraded.hint.startswith("node1 masquerades pods: -A CNI-")
    assert "(ipMasq is true in 10-mynet.conf)" in masqueraded.hint


def test_with_hairpin_off_pods_do_not_reach_themselves(clone: Clone) -> None:
    clone.configure(cni={"hairpinMode": False})
    assert clone.run("make up", check=False).returncode != 0
    failed = verify(clone).failed
    assert [(r.scenario, r.source) for r in failed] == [(HAIRPIN, f"{node}/a") for node in NODES]
    for node, result in zip(NODES, failed, strict=True):
        assert result.hint.startswith(f"{node}: cni0's port has hairpin off (veth")
    clone.configure()
    assert re.search(r"passed: all \d{3} checks hold", clone.run("make up").stdout)


def test_another_subnet_for_one_node(clone: Clone) -> None:
    nodes = [dict(node) for node in CONFIG["podnet:nodes"]]
    nodes[2]["podSubnet"] = "10.24.33.0/24"
    clone.configure(nodes=nodes)
    before = nginx_pods(clone)["node1"]
    assert re.search(r"passed: all \d{3} checks hold", clone.run("make up").stdout)
    assert nginx_pods(clone)["node1"] == before
    routes = clone.sh('vagrant ssh node1 -c "ip route show proto 201"').stdout
    assert "10.24.33.0/24 via 10.100.197.202" in routes
    assert "10.24.3.0/24" not in routes


def test_down_leaves_nothing(clone: Clone) -> None:
    clone.run("make down")
    assert not list(Path("/var/lib/lxc").glob(f"podnet-{STACK}-*"))
    assert not Path(f"/sys/class/net/podnet-{STACK}").exists()
    assert not (clone.state / "stacks" / STACK).exists()
    assert "10.100.197." not in clone.run("ip route; ip rule; ip address").stdout
    assert "encryptionsalt" not in (clone.folder / f"Pulumi.{STACK}.yaml").read_text()
