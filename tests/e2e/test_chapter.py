"""End to end on real boxes: up, the verdict, the chapter's own commands, changes, down with nothing left.

The tests are steps of one story and run in the order in which they stand.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import stat
import subprocess
import threading
from dataclasses import replace
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
import yaml

from podnet import config, versions
from podnet.draw.graph import graph
from podnet.planning import plan
from podnet.verify.check import PathKind
from podnet.verify.report import load

from .conftest import CONFIG, NODES, STACK, Clone
from .controls import LITERAL, needs_route_of_node1, verify
from .page import Comparison, differences, follow, in_networks
from .picture import of_cluster, of_graph, of_svg

pytestmark = pytest.mark.boxes

NETWORKS = {"10.22.": "10.24.", "10.96.": "10.97.", "10.100.198.": "10.100.197."}
"""How addresses of Pulumi.dev.yaml begin, which a page shows, and what they are in this stack."""


def nginx_pods(clone: Clone) -> dict[str, tuple[str, str]]:
    """Node to (name, address) of the nginx pod on it."""
    items = clone.kubectl("get pods --selector app=nginx")["items"]
    running = [item for item in items if "deletionTimestamp" not in item["metadata"]]
    return {item["spec"]["nodeName"]: (item["metadata"]["name"], item["status"]["podIP"]) for item in running}


class Watch:
    """Every command line that any process of this machine has for the time being, and all that was printed."""

    def __init__(self) -> None:
        self.seen: set[str] = set()

    def run(self, clone: Clone, command: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a line of shell, and watch meanwhile."""
        done = threading.Event()
        looking = threading.Thread(target=self._look, args=(done,), daemon=True)
        looking.start()
        try:
            told = clone.run(command, check=check)
        finally:
            done.set()
            looking.join()
        self.seen |= {told.stdout, told.stderr}
        return told

    def _look(self, done: threading.Event) -> None:
        while not done.wait(0.02):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    self.seen.add(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))


watch = Watch()

_BUSY = (
    r"^(fs\.(dentry-state|file-nr|inode-|aio-nr|quota)|kernel\.(random|ns_last_pid|pty\.nr)|net\.\S+\.(veth|podnet-)|"
    r"net\.netfilter\.nf_conntrack_count)"
)
"""Settings that change by themselves, and those of devices that come and go."""

before: dict[str, str] = {}
"""The host's settings before the stack."""


def settings() -> dict[str, str]:
    """Every setting of this host's kernel that stays as it is."""
    told = subprocess.run(["sysctl", "-a"], text=True, capture_output=True, check=False).stdout
    found = dict(line.split(" = ", 1) for line in told.splitlines() if " = " in line)
    return {key: value for key, value in found.items() if not re.match(_BUSY, key)}


def test_up_ends_with_a_green_verdict(clone: Clone) -> None:
    before.update(settings())
    assert clone.passed(watch.run(clone, "make up").stdout)


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


def test_machines_have_their_memory_and_cpus(clone: Clone) -> None:
    """As the kernel holds them to it, by its control groups of the first or the second version."""
    folder = "/sys/fs/cgroup"
    memory = f"cat {folder}/memory/memory.limit_in_bytes {folder}/memory.max 2> /dev/null"
    quota = f"cat {folder}/cpu/cpu.cfs_quota_us {folder}/cpu.max 2> /dev/null"
    for node in CONFIG["podnet:nodes"]:
        found = clone.on(node["name"], f"{memory}; {quota}", check=False).stdout.split()
        assert int(found[0]) == node.get("memory", 2048) << 20
        assert int(found[1]) == node.get("cpus", 2) * 100_000


def test_nginx_is_on_two_nodes_with_their_addresses(clone: Clone) -> None:
    pods = nginx_pods(clone)
    assert set(pods) == {"node1", "node2"}
    for node, (_, address) in pods.items():
        assert ip_address(address) in ip_network(f"{NODES[node]}.0/24")


