"""What podnet.host changes on the whole of a host, and that it is as before when the last network is gone."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from subprocess import DEVNULL

import pytest

from .host import BRIDGE, DOWN, GATEWAY, SHARED, UP, Host, User, a_host

NETFILTER = "/proc/sys/net/bridge"
TWO = ("network-up", "podnet-two", "10.213.8.1/24", "10.213.8.0/24")


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with a_host(tmp_path) as made:
        yield made


@pytest.fixture
def user(host: Host) -> User:
    return host.user("alice")


def settings(host: Host) -> dict[str, str]:
    return {key: host.setting(key) for key in SHARED}


def test_what_boxes_set_is_set_back_with_the_last_network(host: Host, user: User) -> None:
    user(*UP)
    assert host.setting("fs/inotify/max_user_instances") == "4096"
    for key in SHARED:  # as a kubelet does
        host.sh(f"echo 77 > /proc/sys/{key}")
    # Of a second network it must not be noted that this is how the host was.
    user(*TWO)
    user(*DOWN)
    assert host.setting("kernel/panic") == "77"
    user("network-down", "podnet-two")
    assert settings(host) == SHARED
    assert host.sh("ls -d /run/podnet* /var/lib/*").split() == ["/run/podnet-host.lock", "/var/lib/lxc"]


def test_a_limit_that_is_high_enough_stays(host: Host, user: User) -> None:
    host.sh("echo 8192 > /proc/sys/fs/inotify/max_user_instances")
    user(*UP)
    assert host.setting("fs/inotify/max_user_instances") == "8192"


@pytest.fixture
def bare(host: Host) -> Host:
    """A host whose kernel has bridge netfilter and overlay as modules, and has not loaded them."""
    host.sh(f"mount -t tmpfs none {NETFILTER}; touch /run/can")
    host.sh("grep -vw overlay /proc/filesystems > /run/filesystems; mount --bind /run/filesystems /proc/filesystems")
    host.program(
        "modprobe",
        f"""case "$*" in
            --dry-run*) test -e /run/can ;;
            br_netfilter) umount {NETFILTER} ;;
            overlay) umount /proc/filesystems ;;
            "--remove br_netfilter") # and what nobody counts as a user of: bridge, with every bridge of the host
                rmmod br_netfilter
                ip -brief link show type bridge | while read -r bridge _; do ip link delete "$bridge"; done ;;
            *) exit 1 ;;
        esac""",
    )
    host.program(
        "rmmod",
        f"""case "$*" in
            br_netfilter) mount -t tmpfs none {NETFILTER} ;;
            overlay) mount --bind /run/filesystems /proc/filesystems ;;
            *) exit 1 ;;
        esac""",
    )
    return host


def loaded(host: Host) -> list[str]:
    look = f"ls {NETFILTER} | grep -o bridge-nf-call-iptables; grep -ow overlay /proc/filesystems"
    return host.sh(look, check=False).split()


def test_the_modules_that_boxes_need_are_loaded_while_they_are_up(bare: Host, user: User) -> None:
    assert loaded(bare) == []
    bare.sh("ip link add br0 type bridge")
    said = user("check", BRIDGE).stdout
    assert [line.split()[3] for line in said.splitlines()] == ["br_netfilter", "overlay"]
    assert loaded(bare) == []
    user(*UP)
    assert loaded(bare) == ["bridge-nf-call-iptables", "overlay"]
    # What passes other bridges of this host need not pass its firewall now.
    assert bare.setting("net/bridge/bridge-nf-call-iptables") == "0"
    user(*DOWN)
    assert loaded(bare) == []
    assert bare.sh("ip -brief link show type bridge").split()[0] == "br0"


def test_a_module_that_somebody_else_needs_by_now_stays(bare: Host, user: User) -> None:
    user(*UP)
    bare.sh("sysctl -qw net.bridge.bridge-nf-call-iptables=1")  # as Docker does
    user(*DOWN)
    assert loaded(bare) == ["bridge-nf-call-iptables"]


def test_a_kernel_without_the_module_is_told_before_anything(bare: Host, user: User) -> None:
    bare.sh("rm /run/can")
    for words in (("check", BRIDGE), UP):
        done = user(*words, check=False)
        assert done.returncode == 1
        assert "boxes need the kernel module br_netfilter, and this host has none" in done.stderr
    assert bare.sh("ip -brief link show type bridge; ls /var/lib") == "lxc\n"


POLICY_DROP = "iptables{0} -P FORWARD DROP && iptables{0} -P INPUT DROP"
UFW = "iptables{0} -N ufw-reject && iptables{0} -A ufw-reject -j REJECT && iptables{0} -A FORWARD -j ufw-reject"
UFW += " && iptables{0} -A INPUT -j ufw-reject"
FIREWALLD = "nft -f - <<END\ntable inet firewalld {\n"
for hook in ("input", "forward"):
    FIREWALLD += f"chain filter_{hook.upper()} {{ type filter hook {hook} priority filter + 10; policy accept;\n"
    FIREWALLD += 'ct state established,related accept\niifname "lo" accept\nreject with icmpx admin-prohibited\n}\n'
FIREWALLD += "}\nEND"
ACCEPTS = "nft -f - <<END\ntable inet lxc {\nchain forward { type filter hook forward priority 0; policy accept;\n"
ACCEPTS += 'iifname "lxcbr0" accept\n}\n}\nEND'

WALLS = {
    "iptables on nftables, policy DROP": POLICY_DROP.format(""),
    "iptables-legacy, policy DROP": POLICY_DROP.format("-legacy"),
    "iptables on nftables, chains that reject": UFW.format(""),
    "iptables-legacy, chains that reject": UFW.format("-legacy"),
    "an nftables table that rejects": FIREWALLD,
    "two of them": f"{POLICY_DROP.format('')}\n{FIREWALLD}",
}

RULES = "nft list ruleset | sed 's/packets [0-9]* bytes [0-9]*//'; iptables-save | grep -v '^[:#]'"
RULES += "; iptables-legacy-save | grep -v '^#' | sed 's/\\[.*//'"


@pytest.mark.parametrize("wall", WALLS)
def test_a_firewall_that_drops_lets_boxes_through_while_they_are_up(host: Host, user: User, wall: str) -> None:
    """Two namespaces on podnet's bridge, and a listener at its gateway, which stands for the outside."""
    host.sh("sysctl -qw net.bridge.bridge-nf-call-iptables=1")
    user(*UP)
    one, other = host.neighbour("10.213.7.2", "one"), host.neighbour("10.213.7.3", "other")
    listeners = [serve(other), serve(host.holder)]
    try:
        assert len(reached(one)) == 2
        host.sh(WALLS[wall])
        before = host.sh(RULES)
        assert reached(one) == []
        assert "This host's firewall" in user("check", BRIDGE).stdout
        user(*UP)
        once = host.sh(RULES)
        user(*UP)
        assert host.sh(RULES) == once
        assert len(reached(one)) == 2
        # Whoever lists them by iptables still can.
        assert "incompatible" not in host.sh("iptables -S; iptables-save")
        user(*DOWN)
        assert host.sh(RULES) == before
    finally:
        for process in (*listeners, one, other):
            process.terminate()
            process.wait()


