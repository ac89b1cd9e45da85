"""podnet-claim on a real Debian: claimed, made a node of, and given back as it was found.

The Debian lies in a folder and runs in namespaces of its own, without an init: systemctl is a stub that notes what it
is told.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from podnet import config
from podnet.commands import claim
from podnet.commands.shell import Command

ROOT = Path(__file__).parents[2]
CLUSTER = config.from_stack_file(ROOT / "examples" / "Pulumi.existing.yaml")
NODE = CLUSTER.workers[0]
CLAIM = claim.claim(CLUSTER, NODE)
ADDED_PACKAGES = ("iptables", "nftables", "iproute2", "procps")

# What changes by itself, or says only that something was changed and changed back.
IGNORED = (
    "var/log", "var/cache", "var/lib/dpkg", "var/lib/apt", "proc", "sys", "dev", "tmp", "run/mount", "systemctl.log",
)  # fmt: skip

KUBERNETES = """
*nat
:KUBE-SERVICES - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-SVC-ABC - [0:0]
:CNI-HOSTPORT-DNAT - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
-A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m comment --comment "default/kubernetes:https cluster IP" -j KUBE-SVC-ABC
-A KUBE-SVC-ABC -j KUBE-POSTROUTING
COMMIT
*filter
:KUBE-FORWARD - [0:0]
-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
COMMIT
"""


class Debian:
    """A Debian in a folder, held by a process with namespaces of its own."""

    def __init__(self, base: Path, folder: Path) -> None:
        self.root = folder / "root"
        for part in ("root", "changes", "work"):
            (folder / part).mkdir()
        layers = f"lowerdir={base},upperdir={folder / 'changes'},workdir={folder / 'work'}"
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", layers, str(self.root)], check=True)
        self._holder = subprocess.Popen(
            [
                *("unshare", "--net", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child"),
                *("chroot", str(self.root), "sh", "-c"),
                "mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t tmpfs tmpfs /run;"
                "mkdir -p /run/systemd/system; echo ready; exec sleep 600",
            ],
            stdout=subprocess.PIPE,
        )
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == b"ready\n"
        children = Path(f"/proc/{self._holder.pid}/task/{self._holder.pid}/children").read_text().split()
        self.init = children[0]
        self.net("ip link add eth0 type veth peer name other && ip link set other up && ip link set lo up")
        self.net(f"ip address add {NODE.address}/24 dev eth0 && ip link set eth0 up")

    def net(self, command: str) -> str:
        """Run this machine's own programs in the Debian's network."""
        enter = ["nsenter", "--net", "--target", self.init, "sh", "-c", command]
        return subprocess.run(enter, text=True, capture_output=True, check=True).stdout

    def run(self, command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        enter = ["nsenter", "--net", "--mount", "--uts", "--pid", "--root", "--wd", "--target", self.init]
        environ = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
        return subprocess.run(
            [*enter, "sh", "-c", command], input=stdin, text=True, capture_output=True, check=False, env=environ
        )

    def __call__(self, command: str, stdin: str = "") -> str:
        done = self.run(command, stdin)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def claim(self, command: Command = CLAIM) -> subprocess.CompletedProcess[str]:
        return self.run(command.create.removeprefix("sudo -n "), command.stdin or "")

    def release(self, command: Command = CLAIM, within: float = 0) -> subprocess.CompletedProcess[str]:
        """Release. within: seconds after which it is killed; 0 for never."""
        assert command.delete is not None
        line = command.delete.removeprefix("sudo -n ")
        return self.run(f"timeout -s KILL {within} {line}" if within else line, command.stdin or "")

    def snapshot(self) -> dict[str, str]:
        """Give everything that a host's owner would miss, or find left over."""
        found = {f"file {path}": text for path, text in _files(Path(f"/proc/{self.init}/root"))}
        packages = self("dpkg-query --show --showformat '${Package} ${Version} ${Status}\\n'")
        found |= {f"package {line.split()[0]}": line for line in packages.splitlines()}
        found |= {f"sysctl {line.split(':')[0]}": line for line in self(_SYSCTLS).splitlines()}
        found["rules"] = self.net("nft -s list ruleset")
        found["links"] = self.net("ip -o link | cut -d' ' -f2")
        found["routes"] = self.net("ip -4 route show table all")
        found["mounts"] = self("cut -d' ' -f2 /proc/self/mounts")
        return found

    def close(self) -> None:
        self._holder.kill()  # unshare takes no other signal; its child goes with it
        self._holder.wait()
        subprocess.run(["umount", "--lazy", str(self.root)], check=True)


_SYSCTLS = "grep -r . /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/conf 2> /dev/null; true"