def test_the_picture_shows_the_pods_and_routes_that_are_there(clone: Clone) -> None:
    """Both the one that up wrote and one drawn now, and the graph that they are drawn from."""
    # All but the probes of verifications, which may still be on their way out.
    pods = clone.sh("kubectl get pods --all-namespaces --output wide --selector '!podnet.io/verification'").stdout
    kernels = {node: clone.on(node, "ip -json route show proto 201").stdout for node in NODES}
    there = of_cluster(pods, CONFIG["podnet:podSubnet"], kernels)
    assert {name.split("-")[0] for _, name, _ in there.pods} == {"coredns", "nginx"}
    assert len(there.routes) == len(NODES) * (len(NODES) - 1)
    folder = clone.state / "stacks" / STACK
    assert of_svg((folder / "network.svg").read_text()) == there
    page = Path(clone.sh(f"pulumi stack output picture --stack {STACK}").stdout.strip())
    assert page == folder / "network.html"
    assert of_svg(re.findall(r"<svg .*?</svg>", page.read_text(), re.DOTALL)[0]) == there
    clone.sh(f"python -m podnet draw --stack {STACK} --live --output drawn.svg")
    assert of_svg((clone.folder / "drawn.svg").read_text()) == there
    planned = plan(config.from_stack_file(clone.folder / f"Pulumi.{STACK}.yaml"))
    assert of_graph(graph(planned, load((folder / "report.json").read_text()))) == there


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
    remember_secrets(clone)
    # Command lines: those of this very run were among them, the boxes' processes too.
    assert any("pulumi up" in line for line in watch.seen)
    assert any("kubeadm join" in line for line in watch.seen)
    told = {}
    for node in NODES:
        told[f"the logs of {node}"] = clone.on(node, "cat /var/log/podnet-* 2>/dev/null; journalctl -o cat").stdout
        told[f"podnet's files on {node}"] = clone.on(node, "cat $(find /etc/podnet /run/podnet -type f)").stdout
    assert_no_secret(clone, told)


def remember_secrets(clone: Clone) -> None:
    """Keep a line of each secret that is in a file of its own, to look for it elsewhere, also when the file is gone."""
    folder = clone.state / "stacks" / STACK
    key_data = re.search(r"client-key-data: (\S+)", (folder / "admin.conf").read_text())
    assert key_data
    host_keys = {path: path.read_text() for path in folder.glob("machines/*/ssh_host_ed25519_key")}
    assert len(host_keys) == len(NODES)
    secrets["the private key"] = re.escape((folder / "id_ed25519").read_text().splitlines()[3])
    secrets["the kubeconfig"] = re.escape(key_data[1][:40])
    secrets["a host key"] = "|".join(re.escape(text.splitlines()[3]) for text in host_keys.values())
    secrets["the passphrase"] = re.escape((clone.state / "passphrase").read_text().strip())


def assert_no_secret(clone: Clone, told: dict[str, str]) -> None:
    """None is in what is told, in a command line or output so far, in the state, its history and logs, or a report."""
    kept = {str(path): path.read_text(errors="replace") for path in clone.state.rglob("*") if _is_told(path)}
    assert any("/backend/" in name for name in kept)
    assert len(secrets) > 1
    for where, text in (told | kept | {"a command line, or what was printed": "\n".join(watch.seen)}).items():
        for what, pattern in secrets.items():
            assert not re.search(pattern, text), f"{what} in {where}"


TOKEN = r"\b(?!master\.)[a-z0-9]{6}\.[a-z0-9]{16}\b"
"""A bootstrap token; an Event of the node called master has a name of the same form."""

secrets = {"a token": TOKEN}
"""What must be nowhere in clear: a name and a pattern each."""


def _is_told(path: Path) -> bool:
    """Whether a file of the state is for others to read, too: not a key, and not the kubeconfig."""
    return path.is_file() and path.suffix in {".json", ".log", ".bak", ".attrs", ".yaml", ".svg", ".html"}


def test_folders_of_secrets_are_the_users_own(clone: Clone) -> None:
    for path in clone.state.rglob("*"):
        mode = stat.S_IMODE(path.lstat().st_mode)
        if path.name in {"admin.conf", "id_ed25519", "ssh_host_ed25519_key", "passphrase"}:
            assert mode == 0o600, f"{path} is {mode:o}"
    assert stat.S_IMODE((clone.state / "stacks").stat().st_mode) == 0o700


