"""The README's table of faults. The tests share one stack and leave it green; those that end it stand last.

``-m short`` is a selection that takes some minutes.
"""

from __future__ import annotations

import json
import random
import re
import shutil
import time
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.conftest import CONFIG, NODES, STACK, Clone

from .conftest import assert_green, is_green, kill_session, kill_vagrant, timed, until

pytestmark = [pytest.mark.boxes, pytest.mark.faults]

CONFIG_NODES = CONFIG["podnet:nodes"]
Figures = dict[str, float]


def routes(clone: Clone, node: str) -> list[str]:
    return sorted(clone.on(node, "ip -4 route show proto 201").stdout.split("\n"))


def drift(clone: Clone) -> str:
    """What a preview with a refresh says; it has to end with an exit code of its own where anything drifted."""
    done = clone.sh(f"pulumi preview --refresh --diff --expect-no-changes --stack {STACK}", check=False)
    assert "Traceback" not in done.stdout + done.stderr
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.short
def test_up(clone: Clone, figures: Figures) -> None:
    with timed(figures, "up"):
        clone.run("make up")
    assert_green(clone)
    assert drift(clone) == ""


@pytest.mark.short
@pytest.mark.parametrize(
    ("damage", "healed"),
    [
        ("ip route del 10.24.3.0/24", "ip route show proto 201 | grep -q '10.24.3.0/24 via 10.100.197.202'"),
        ("nft delete table ip podnet", "nft list table ip podnet | grep -q masquerade"),
        ("ip link set cni0 down", "ip link show dev cni0 up | grep -q ."),
        ("ip link set eth0 down; sleep 1; ip link set eth0 up", "ip route show default | grep -q 10.100.197.1"),
    ],
    ids=["route deleted", "masquerade deleted", "cni0 down", "interface flap"],
)
def test_a_node_heals_itself(
    clone: Clone, figures: Figures, request: pytest.FixtureRequest, damage: str, healed: str
) -> None:
    """Without Pulumi and without the API server, by a systemd service."""
    before = routes(clone, "node1")
    said = "journalctl -b -u podnet-network | grep -c ' set '"
    repaired = int(clone.on("node1", said, check=False).stdout)
    # In the background: a login over the interface that goes down would not come back.
    clone.on("node1", f'setsid sh -c "( {damage} ) > /run/podnet-damage 2>&1 & wait"', check=False)
    with timed(figures, f"healed: {request.node.callspec.id}"):
        until(lambda: clone.on("node1", healed, check=False).returncode == 0, f"{damage} healed")
    until(lambda: routes(clone, "node1") == before, "every route again")
    assert int(clone.on("node1", said).stdout) > repaired, "the damage was none"
    assert_green(clone)


FAILING = """#!/bin/sh
case "$*" in "-f "*)
    if [ "$(wc -c < /run/nft.failed)" -lt 3 ]; then
        printf x >> /run/nft.failed
        echo "nft: killed by the test" >&2
        exit 137
    fi ;;
esac
exec /usr/sbin/nft "$@"
"""


@pytest.mark.short
def test_a_node_heals_itself_though_its_tools_fail_at_first(clone: Clone) -> None:
    """The journal says what failed, at a level that is kept, and every run tries again."""
    damage = (
        f"touch /run/nft.failed; cat > /usr/local/sbin/nft <<'END'\n{FAILING}END\nchmod +x /usr/local/sbin/nft\n"
        "nft delete table ip podnet"
    )
    clone.on("node1", damage)
    try:
        healed = "nft list table ip podnet | grep -q masquerade"
        until(lambda: clone.on("node1", healed, check=False).returncode == 0, "the masquerade again")
        assert clone.on("node1", "cat /run/nft.failed").stdout == "xxx"
        journal = clone.on("node1", "journalctl -b -u podnet-network").stdout
        assert journal.count("cannot set the masquerade: nft: killed by the test") == 3
    finally:
        clone.on("node1", "rm -f /usr/local/sbin/nft /run/nft.failed")
    assert_green(clone)