def serve(process: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
    """A listener in a process's network."""
    text = "import socket; s = socket.create_server(('', 9)); print('ready', flush=True)\nwhile True: s.accept()"
    listener = subprocess.Popen([*enter(process), "python3", "-c", text], stdout=subprocess.PIPE)
    assert listener.stdout is not None
    assert listener.stdout.readline() == b"ready\n"
    return listener


def enter(process: subprocess.Popen[bytes]) -> list[str]:
    return ["nsenter", "--net", "--target", str(process.pid)]


def reached(box: subprocess.Popen[bytes]) -> list[str]:
    """Which of the other box and the gateway a box reaches."""
    text = "import socket, sys; socket.create_connection((sys.argv[1], 9), timeout=1)"
    connect = [*enter(box), "python3", "-c", text]
    addresses = ("10.213.7.3", GATEWAY)
    return [each for each in addresses if not subprocess.run([*connect, each], check=False, stderr=DEVNULL).returncode]


def test_a_firewall_that_only_accepts_is_left_alone(host: Host, user: User) -> None:
    """Debian's lxc comes with one."""
    host.sh("sysctl -qw net.bridge.bridge-nf-call-iptables=1")
    host.sh(ACCEPTS)
    before = host.sh(RULES)
    assert user("check", BRIDGE).stdout == ""
    user(*UP)
    assert host.sh(RULES) == before


def test_what_bridges_carry_needs_no_rule_where_it_passes_no_firewall(host: Host, user: User) -> None:
    host.sh("sysctl -qw net.bridge.bridge-nf-call-iptables=0")
    host.sh("iptables -P FORWARD DROP")
    before = host.sh(RULES)
    user(*UP)
    assert host.sh(RULES) == before