def test_the_key_that_everybody_knows_opens_no_machine(clone: Clone, tmp_path: Path) -> None:
    """Vagrant comes with it, and its boxes usually let it in until somebody replaces it."""
    published = next(Path("/usr/share").glob("**/vagrant-*/keys/vagrant"))
    key = tmp_path / "vagrant"
    key.write_bytes(published.read_bytes())
    key.chmod(0o600)
    known = clone.state / "stacks" / STACK / "machines/node1/known_hosts"
    options = f"-o UserKnownHostsFile={known} -o BatchMode=yes -o IdentitiesOnly=yes"
    done = clone.run(f"ssh {options} -i {key} vagrant@10.100.197.201 true", check=False)
    assert done.returncode != 0
    assert "Permission denied" in done.stderr


def test_nginx_meets_the_restricted_standard(clone: Clone) -> None:
    """The API server says which pods of a namespace would not: none of the default one, and some of its own."""
    label = "kubectl label --dry-run=server --overwrite namespace {} pod-security.kubernetes.io/enforce=restricted"
    assert "Warning" not in clone.sh(label.format("default")).stderr
    assert "Warning" in clone.sh(label.format("kube-system")).stderr


def test_a_reader_can_follow_how_a_packet_travels(clone: Clone) -> None:
    """The page's commands print what it says. They find no pods on node1's bridge but those that the page knows of."""
    namespaces = "kubectl get namespaces --selector podnet.io/verification --output name"
    clone.sh(f"timeout 90 bash -c 'until [ -z \"$({namespaces})\" ]; do sleep 1; done'")
    page = in_networks((clone.folder / "docs/how-a-packet-travels.md").read_text(), NETWORKS)
    assert differences(page, follow(page, clone.environ(), clone.folder), Comparison("10.24.", "10.97.")) == ""


def test_a_second_up_changes_nothing(clone: Clone) -> None:
    clone.sh(f"pulumi preview --stack {STACK} --expect-no-changes")
    done = clone.sh(f"pulumi up --yes --stack {STACK}")
    assert re.search(r"^\s+\d+ unchanged$", done.stdout, re.MULTILINE)
    assert not re.search(r"to (create|update|replace|delete)|(created|updated|replaced|deleted)$", done.stdout)


def test_kubernetes_own_tests_pass(clone: Clone) -> None:
    """The ones that say most about a pod network; `make conformance` without QUICK runs all."""
    done = clone.run("make conformance QUICK=1")
    counts = re.search(r"(\d+) of (\d+) of Kubernetes' network tests pass", done.stdout)
    assert counts
    assert counts[1] == counts[2]
    for name in ("intra-pod communication: http", "node-pod communication: udp", "NoSNAT"):
        assert name in done.stderr
    assert (clone.folder / f"reports/conformance-{STACK}/junit_01.xml").exists()


def test_a_lost_route_fails_the_pairs_that_need_it_and_is_healed(clone: Clone) -> None:
    # The service would repair it at once; it is stopped for the time of the look.
    stop = "sudo systemctl stop podnet-network.service"
    clone.sh(f'vagrant ssh node1 -c "{stop} && sudo ip route del 10.24.3.0/24"')
    report = verify(clone)
    probes = [r for r in report.results if r.scenario.path not in (PathKind.NODE_STATE, PathKind.OVER_MTU)]
    assert {r.id for r in probes if not r.passed} == {r.id for r in probes if needs_route_of_node1(r)}
    assert {r.hint for r in report.failed} == {
        "node1 has no route 10.24.3.0/24 via 10.100.197.202 (ip route show proto 201); "
        "podnet-network.service, which sets it, is inactive"
    }
    state = [r.id for r in report.failed if r.scenario.path is PathKind.NODE_STATE]
    assert state == ["node-state/route: node1 -> node2"]
    kept = json.loads((clone.folder / "report.json").read_text())
    assert kept["verdict"].startswith(f"failed: {len(report.failed)} of ")
    assert ("node1", "10.24.3.0/24") not in {(route.node, route.destination) for route in report.routes}
    clone.sh('vagrant ssh node1 -c "sudo systemctl start podnet-network.service"')
    clone.sh(
        'vagrant ssh node1 -c "timeout 20 sh -c '
        "'until ip route show proto 201 | grep -q 10.24.3.0/24; do sleep 1; done'\""
    )