def _files(root: Path) -> Iterator[tuple[str, str]]:
    for folder, folders, files in os.walk(root):
        here = Path(folder).relative_to(root)
        folders[:] = [name for name in folders if not str(here / name).startswith(IGNORED)]
        for name in [*folders, *files]:
            path = here / name
            if str(path).startswith(IGNORED):
                continue
            status = (root / path).lstat()
            what = f"{stat.filemode(status.st_mode)} {status.st_uid}:{status.st_gid}"
            if stat.S_ISLNK(status.st_mode):
                what += f" -> {(root / path).readlink()}"
            elif stat.S_ISREG(status.st_mode):
                what += f" {hashlib.sha256((root / path).read_bytes()).hexdigest()}"
            yield str(path), what


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a minimal Debian with the node's packages at hand as files, and what its owner has put there."""
    if os.geteuid() != 0 or shutil.which("mmdebstrap") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("a Debian to claim needs root and mmdebstrap, and in CI it is not skipped")
        pytest.skip("a Debian to claim needs root and mmdebstrap")
    root = tmp_path_factory.mktemp("debian") / "root"
    fetch = f'chroot "$1" apt-get -qq --download-only --yes install {" ".join(ADDED_PACKAGES)}'
    options = ["--quiet", "--variant=minbase", "--skip=essential/unlink,cleanup/apt", f"--customize-hook={fetch}"]
    subprocess.run(["mmdebstrap", *options, "bookworm", str(root)], check=True, capture_output=True)
    bundle = root / "tmp" / "bundle"
    (bundle / "debs").mkdir(parents=True)
    for deb in (root / "var/cache/apt/archives").glob("*.deb"):
        shutil.move(deb, bundle / "debs" / deb.name)
    shutil.copytree(ROOT / "images/bundle/root", bundle / "root")
    shutil.copy2(ROOT / "images/bundle/install", bundle / "install")
    for name in ("usr/local/bin/kubelet", "usr/local/bin/containerd", "usr/local/bin/ctr", "opt/cni/bin/bridge"):
        program(bundle / "root" / name, "exit 0")
    (bundle / "images.tar").touch()
    (bundle / "checksum").write_text("of the bundle\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n")
    program(root / "usr/bin/systemctl", 'echo "$*" >> /systemctl.log')
    # A plugin of the owner's own, in the place of one of the bundle's.
    program(root / "opt/cni/bin/bridge", "echo theirs")
    (root / "opt/cni/bin/bridge").chmod(0o700)
    return root


