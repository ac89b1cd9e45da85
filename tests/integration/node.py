"""A node without a machine: podnet's scripts on a real kernel, in namespaces with folders of their own."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from podnet.commands import network
from podnet.node import masquerade
from podnet.node.spec import Masquerade, Route
from tests.conftest import require_root

ROUTE = Route("node1", "node2", "10.22.3.0/24", "10.100.198.202")
MASQUERADE = Masquerade(("10.22.2.0/24",), ("10.22.0.0/16",), ("10.96.0.0/16",))
LIBRARY = "/usr/local/lib/podnet"
# /etc and /usr/local as they are on this machine, and whatever is written there is the test's.
MOUNTS = """
set -e
for folder in etc usr/local; do
    changes=$1/$folder
    mkdir -p "$changes" "$changes.work"
    mount -t overlay overlay -o "lowerdir=/$folder,upperdir=$changes,workdir=$changes.work" "/$folder"
done
mount -t tmpfs tmpfs /run
mkdir -p /run/podnet /etc/podnet/routes.d /etc/podnet/peers.d /etc/podnet/set-aside /usr/local/lib/podnet
echo ready
exec sleep 600
"""


class Node:
    """A process that keeps a network and a mount namespace. etc: its /etc/podnet; bin: what its PATH looks in first."""

    def __init__(self, folder: Path) -> None:
        self._holder = subprocess.Popen(
            ["unshare", "--net", "--mount", "sh", "-c", MOUNTS, "sh", str(folder)], stdout=subprocess.PIPE
        )
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == b"ready\n"
        self.pid = self._holder.pid
        root = Path(f"/proc/{self.pid}/root")
        self.etc = root / "etc/podnet"
        self.bin = root / "usr/local/sbin"
        for path, mode, text in network.program():
            if path.startswith(LIBRARY):
                file = root / path[1:]
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
                file.chmod(int(mode, 8))
        self("ip link add eth0 type veth peer name other && ip link set other up && ip link set lo up")
        self("ip address add 10.100.198.201/24 dev eth0 && ip link set eth0 up")

    def run(self, command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a line of shell there, as root, with the PATH of a service."""
        enter = ["nsenter", "--net", "--mount", "--target", str(self._holder.pid), "sh", "-c", command]
        environ = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
        return subprocess.run(enter, input=stdin, text=True, capture_output=True, check=False, env=environ)

    def __call__(self, command: str, stdin: str = "") -> str:
        done = self.run(command, stdin)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def converge(self) -> str:
        """Run the service's work once, which has to end well; what it said."""
        return self(f"{LIBRARY}/podnet-node reconcile")

    def fails(self) -> str:
        """Run the service's work once, which has to fail; what it said on its standard error."""
        done = self.run(f"{LIBRARY}/podnet-node reconcile")
        assert done.returncode == 1, done.stdout + done.stderr
        return done.stderr

    def breaks(self, program: str, arguments: str, times: int) -> None:
        """Let a program fail where its arguments match a shell pattern, so many times; then it works again."""
        real = self(f"command -v {program}").strip()
        (self.bin / f"{program}.left").write_text("x" * times)
        (self.bin / program).write_text(
            "#!/bin/sh\n"
            f"left=/usr/local/sbin/{program}.left\n"
            f'case "$*" in {arguments})\n'
            '    if [ -s "$left" ]; then\n'
            '        rest=$(tail -c +2 "$left")\n'
            '        printf %s "$rest" > "$left"\n'
            f'        echo "{program}: killed by the test" >&2\n'
            "        exit 137\n"
            "    fi ;;\n"
            "esac\n"
            f'exec {real} "$@"\n'
        )
        (self.bin / program).chmod(0o755)

    def pod(self, address: str) -> subprocess.Popen[bytes]:
        """A process with a network namespace of its own, behind this node."""
        command = ["nsenter", "--net", "--target", str(self._holder.pid), "unshare", "--net"]
        pod = subprocess.Popen([*command, "sh", "-c", "echo ready; exec sleep 600"], stdout=subprocess.PIPE)
        assert pod.stdout is not None
        assert pod.stdout.readline() == b"ready\n"
        self("ip link add cni0 type veth peer name pod && ip address add 10.22.2.1/24 dev cni0 && ip link set cni0 up")
        self(f"ip link set pod netns {pod.pid} && sysctl -qw net.ipv4.ip_forward=1")
        inside = f"ip address add {address}/24 dev pod && ip link set pod up && ip route add default via 10.22.2.1"
        self(f"nsenter --net --target {pod.pid} sh -c '{inside}'")
        return pod

    def close(self) -> None:
        self._holder.terminate()
        self._holder.wait()


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """Give a node with a masquerade and a route to one other, which are written down and not yet made."""
    require_root("namespaces")
    made = Node(tmp_path)
    try:
        (made.etc / "routes.d" / "node2").write_text(f"{ROUTE}\n")
        (made.etc / "peers.d" / "node2").write_text(f"{ROUTE.gateway}\n")
        (made.etc / "masquerade.json").write_text(masquerade.document(MASQUERADE))
        yield made
    finally:
        made.close()