def test_the_chapters_own_conf_is_refused(clone: Clone) -> None:
    clone.configure(cni={"ipMasq": True, "hairpinMode": False, "portmap": False})
    done = watch.run(clone, "make up", check=False)
    assert done.returncode != 0
    assert_no_secret(clone, {})
    # The pair, the address expected, and the one that was seen: the node's. In the table the pair takes a line or two.
    shown = r"pod-to-pod-other-node/tcp: node1/a \((10\.24\.2\.\d+)\) ->[^│]*│ \1\s+│ 10\.100\.197\.201 "
    assert re.search(shown, done.stdout)
    told = load((clone.state / "stacks" / STACK / "report.json").read_text())
    pair = next(
        r
        for r in told.failed
        if r.action == "tcp" and f"{r.source.name} {r.destination and r.destination.name}" == "node1/a node2/b"
    )
    assert pair.id == f"pod-to-pod-other-node/tcp: node1/a ({pair.expected}) -> {pair.id.partition(' -> ')[2]}"
    assert (str(pair.scenario), pair.seen) == ("pod-to-pod-other-node", "10.100.197.201")
    # Every pair of pods on two nodes, whatever the packet, and nothing between nodes and pods of one node.
    failed = verify(clone).failed
    assert {str(r.scenario) for r in failed} == LITERAL
    known = [r for r in failed if r.scenario.path not in (PathKind.NODE_STATE, PathKind.HAIRPIN)]
    assert all(r.destination and r.source.node != r.destination.node for r in known)
    pods = [r for r in failed if r.scenario.path is PathKind.POD_TO_POD]
    assert {r.action for r in pods} == {"icmp", "tcp", "udp"}
    state = {r.id for r in failed if r.scenario.path is PathKind.NODE_STATE}
    assert state == {f"node-state/no-nat-no-drop: {n}" for n in NODES}
    masqueraded = next(r for r in pods if r.source.name == "node1/a")
    assert masqueraded.hint.startswith("node1 masquerades pods: -A CNI-")
    assert "(ipMasq is true in 10-mynet.conf)" in masqueraded.hint


def test_with_hairpin_off_pods_do_not_reach_themselves(clone: Clone) -> None:
    clone.configure(cni={"hairpinMode": False})
    assert clone.run("make up", check=False).returncode != 0
    failed = verify(clone).failed
    assert [(r.scenario.path, r.source.name) for r in failed] == [(PathKind.HAIRPIN, f"{node}/a") for node in NODES]
    for node, result in zip(NODES, failed, strict=True):
        assert result.hint.startswith(f"{node}: cni0's port has hairpin off (veth")
    clone.configure()
    assert clone.passed(clone.run("make up").stdout)


def test_a_proof_with_a_part_that_cannot_be_tried_is_none(clone: Clone) -> None:
    clone.sh("kubectl scale deployment nginx-deployment --replicas 0")
    clone.sh("kubectl wait --for=delete pod --selector app=nginx --timeout=60s")
    try:
        report = verify(clone)
        assert (len(report.results), report.failed) == (186, ())
        why = "pod-to-web, node-to-web: nginx has 0 of 2 pods"
        assert report.verdict == f"not proved: 12 of 186 checks were not tried ({why})"
    finally:
        clone.sh("kubectl scale deployment nginx-deployment --replicas 2")
        clone.sh("kubectl rollout status deployment/nginx-deployment --timeout=60s")
    assert clone.passed(clone.run("make verify").stdout)


def test_another_subnet_for_one_node(clone: Clone) -> None:
    nodes = [dict(node) for node in CONFIG["podnet:nodes"]]
    nodes[2]["podSubnet"] = "10.24.33.0/24"
    clone.configure(nodes=nodes)
    before = nginx_pods(clone)["node1"]
    assert clone.passed(clone.run("make up").stdout)
    assert nginx_pods(clone)["node1"] == before
    routes = clone.sh('vagrant ssh node1 -c "ip route show proto 201"').stdout
    assert "10.24.33.0/24 via 10.100.197.202" in routes
    assert "10.24.3.0/24" not in routes