def test_kube_proxy_restarted(clone: Clone) -> None:
    clone.sh("kubectl -n kube-system rollout restart daemonset/kube-proxy")
    clone.sh("kubectl -n kube-system rollout status daemonset/kube-proxy --timeout=120s")
    assert_green(clone)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        pytest.param(
            "sed -i s/1500/1400/ /etc/cni/net.d/10-mynet.conflist",
            "10-mynet.conflist first, with another content",
            id="conf edited",
            marks=pytest.mark.short,
        ),
        pytest.param(
            "ip route add 10.24.3.128/25 via 10.100.197.200",
            "10.24.3.128/25 via 10.100.197.200",
            id="stray route",
            marks=pytest.mark.short,
        ),
        pytest.param("ip route add 10.24.9.0/24 dev cni0", "10.24.9.0/24 dev cni0", id="stray route on the bridge"),
        pytest.param("rm /etc/cni/net.d/10-mynet.conflist", "cni-conf: no 10-mynet.conflist", id="conf deleted"),
        pytest.param("sysctl -qw net.ipv4.ip_forward=0", "ip-forward: 0; expected 1", id="sysctl changed"),
        pytest.param(
            'echo \'{"name":"x","type":"ptp"}\' > /etc/cni/net.d/05-other.conf',
            "05-other.conf before",
            id="foreign conf",
        ),
        pytest.param(
            "systemctl disable -q --now podnet-network.service",
            "podnet-network.service is inactive",
            id="healing switched off",
        ),
        pytest.param(
            "ip address add 10.24.2.99/24 dev cni0; ip link set cni0 mtu 1400",
            "10.24.2.99/24, MTU 1400",
            id="bridge changed",
        ),
    ],
)
def test_drift_is_said_and_repaired(clone: Clone, damage: str, said: str) -> None:
    """In the engine's own words: a refresh shows it on that node's resource alone, and up --refresh repairs it."""
    pods = clone.kubectl("get pods --selector app=nginx")["items"]
    clone.on("node1", damage)
    told = re.sub(r"\s+", " ", drift(clone))
    assert said in told
    assert "node1-state" in told
    assert "node2-state" not in told
    done = clone.sh(f"pulumi up --refresh --yes --skip-preview --stack {STACK}")
    assert re.search(r"node1-state\s+updated", done.stdout)
    assert drift(clone) == ""
    # Nothing else was touched: the pods are the same ones.
    after = clone.kubectl("get pods --selector app=nginx")["items"]
    assert {pod["metadata"]["uid"] for pod in after} == {pod["metadata"]["uid"] for pod in pods}
    assert all(pod["status"]["containerStatuses"][0]["restartCount"] == 0 for pod in after)
    assert_green(clone)


def test_a_wider_route_is_no_drift(clone: Clone) -> None:
    """As many hosts have one by their router: pods have longer prefixes, and theirs win."""
    clone.on("node1", "ip route add 10.0.0.0/8 via 10.100.197.1")
    assert drift(clone) == ""
    assert_green(clone)
    clone.on("node1", "ip route del 10.0.0.0/8")


def test_a_rule_of_somebody_else_is_no_drift_and_is_judged(clone: Clone) -> None:
    """It is not podnet's to remove: the proof is made again, fails as long as the rule is there, and holds after it."""
    rule = "POSTROUTING -s 10.24.2.0/24 -d 10.24.0.0/16 -j MASQUERADE"
    clone.on("node1", f"iptables -t nat -I {rule}")
    done = clone.run("make up", check=False)
    assert done.returncode != 0
    assert "after its repair" not in done.stdout + done.stderr
    assert "node-state/no-nat-no-drop: node1" in done.stdout
    clone.on("node1", f"iptables -t nat -D {rule}")
    assert clone.passed(clone.run("make up").stdout)


@pytest.mark.short
def test_a_worker_is_rebooted(clone: Clone, figures: Figures) -> None:
    _reboot(clone, figures, ["node1"], "reboot of a worker")


def test_every_node_is_rebooted(clone: Clone, figures: Figures) -> None:
    _reboot(clone, figures, list(NODES), "reboot of all nodes")


