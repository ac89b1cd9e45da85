"""Machines that podnet knows nothing about: LXC containers of a bare Debian, and what their owner sees of them."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT = Path(__file__).parents[2]
CONTAINERS: Final = Path("/var/lib/lxc")
USER: Final = "admin"

_PACKAGES: Final = ("systemd", "systemd-sysv", "dbus", "openssh-server", "sudo")
_MASKED: Final = (
    "systemd-networkd-wait-online.service systemd-udevd.service systemd-udev-trigger.service apt-daily.timer "
    "apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer getty@.service console-getty.service "
    "systemd-logind.service systemd-timesyncd.service systemd-tmpfiles-clean.timer"
)

# What changes by itself while a machine runs, or says only that something was changed and changed back.
_IGNORED: Final = ("var/log", "var/cache", "var/lib/dpkg", "var/lib/apt", "var/lib/systemd", "var/lib/sudo", "proc",
                   "sys", "dev", "tmp", "var/tmp", "run")  # fmt: skip
# Of the machine as a whole, and changed by every other container too.
_SYSCTLS: Final = "net/ipv4 net/ipv6/conf vm/overcommit_memory kernel/panic kernel/panic_on_oops kernel/keys"
_MOVING: Final = re.compile(r"/(neigh|tcp_mem|udp_mem|tcp_fastopen_key|.*stable_secret|.*(base_reachable|ucast|gc)\w*)")


_INOTIFY: Final = Path("/proc/sys/fs/inotify/max_user_instances")


@dataclass(frozen=True)
class Existing:
    """One of the machines. host_key: its public key."""

    name: str
    address: str
    host_key: str

    def inside(self, command: str) -> str:
        """Run a line of shell as root in the machine."""
        attach = ["lxc-attach", "--clear-env", "--name", self.name, "--", "/bin/sh", "-c", command]
        return subprocess.run(attach, text=True, capture_output=True, check=True).stdout

    def network(self, command: str) -> str:
        """Run this machine's own programs in that one's network: it may have none of its own."""
        enter = ["nsenter", "--net", "--target", self._init(), "sh", "-c", command]
        return subprocess.run(enter, text=True, capture_output=True, check=True).stdout

    def _init(self) -> str:
        told = subprocess.run(["lxc-info", "--no-humanize", "--pid", "--name", self.name], text=True,
                              capture_output=True, check=True)  # fmt: skip
        return told.stdout.strip()

    def snapshot(self) -> dict[str, str]:
        """Give everything that the owner would miss, or find left over, by name."""
        found = {f"file /{path}": text for path, text in _files(CONTAINERS / self.name / "rootfs")}
        found |= _lines("package", self.inside("dpkg-query -W -f '${Package} ${Version} ${Status}\\n'"))
        found |= _lines("unit", self.inside("systemctl list-unit-files --no-legend --plain"))
        found |= _lines("failed", self.inside("systemctl list-units --failed --no-legend --plain"))
        # A login writes the message of the day.
        found |= _lines("run", self.inside("ls -I motd.dynamic /run /run/systemd/system /run/lock"))
        found |= _lines("mount", self.inside("cut -d' ' -f2,3 /proc/self/mounts"))
        found |= _lines("process", self.inside("cat /proc/[0-9]*/comm"))
        found |= _lines("cgroup", self.inside("find /sys/fs/cgroup -type d -name '*kubepods*'"))
        sysctls = self.inside(f"cd /proc/sys; grep -rs '' {_SYSCTLS} || true").splitlines()
        found |= {f"sysctl {line.split(':')[0]}": line for line in sysctls if not _MOVING.search(line)}
        found |= _lines("link", self.network("ip -o link | cut -d' ' -f2"))
        found |= _lines("address", self.network("ip -o -4 address | awk '{ print $2, $4 }'"))
        found |= _lines("route", self.network("ip -4 route show table all; ip rule"))
        return found | {"rules": self.network("nft -s list ruleset")}


def difference(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Say what is not as it was."""
    keys = sorted(before.keys() | after.keys())
    return [f"{key}: {before.get(key)} -> {after.get(key)}" for key in keys if before.get(key) != after.get(key)]


def _lines(kind: str, text: str) -> dict[str, str]:
    return {f"{kind} {line.split()[0]}": line for line in sorted(text.splitlines()) if line.strip()}


def _files(root: Path) -> Iterator[tuple[str, str]]:
    for folder, folders, files in os.walk(root):
        here = Path(folder).relative_to(root)
        folders[:] = [name for name in folders if not str(here / name).startswith(_IGNORED)]
        for name in [*folders, *files]:
            path = here / name
            if str(path).startswith(_IGNORED):
                continue
            status = (root / path).lstat()
            what = f"{stat.filemode(status.st_mode)} {status.st_uid}:{status.st_gid}"
            if stat.S_ISLNK(status.st_mode):
                what += f" -> {(root / path).readlink()}"
            elif stat.S_ISREG(status.st_mode):
                what += f" {hashlib.sha256((root / path).read_bytes()).hexdigest()}"
            yield str(path), what


