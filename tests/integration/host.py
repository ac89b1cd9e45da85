"""A host of the test's own for podnet.host, in namespaces.

Its folders, and the settings that all namespaces of a kernel share, are files of the test.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import require_root

ROOT = Path(__file__).parents[2]
PODNET_HOST = (sys.executable, "-P", "-m", "podnet.host")
BRIDGE = "podnet-unit"
GATEWAY = "10.213.7.1"
UP = ("network-up", BRIDGE, f"{GATEWAY}/24", "10.213.7.0/24", "10.214.0.0/16")
DOWN = ("network-down", BRIDGE)

SHARED = {
    "fs/file-max": "100000",
    "fs/inotify/max_user_instances": "128",
    "fs/nr_open": "1024",
    "fs/protected_fifos": "0",
    "fs/protected_hardlinks": "0",
    "fs/protected_regular": "0",
    "fs/protected_symlinks": "0",
    "kernel/keys/root_maxbytes": "20000",
    "kernel/keys/root_maxkeys": "200",
    "kernel/panic": "1",
    "kernel/panic_on_oops": "0",
    "kernel/pid_max": "32768",
    "vm/overcommit_memory": "0",
    "vm/panic_on_oom": "2",
}
"""Settings of the whole kernel, below /proc/sys, as they are on this host before anything."""

CONFIG = """lxc.uts.name = {name}
lxc.net.0.type=veth
lxc.net.0.link={bridge}
lxc.mount.entry={folder}/machines/{node}/authorized_keys home/vagrant/.ssh/authorized_keys none bind,ro,create=file 0 0
lxc.mount.entry={folder}/machines/{node}/hostname etc/hostname none bind,ro,create=file 0 0
"""
"""What Vagrant leaves of a container: as in podnet's Vagrantfile."""


class Host:
    """Namespaces with an empty /var/lib and /run; programs in ``bin`` come before all others."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir()
        mounts = ["set -e", "mount -t tmpfs none /var/lib", "mkdir /var/lib/lxc", "mount -t tmpfs none /run"]
        for number, (key, value) in enumerate(SHARED.items()):
            (folder / f"setting{number}").write_text(f"{value}\n")
            mounts.append(f"mount --bind {folder}/setting{number} /proc/sys/{key}")
        command = "; ".join([*mounts, "ip link set lo up", "echo ready", "exec sleep 600"])
        self.holder = subprocess.Popen(["unshare", "--net", "--mount", "sh", "-c", command], stdout=subprocess.PIPE)
        assert self.holder.stdout is not None
        assert self.holder.stdout.readline() == b"ready\n"

    def run(
        self, *command: str, environ: Mapping[str, str] | None = None, check: bool = True, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a program on this host."""
        path = f"{self.bin}:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"
        enter = ["nsenter", "--net", "--mount", "--target", str(self.holder.pid), *command]
        done = subprocess.run(
            enter,
            env={"PATH": path, "LC_ALL": "C", **(environ or {})},
            cwd="/",
            text=True,
            input=stdin,
            capture_output=True,
            check=False,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def sh(self, command: str, *, check: bool = True) -> str:
        """Run a line of shell; what it prints."""
        return self.run("sh", "-c", command, check=check).stdout

    def user(self, name: str) -> User:
        """Somebody with a state folder on this host."""
        return User(self, self.folder / name / "stacks")

    def program(self, name: str, text: str) -> None:
        """Put a program there before any other of this name."""
        (self.bin / name).write_text(f"#!/bin/sh\n{text}\n")
        (self.bin / name).chmod(0o755)

    def setting(self, key: str) -> str:
        return self.sh(f"cat /proc/sys/{key}").strip()

    def container(self, name: str, text: str) -> None:
        """A container as LXC keeps one; it never runs."""
        self.run("sh", "-c", f"mkdir -p /var/lib/lxc/{name} && cat > /var/lib/lxc/{name}/config", stdin=text)

    def neighbour(self, address: str, name: str) -> subprocess.Popen[bytes]:
        """A process with a network namespace of its own on the bridge, as a box has."""
        enter = ["nsenter", "--net", "--target", str(self.holder.pid), "unshare", "--net"]
        process = subprocess.Popen([*enter, "sh", "-c", "echo ready; exec sleep 600"], stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        self.sh(f"ip link add {name} type veth peer name {name}-in && ip link set {name} master {BRIDGE} up")
        self.sh(f"ip link set {name}-in netns {process.pid}")
        inside = f"ip link set lo up && ip address add {address}/24 dev {name}-in && ip link set {name}-in up"
        subprocess.run(["nsenter", "--net", "--target", str(process.pid), "sh", "-c", inside], check=True)
        return process

    def close(self) -> None:
        self.holder.terminate()
        self.holder.wait()


class User:
    """Somebody's folder of stacks, and the real subcommands called with it."""

    def __init__(self, host: Host, stacks: Path) -> None:
        self.host = host
        self.stacks = stacks
        stacks.mkdir(parents=True)

    @property
    def environ(self) -> dict[str, str]:
        return {
            "HOME": str(self.stacks.parent),
            "PODNET_STACKS": str(self.stacks),
            "PYTHONPATH": str(ROOT),
            "PODNET_BOX": "podnet-unit",
            "PODNET_BUNDLE": str(self.host.folder / "bundle"),
        }

    def __call__(self, *words: str, check: bool = True, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """A subcommand."""
        return self.host.run(*PODNET_HOST, *words, environ=self.environ, check=check, stdin=stdin)

    def container(self, node: str, stack: str = "unit") -> str:
        """A container that was made for this user's stack."""
        name = f"podnet-{stack}-{node}"
        folder = self.stacks / stack
        self.host.container(name, CONFIG.format(name=name, bridge=BRIDGE, folder=folder, node=node))
        return name


@contextmanager
def a_host(folder: Path) -> Iterator[Host]:
    """Make one, and end it."""
    require_root("namespaces")
    made = Host(folder)
    try:
        yield made
    finally:
        made.close()


def has(*programs: str) -> bool:
    """Whether this machine has these programs."""
    return all(shutil.which(program) for program in programs)