def _reboot(clone: Clone, figures: Figures, names: list[str], what: str) -> None:
    """The network is right again by itself, and before the API server answers where that was rebooted too."""
    before = {name: routes(clone, name) for name in names}
    boots = {name: clone.on(name, "cat /proc/sys/kernel/random/boot_id; stat -c %Y /proc/1").stdout for name in names}
    for name in names:
        clone.on(name, "systemctl reboot", check=False)

    def is_back(name: str) -> bool:
        done = clone.on(name, "cat /proc/sys/kernel/random/boot_id; stat -c %Y /proc/1", check=False)
        return done.returncode == 0 and done.stdout != boots[name]

    def has_rules(name: str) -> bool:
        return clone.on(name, "nft list table ip podnet", check=False).returncode == 0

    def has_routes(name: str) -> bool:
        return routes(clone, name) == before[name]

    with timed(figures, f"{what}: routes and masquerade again"):
        for name in names:
            until(partial(is_back, name), f"{name} up again", 120)
            until(partial(has_rules, name), "rules")
            until(partial(has_routes, name), f"the routes of {name}")
    if "master" in names:
        found = clone.on("master", "journalctl -b -u podnet-network -o short-unix | head -5", check=False).stdout
        assert "set the route" in found
        first = float(found.split()[0])
        api = clone.on("master", "stat -c %Z /proc/$(pgrep -o kube-apiserver)", check=False).stdout
        until(lambda: clone.on("master", "pgrep kube-apiserver", check=False).returncode == 0, "the API server", 120)
        api = clone.on("master", "stat -c %Y /proc/$(pgrep -o kube-apiserver)").stdout
        assert first < float(api), "the routes stood before the API server was even started"
    with timed(figures, f"{what}: every check holds again"):
        until(lambda: is_green(clone), "green after the reboot", 240)
    leases = clone.on(names[0], "ls /run/podnet/ipam/mynet | grep -c '^10[.]'; ip netns list | grep -c cni-").stdout
    addresses, pods = (int(line) for line in leases.split())
    assert addresses == pods, "a lease for every pod and none more"


@pytest.mark.short
def test_the_host_is_rebooted(clone: Clone, figures: Figures) -> None:
    """As far as one can without doing it: boxes stopped hard, bridge gone, the host's settings as at its start."""
    for name in NODES:
        clone.run(f"lxc-stop --kill --name podnet-{STACK}-{name}")
    clone.run(f"ip link delete podnet-{STACK}; sysctl -q --load=/run/podnet-host/sysctls; rm -rf /run/podnet-host")
    with timed(figures, "host rebooted: up"):
        assert clone.passed(clone.run("make up").stdout)
    assert_green(clone)
    assert drift(clone) == ""
    assert int(clone.run("sysctl -n fs.inotify.max_user_instances").stdout) >= 4096
    assert Path(f"/var/lib/podnet-host/podnet-{STACK}").exists()


def test_halt_and_up(clone: Clone, figures: Figures) -> None:
    with timed(figures, "halt"):
        clone.run("make halt")
    for name in NODES:
        assert "STOPPED" in clone.run(f"lxc-info --state --name podnet-{STACK}-{name}").stdout
    assert not is_green(clone)
    with timed(figures, "up after halt"):
        assert clone.passed(clone.run("make up").stdout)
    assert_green(clone)
    assert drift(clone) == ""


def test_a_firewall_of_the_host_drops_what_is_forwarded(clone: Clone) -> None:
    """As Docker does it: by the policy of FORWARD, which what boxes send each other passes where a setting says so."""
    rules = "iptables -S FORWARD"
    policy = clone.run(rules).stdout.split()[2]
    passing = clone.run("sysctl -n net.bridge.bridge-nf-call-iptables").stdout.strip()
    clone.run("sysctl -qw net.bridge.bridge-nf-call-iptables=1; iptables -P FORWARD DROP")
    try:
        assert not is_green(clone)
        done = clone.run("make up")
        assert "This host's firewall has rules for what boxes send (ip filter FORWARD)" in done.stdout
        assert_green(clone)
        assert f"podnet-{STACK}" in clone.run(rules).stdout
    finally:
        clone.run(f"iptables -P FORWARD {policy}; sysctl -qw net.bridge.bridge-nf-call-iptables={passing}")
    assert_green(clone)