def program(path: Path, line: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


@pytest.fixture
def debian(base: Path, tmp_path: Path) -> Iterator[Debian]:
    made = Debian(base, tmp_path)
    try:
        yield made
    finally:
        made.close()


def difference(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Say what is not as it was."""
    keys = sorted(before.keys() | after.keys())
    return [f"{key}: {before.get(key)} -> {after.get(key)}" for key in keys if before.get(key) != after.get(key)]


def install(debian: Debian) -> None:
    """Put the bundle there as podnet-host does."""
    debian("cp --recursive /tmp/bundle /var/lib/podnet/unpacked")
    debian("sh /var/lib/podnet/claim remember /var/lib/podnet/unpacked && sh /var/lib/podnet/unpacked/install")


def live(debian: Debian) -> None:
    """Leave behind what a node leaves that has run Kubernetes for a while."""
    debian(
        "mkdir -p /etc/kubernetes/manifests /var/lib/etcd/member /var/lib/kubelet/pods/1/volumes/token /etc/podnet"
        " /usr/local/lib/podnet /etc/cni/net.d /var/log/pods/x /usr/share/ca-certificates /run/podnet"
        " '/var/lib/kubelet/pods/1/volumes/with space' /usr/libexec/kubernetes/kubelet-plugins /lib/modules"
    )
    debian("echo secret > /etc/kubernetes/admin.conf; echo conf > /etc/cni/net.d/10-mynet.conflist")
    debian("cd /etc/systemd/system && touch podnet-network.timer podnet-network.service /run/xtables.lock")
    debian("mount -t tmpfs tmpfs /var/lib/kubelet/pods/1/volumes/token")
    debian("mount -t tmpfs tmpfs '/var/lib/kubelet/pods/1/volumes/with space'")
    debian("ip link add cni0 type bridge && ip address add 10.58.2.1/24 dev cni0 && ip link set cni0 up")
    debian("ip route add 10.58.1.0/24 via 10.120.8.200 proto 201")
    debian("iptables-restore --noflush", KUBERNETES)
    debian("ip6tables-restore --noflush", "*filter\n:KUBE-FIREWALL - [0:0]\n-A INPUT -j KUBE-FIREWALL\nCOMMIT\n")
    debian("nft -f -", "table ip podnet { chain postrouting { type nat hook postrouting priority srcnat + 10; }; }\n")
    debian("echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet")


def test_the_host_is_left_as_it_was_found(debian: Debian) -> None:
    before = debian.snapshot()
    assert debian.claim().returncode == 0
    install(debian)
    live(debian)
    dirty = difference(before, debian.snapshot())
    for name in ("file usr/local/bin/kubelet", "file opt/cni/bin/bridge", "package iptables", "rules", "routes"):
        assert [line for line in dirty if line.startswith(f"{name}:")], name
    done = debian.release()
    assert done.returncode == 0, done.stderr
    assert difference(before, debian.snapshot()) == []


@pytest.fixture
def cgroup(debian: Debian) -> Iterator[Path]:
    """Give the Debian's own cgroup, and show it there as the root of all."""
    top = Path("/sys/fs/cgroup")
    controller = "pids" if (top / "pids").is_dir() else ""
    made = top / controller / f"podnet-test-{os.getpid()}"
    made.mkdir()
    seen = debian.root / "sys/fs/cgroup"
    bind = f"mount -t tmpfs tmpfs {seen}; mkdir -p {seen / controller}; mount --bind {made} {seen / controller}"
    subprocess.run(["nsenter", "--mount", "--target", debian.init, "sh", "-euc", bind], check=True)
    yield made
    for folder in sorted(made.rglob("*"), reverse=True):
        if folder.is_dir():
            folder.rmdir()
    made.rmdir()


def test_pods_that_outlive_containerd_are_ended(debian: Debian, cgroup: Path) -> None:
    debian.claim()
    install(debian)
    pod = cgroup / "kubepods" / "burstable" / "pod1"
    pod.mkdir(parents=True)
    # A program of Kubernetes' may catch a signal.
    where = next(path for path in ("/sys/fs/cgroup/pids", "/sys/fs/cgroup") if Path(path).is_dir())
    line = f"echo $$ > {where}/kubepods/burstable/pod1/cgroup.procs; trap '' TERM; exec sleep 300"
    debian(f"sh -c '{line}' > /dev/null 2>&1 & sleep 0.5")
    assert (pod / "cgroup.procs").read_text().split()
    assert debian.release().returncode == 0
    assert not (cgroup / "kubepods").exists()
    assert "sleep 300" not in debian("cat /proc/[0-9]*/cmdline | tr '\\0' ' '")


def test_units_are_stopped_before_their_files_go(debian: Debian) -> None:
    debian.claim()
    install(debian)
    debian.release()
    words = debian("cat /systemctl.log").splitlines()
    for unit in ("podnet-network.timer", "kubelet.service", "containerd.service"):
        assert f"disable --quiet --now {unit}" in words
    assert words.index("disable --quiet --now containerd.service") < len(words) - words[::-1].index("daemon-reload") - 1


def test_what_the_owner_did_meanwhile_stays(debian: Debian) -> None:
    debian("nft -f - 2> /dev/null || true")
    debian.net("nft add table inet theirs")
    debian.claim()
    install(debian)
    live(debian)
    debian("iptables -A INPUT -p tcp --dport 9999 -j DROP && mkdir -p /opt/cni/bin && echo x > /opt/cni/bin/added")
    debian("echo theirs > /usr/share/ca-certificates/own.crt; ip route add 192.0.2.0/24 via 10.120.8.1")
    assert debian.release().returncode == 0
    rules = debian.net("nft list ruleset")
    assert "table inet theirs" in rules
    assert "tcp dport 9999" in rules
    assert "KUBE" not in rules
    assert "192.0.2.0/24" in debian.net("ip route")
    assert debian("cat /opt/cni/bin/added /usr/share/ca-certificates/own.crt") == "x\ntheirs\n"


def test_a_package_that_is_needed_since_stays_and_is_named(debian: Debian) -> None:
    debian.claim()
    install(debian)
    debian(
        "mkdir -p /tmp/own/DEBIAN && printf 'Package: own\\nVersion: 1\\nArchitecture: all\\nMaintainer: x <x@x>\\n"
        "Depends: nftables\\nDescription: x\\n' > /tmp/own/DEBIAN/control && dpkg-deb --build /tmp/own /tmp/own.deb"
        " && dpkg --install /tmp/own.deb"
    )
    done = debian.release()
    assert done.returncode == 0
    assert "the package nftables stays" in done.stderr
    status = debian("dpkg-query --show --showformat '${db:Status-Status}' nftables")
    assert status == "installed"
    assert debian.run("dpkg-query --show iptables").returncode != 0


@pytest.mark.parametrize("step", ["install", "release"])
def test_goes_on_where_it_was_interrupted(debian: Debian, step: str) -> None:
    before = debian.snapshot()
    debian.claim()
    if step == "install":
        debian("cp --recursive /tmp/bundle /var/lib/podnet/unpacked")
        for seconds in (0.05, 0.2, 0.5, 1):
            debian.run(f"timeout -s KILL {seconds} sh /var/lib/podnet/claim remember /var/lib/podnet/unpacked")
            debian.run(f"timeout -s KILL {seconds} sh /var/lib/podnet/unpacked/install")
            debian.run("dpkg --configure --pending")
    install(debian)
    live(debian)
    if step == "release":
        # A little later each time, until it is through before it is killed.
        cut = 0
        while debian.release(within=cut / 20 + 0.02).returncode:
            cut += 1
        assert cut > 5
    assert debian.release().returncode == 0
    assert difference(before, debian.snapshot()) == []


def test_what_a_killed_purge_left_undone_is_done(debian: Debian) -> None:
    """Dpkg runs the triggers of other packages last."""
    before = debian.snapshot()
    debian.claim()
    install(debian)
    debian("dpkg --no-triggers --purge --force-remove-reinstreq $(cat /var/lib/podnet/before/packages)")
    assert "triggers-pending" in debian("dpkg-query --show --showformat '${db:Status-Status} ' libc-bin")
    assert debian.release().returncode == 0
    assert difference(before, debian.snapshot()) == []


def test_released_twice_and_without_a_claim(debian: Debian) -> None:
    before = debian.snapshot()
    assert debian.release().returncode == 0
    debian.claim()
    assert debian.release().returncode == 0
    assert debian.release().returncode == 0
    assert difference(before, debian.snapshot()) == []


def test_a_second_claim_changes_nothing(debian: Debian) -> None:
    debian.claim()
    install(debian)
    before = debian.snapshot()
    assert debian.claim().returncode == 0
    assert difference(before, debian.snapshot()) == []


def with_bridge(name: str) -> Command:
    return claim.claim(replace(CLUSTER, cni=replace(CLUSTER.cni, bridge=name)), NODE)


def test_another_bridge_that_is_somebody_s_is_refused_and_stays(debian: Debian) -> None:
    debian.claim()
    install(debian)
    live(debian)
    debian.net("ip link add virbr7 type bridge")
    before = debian.snapshot()
    for name in ("virbr7", "eth0"):
        done = debian.claim(with_bridge(name))
        assert done.returncode == 1
        assert "this host cannot have another bridge for the pods; nothing was changed on it" in done.stderr
        assert f"there is an interface {name} already" in done.stderr
    assert difference(before, debian.snapshot()) == []
    assert debian.claim().returncode == 0, "back to the one that is podnet's"
    assert debian.release().returncode == 0
    assert debian.net("ip -o link show virbr7")
    assert "cni0" not in debian.net("ip -o link")


def test_another_bridge_that_is_nobody_s_is_taken_and_goes(debian: Debian) -> None:
    before = debian.snapshot()
    debian.claim()
    install(debian)
    live(debian)
    assert debian.claim(with_bridge("pods0")).returncode == 0
    debian.net("ip link delete cni0; ip link add pods0 type bridge")
    # An up that was cut off after that: the bridge that is there is podnet's.
    assert debian.claim(with_bridge("pods0")).returncode == 0
    assert debian.release(with_bridge("pods0")).returncode == 0
    assert difference(before, debian.snapshot()) == []


def test_the_host_of_another_node_is_refused_and_not_released(debian: Debian) -> None:
    debian.claim()
    before = debian.snapshot()
    other = claim.claim(CLUSTER, CLUSTER.control_plane)
    done = debian.claim(other)
    assert done.returncode == 1
    assert "this host is taken: it is node node1 of the stack existing" in done.stderr
    assert "sudo sh /var/lib/podnet/claim release" in done.stderr
    assert debian.release(other).returncode == 0
    assert difference(before, debian.snapshot()) == []


def test_a_host_that_is_not_free_is_refused_and_not_touched(debian: Debian) -> None:
    debian("mkdir -p /etc/kubernetes /var/lib/etcd/member && echo x > /etc/kubernetes/admin.conf")
    debian("printf '#!/bin/sh\\n' > /usr/bin/dockerd && chmod +x /usr/bin/dockerd")
    debian("sed -i s/12/13/ /etc/os-release && rmdir /run/systemd/system")
    debian.net(f"ip link add cni0 type bridge; ip address del {NODE.address}/24 dev eth0")
    before = debian.snapshot()
    done = debian.claim()
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if line.startswith("  - ")]
    assert lines == [
        "  - the node bundle is for Debian 12 on amd64; here is debian 13 on amd64",
        "  - systemd does not run here",
        "  - the node's address 10.120.8.201 is none of this host's, which has none",
        "  - there is an interface cni0 already, which is to be the pods' bridge (cni.bridge)",
        "  - there is a dockerd already: /usr/bin/dockerd",
        "  - /etc/kubernetes is not empty",
        "  - /var/lib/etcd is not empty",
    ]
    assert difference(before, debian.snapshot()) == []