def test_a_second_stack_beside_it(clone: Clone) -> None:
    """Another stack, with networks of its own, comes and goes; the first one's proof holds all the while."""
    two = {
        "podnet:machineNetwork": "10.100.195.0/24",
        "podnet:podSubnet": "10.26.0.0/16",
        "podnet:serviceSubnet": "10.98.0.0/16",
        "podnet:nodes": [
            {"name": "master", "role": "control-plane", "address": "10.100.195.200"},
            {"name": "node1", "role": "worker", "address": "10.100.195.201"},
        ],
    }
    (clone.folder / "Pulumi.e2e2.yaml").write_text(yaml.safe_dump({"config": two}))
    try:
        assert clone.passed(clone.run("make up STACK=e2e2").stdout, "e2e2")
        assert clone.passed(clone.run("make verify").stdout)
        # A third that wants the network of one that is up is told so, and nothing of it is made.
        (clone.folder / "Pulumi.e2e3.yaml").write_text(yaml.safe_dump({"config": two}))
        refused = clone.run("make up STACK=e2e3", check=False)
        assert refused.returncode != 0
        assert "10.100.195.0/24 overlaps the route to 10.100.195.0/24 dev podnet-e2e2" in refused.stderr
        assert "Traceback" not in refused.stderr
        assert not Path("/sys/class/net/podnet-e2e3").exists()
    finally:
        clone.run("make down STACK=e2e2")
    assert not Path("/sys/class/net/podnet-e2e2").exists()
    assert clone.passed(clone.run("make verify").stdout)


def checkout(clone: Clone, folder: Path) -> Clone:
    """Another checkout, with the same state."""
    shutil.copytree(clone.folder, folder, symlinks=True, ignore=shutil.ignore_patterns("*.svg", "reports"))
    file = folder / f"Pulumi.{STACK}.yaml"
    file.write_text(re.sub(r"^encryptionsalt:.*\n", "", file.read_text(), flags=re.MULTILINE))
    return replace(clone, folder=folder)


def test_another_state_folder_is_told_whose_the_stack_is(clone: Clone, tmp_path: Path) -> None:
    """As another user, or the same one with sudo: before anything is built or touched, and its down touches nothing."""
    boots = {node: clone.on(node, "stat -c %Y /proc/1").stdout for node in NODES}
    other = replace(checkout(clone, tmp_path / "checkout"), state=tmp_path / "state")
    whose = f"podnet-{STACK} on this host belongs to root, whose stacks are in {clone.state}/stacks"
    done = other.run("make up", check=False)
    assert done.returncode != 0
    assert whose in done.stderr
    assert "Traceback" not in done.stderr
    done = other.sh(f"pulumi stack init {STACK} && pulumi up --yes --skip-preview", check=False)
    assert done.returncode != 0
    assert whose in re.sub(r"\s+", " ", done.stdout + done.stderr)
    other.run("make down")
    assert not (other.state / "stacks" / STACK).exists()
    assert boots == {node: clone.on(node, "stat -c %Y /proc/1").stdout for node in NODES}
    assert clone.passed(clone.run("make verify").stdout)


def test_a_second_checkout_is_about_the_same_stack(clone: Clone, tmp_path: Path) -> None:
    second = checkout(clone, tmp_path / "checkout")
    assert second.sh("pulumi stack output verdict").stdout.startswith("passed")
    second.sh("pulumi preview --expect-no-changes")


def test_down_leaves_nothing(clone: Clone) -> None:
    watch.run(clone, "make down")
    assert_no_secret(clone, {})
    assert not list(Path("/var/lib/lxc").glob(f"podnet-{STACK}-*"))
    assert not Path(f"/sys/class/net/podnet-{STACK}").exists()
    assert not (clone.state / "stacks" / STACK).exists()
    assert "10.100.197." not in clone.run("ip route; ip rule; ip address").stdout
    assert not Path(f"/var/lib/podnet-host/podnet-{STACK}").exists()
    # Where no other stack is up, the host is as it was.
    if not list(Path("/sys/class/net").glob("podnet-*")):
        after = settings()
        assert {key: after.get(key) for key in before} == before
    assert "encryptionsalt" not in (clone.folder / f"Pulumi.{STACK}.yaml").read_text()