def test_the_api_server_is_away(clone: Clone, figures: Figures) -> None:
    manifest = "/etc/kubernetes/manifests/kube-apiserver.yaml"
    clone.on("master", f"mv {manifest} /root/")
    until(lambda: clone.on("master", "pgrep kube-apiserver", check=False).returncode != 0, "the API server away", 90)
    try:
        with timed(figures, "API server away: verify says so"):
            done = clone.run("make verify", check=False)
        assert done.returncode != 0
        assert "API server does not answer" in done.stderr
        assert "Traceback" not in done.stderr
        with timed(figures, "API server away: preview"):
            clone.sh(f"pulumi preview --stack {STACK}")
        # A change that needs the API server ends in a clear message.
        clone.configure(images={"nginx": "podnet.local/nginx:0.0.1"})
        with timed(figures, "API server away: up says so"):
            done = clone.sh(f"pulumi up --yes --skip-preview --stack {STACK}", check=False)
        assert done.returncode != 0
        assert re.search(r"unreachable|connection refused|does not answer", done.stdout + done.stderr)
    finally:
        clone.configure()
        clone.on("master", f"mv /root/kube-apiserver.yaml {manifest}")
    until(lambda: clone.sh("kubectl get --raw /readyz", check=False).returncode == 0, "the API server again", 120)
    # CoreDNS looks for the API server again after up to half a minute, and knows no new Service before.
    with timed(figures, "API server back: every check holds again"):
        until(lambda: is_green(clone), "green after the API server came back", 180)
    clone.run("make up")


@pytest.mark.parametrize(
    ("damage", "repair"),
    [
        # Its kernel takes connections, and nobody answers.
        ("lxc-freeze --name podnet-e2e-node2", "lxc-unfreeze --name podnet-e2e-node2"),
        (
            "lxc-attach --name podnet-e2e-node2 -- systemctl stop ssh.socket ssh.service",
            "lxc-attach --name podnet-e2e-node2 -- systemctl start ssh.service",
        ),
    ],
    ids=["node hangs", "SSH cut"],
)
def test_a_node_does_not_answer(
    clone: Clone, figures: Figures, request: pytest.FixtureRequest, damage: str, repair: str
) -> None:
    name = request.node.callspec.id
    nodes = [dict(node) for node in CONFIG_NODES]
    nodes[1]["podSubnet"] = "10.24.44.0/24"  # a change that has to reach node2
    clone.run(damage)
    try:
        with timed(figures, f"{name}: verify says so"):
            done = clone.run("make verify", check=False)
        assert "node2 (10.100.197.202)" in done.stderr
        clone.configure(nodes=nodes)
        with timed(figures, f"{name}: up says so"):
            done = clone.sh(f"pulumi up --yes --skip-preview --stack {STACK}", check=False)
        assert done.returncode != 0
        assert "node2 (10.100.197.202) cannot be reached over SSH" in done.stdout + done.stderr
    finally:
        clone.run(repair)
    clone.configure()
    clone.run("make up")
    assert_green(clone)


def test_the_disk_of_a_node_is_full(clone: Clone) -> None:
    """A small file system of its own under /etc/podnet is as full as any other, and hurts nobody else."""
    fill = "cp -a /run/kept/. /etc/podnet/"
    clone.on("node1", f"cp -a /etc/podnet /run/kept && mount -t tmpfs -o size=64k none /etc/podnet && {fill}")
    clone.on("node1", "head -c 1M /dev/zero > /etc/podnet/full", check=False)
    nodes = [dict(node) for node in CONFIG_NODES]
    nodes[2]["podSubnet"] = "10.24.44.0/24"
    clone.configure(nodes=nodes)
    done = clone.sh(f"pulumi up --yes --skip-preview --stack {STACK}", check=False)
    assert done.returncode != 0
    assert "No space left on device" in done.stdout + done.stderr
    assert "node1-route-to-node2" in done.stdout + done.stderr
    # What was there is still whole, and the kernel still has its route.
    assert "10.24.3.0/24 via 10.100.197.202" in clone.on("node1", "cat /etc/podnet/routes.d/node2").stdout
    clone.on("node1", f"rm /etc/podnet/full; cp -a /etc/podnet/. /run/kept/; umount /etc/podnet; {fill}")
    clone.configure()
    clone.run("make up")
    assert_green(clone)


def test_up_goes_on_when_the_state_is_lost(clone: Clone, figures: Figures) -> None:
    shutil.move(clone.state / "backend", clone.state / "backend-lost")
    with timed(figures, "state lost: up adopts what is there"):
        clone.run("make up")
    assert_green(clone)
    clone.sh(f"pulumi preview --expect-no-changes --stack {STACK}")


def _lose(clone: Clone, node: str) -> None:
    container = f"podnet-{STACK}-{node}"
    clone.run(f"lxc-stop --kill --name {container}; lxc-destroy --name {container}")