@contextmanager
def machines(
    work: Path, bridge: str, network: str, names: Sequence[str], public_key: str
) -> Iterator[dict[str, Existing]]:
    """Run machines on a bridge of their own until the end of the block. network: the first three numbers."""
    base = work / "debian"
    _make_debian(base, public_key)
    _clear(names, bridge)
    # Containers share this machine's one limit; with the usual 128 the kubelets of two clusters starve.
    before = _INOTIFY.read_text()
    try:
        _INOTIFY.write_text(str(max(4096, int(before))))
        _run("ip", "link", "add", bridge, "type", "bridge")
        _run("ip", "address", "add", f"{network}.1/24", "dev", bridge)
        _run("ip", "link", "set", bridge, "up")
        made = {
            name: _start(base, bridge, name, f"{network}.{10 + index}", f"{network}.1")
            for index, name in enumerate(names)
        }
        shutil.rmtree(base)
        for each in made.values():
            _wait_for(each)
        yield made
    finally:
        _clear(names, bridge)
        _INOTIFY.write_text(before)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def _clear(names: Sequence[str], bridge: str) -> None:
    for name in names:
        subprocess.run(["lxc-stop", "--kill", "--name", name], check=False, capture_output=True)
        shutil.rmtree(CONTAINERS / name, ignore_errors=True)
    subprocess.run(["ip", "link", "delete", bridge], check=False, capture_output=True)


def _make_debian(root: Path, public_key: str) -> None:
    """A Debian with an init, sshd and sudo, and nothing of what a node needs."""
    _run("mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(_PACKAGES)}", "bookworm", str(root))
    for left in ("etc/hostname", "etc/machine-id", "etc/resolv.conf"):
        (root / left).unlink(missing_ok=True)
    (root / "etc/machine-id").touch()
    (root / "etc/resolv.conf").write_text("nameserver 192.0.2.53\n")
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    prepare = (ROOT / "images/box/root/usr/local/lib/podnet/lxc-prepare").read_text().splitlines(keepends=True)
    # A container is no machine for a kubelet; what makes it one is this machine's affair and not podnet's.
    program = "".join(line for line in prepare if "/run/podnet" not in line)
    (root / "usr/local/sbin/lxc-prepare").write_text(program)
    (root / "usr/local/sbin/lxc-prepare").chmod(0o755)
    unit = (ROOT / "images/box/root/etc/systemd/system/podnet-lxc.service").read_text()
    unit = unit.replace("/usr/local/lib/podnet/lxc-prepare", "/usr/local/sbin/lxc-prepare")
    (root / "etc/systemd/system/lxc-prepare.service").write_text(unit)
    script = (
        f"useradd --create-home --shell /bin/bash {USER}\n"
        f"install -d -o {USER} -g {USER} -m 0700 /home/{USER}/.ssh\n"
        f"printf '%s\\n' '{public_key}' > /home/{USER}/.ssh/authorized_keys\n"
        f"chown {USER}:{USER} /home/{USER}/.ssh/authorized_keys\n"
        f"printf '{USER} ALL=(ALL) NOPASSWD: ALL\\n' > /etc/sudoers.d/{USER}\n"
        # The note that sudo leaves when it is first used; these hosts' owner has used it before.
        f"install -o {USER} -g {USER} -m 0644 /dev/null /home/{USER}/.sudo_as_admin_successful\n"
        "systemctl enable --quiet ssh lxc-prepare\n"
        f"systemctl mask --quiet {_MASKED}\n"
        "systemctl set-default --quiet multi-user.target\n"
    )
    _run("chroot", str(root), "/bin/sh", "-euc", script)


def _start(base: Path, bridge: str, name: str, address: str, gateway: str) -> Existing:
    folder = CONTAINERS / name
    folder.mkdir(parents=True)
    rootfs = folder / "rootfs"
    _run("cp", "--archive", str(base), str(rootfs))
    key = rootfs / "etc/ssh/ssh_host_ed25519_key"
    _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(key))
    (rootfs / "etc/hostname").write_text(f"{name}\n")
    (rootfs / "etc/hosts").write_text(f"127.0.0.1 localhost\n{address} {name}\n")
    config = (ROOT / "images/box/lxc-config").read_text() + (
        f"lxc.uts.name = {name}\n"
        f"lxc.rootfs.path = dir:{rootfs}\n"
        "lxc.net.0.type = veth\n"
        "lxc.net.0.flags = up\n"
        "lxc.net.0.name = eth0\n"
        f"lxc.net.0.link = {bridge}\n"
        f"lxc.net.0.ipv4.address = {address}/24\n"
        f"lxc.net.0.ipv4.gateway = {gateway}\n"
    )
    (folder / "config").write_text(config)
    _run("lxc-start", "--name", name)
    return Existing(name, address, " ".join((key.parent / f"{key.name}.pub").read_text().split()[:2]))


def _wait_for(machine: Existing) -> None:
    """Wait until it is up: what its boot still starts is no change that podnet made."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        told = subprocess.run(
            ["lxc-attach", "--clear-env", "--name", machine.name, "--", "systemctl", "is-system-running", "--wait"],
            text=True, capture_output=True, check=False,
        ).stdout.strip()  # fmt: skip
        if told in {"running", "degraded"}:
            return
        time.sleep(0.5)
    raise AssertionError(f"{machine.name} has not booted: {told}\n{json.dumps(machine.snapshot())[:500]}")