def test_a_box_is_destroyed_by_hand(clone: Clone, figures: Figures) -> None:
    _lose(clone, "node2")
    with timed(figures, "box gone: up says so"):
        done = clone.run("make up", check=False)
    assert done.returncode != 0
    assert "node2 (10.100.197.202)" in done.stdout + done.stderr
    assert "make up REPLACE=node2" in done.stdout + done.stderr
    with timed(figures, "box gone: recreated"):
        clone.run("make up REPLACE=node2")
    assert_green(clone)


def test_the_control_plane_is_lost(clone: Clone, figures: Figures) -> None:
    """With it goes the cluster: the workers' machines stay, and join the new one."""
    boots = {name: clone.on(name, "stat -c %Y /proc/1").stdout for name in NODES if name != "master"}
    _lose(clone, "master")
    with timed(figures, "control plane lost: recreated"):
        clone.run("make up REPLACE=master")
    assert_green(clone)
    assert drift(clone) == ""
    assert boots == {name: clone.on(name, "stat -c %Y /proc/1").stdout for name in boots}


def test_destroy_with_every_box_gone(clone: Clone, figures: Figures) -> None:
    for name in NODES:
        _lose(clone, name)
    with timed(figures, "every box gone: down"):
        clone.run("make down")
    assert "podnet-e2e" not in clone.run("lxc-ls; ip link; iptables -S").stdout


def test_up_is_killed_at_ten_moments(clone: Clone, figures: Figures) -> None:
    """From nothing on, each run is killed and the next goes on from there; the last is left alone."""
    chance = random.Random(20)  # noqa: S311  # the same moments every time
    for _ in range(10):
        process = clone.start("make up")
        time.sleep(chance.uniform(3, 14))
        kill_session(process)
    with timed(figures, "killed ten times: the next up"):
        clone.run("make up")
    assert_green(clone)
    state = json.loads(clone.sh(f"pulumi stack export --stack {STACK}").stdout)["deployment"]
    assert not state.get("pending_operations")
    for name in NODES:
        half = "find /etc/podnet /etc/cni/net.d -name '*.new' -o -name '*.podnet-new' -o -name '*.wanted'"
        assert clone.on(name, half).stdout == ""
    with timed(figures, "down"):
        clone.run("make down")
    assert "podnet-e2e" not in clone.run("lxc-ls; ip link").stdout


def test_up_is_cut_off_between_a_ticket_and_its_join(clone: Clone) -> None:
    """A token waits for its join for as long as it takes, and no token is left when every node has joined."""

    def tokens() -> str:
        return clone.on("master", "kubeadm token list -o jsonpath='{.description} {.expires};'", check=False).stdout

    seen = [""]

    def has_ticket() -> bool:
        seen.append(tokens())
        return "podnet: join of node1" in seen[-1]

    process = clone.start("make up")
    until(has_ticket, "the ticket of node1", 180)
    # A join that has begun goes on alone, and the run that comes after finds it done.
    kill_session(process)
    assert "podnet: join of node1 ;" in seen[-1], "a token that does not end by itself"
    clone.run("make up")
    assert_green(clone)
    assert tokens() == ""
    # A worker that is recreated gets a token of its own, which ends too.
    clone.run("make up REPLACE=node1")
    assert_green(clone)
    assert tokens() == ""
    clone.run("make down")


@pytest.mark.parametrize("seconds", [5, 7, 9, 12])
def test_down_after_an_up_that_was_killed(clone: Clone, seconds: int) -> None:
    """Boxes whose creation was cut off are in no state, and yet go away."""
    process = clone.start("make up")
    time.sleep(seconds)
    kill_session(process)
    clone.run("make down")
    assert "podnet-e2e" not in clone.run("lxc-ls; ip link").stdout
    assert not (clone.state / "stacks" / STACK).exists()


def test_down_after_a_machine_that_failed(clone: Clone) -> None:
    """A machine whose creation fails is in no state either; what Vagrant made of it goes away."""
    process = clone.start("make up")
    folder = clone.state / "stacks" / STACK
    made = folder / ".vagrant/machines/node2/lxc/id"
    until(lambda: made.exists() and bool(made.read_text()), "the container of node2")
    assert kill_vagrant(folder, "node2") == 1
    until(lambda: process.poll() is not None, "the end of an up that fails", 120)
    assert process.returncode != 0
    assert "podnet-e2e-node2" in clone.run("lxc-ls").stdout
    clone.run("make down")
    assert "podnet-e2e" not in clone.run("lxc-ls; ip link").stdout
    assert not (clone.state / "stacks" / STACK).exists()
