"""The agent as a node runs it: a process in a network namespace of its own, with a pod's end of a veth beside it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from podnet.observe.sessions import _RECEIVE, agent_source
from tests.conftest import require_root

NODE, POD = "10.22.2.1", "10.22.2.2"

PING = """
import socket, struct, sys
def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF
address, kind, tag = sys.argv[1], int(sys.argv[2]), bytes.fromhex(sys.argv[3])
body = bytes(16) + tag * 2
packet = struct.pack("!BBHHH", kind, 0, 0, 1, 1) + body
packet = struct.pack("!BBHHH", kind, 0, checksum(packet), 1, 1) + body
socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).sendto(packet, (address, 0))
"""
"""An echo request as ping(8) sends it with -p: a time stamp, then the pattern."""


OTHER = """
import socket
server = socket.create_server(("", 7411))
print(flush=True)
while True:
    server.accept()[0].sendall(b"SSH-2.0\\nx\\n")
"""
"""A server of another kind."""


class Namespace:
    """A process that keeps a network namespace."""

    def __init__(self) -> None:
        command = ["unshare", "--net", "sh", "-c", "echo; exec sleep 600"]
        self._holder = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self._holder.stdout is not None
        self._holder.stdout.readline()
        self.pid = self._holder.pid

    def enter(self, *command: str) -> list[str]:
        return ["nsenter", "--net", "--target", str(self.pid), *command]

    def __call__(self, *command: str) -> None:
        subprocess.run(self.enter(*command), check=True)

    def close(self) -> None:
        self._holder.terminate()
        self._holder.wait()


class Agent:
    """The agent on the node, asked as podnet asks it."""

    def __init__(self, node: Namespace) -> None:
        program = agent_source().encode()
        command = node.enter(
            sys.executable, "-u", "-c", _RECEIVE, str(len(program)), "attend", NODE, f"{POD} 50000 {NODE} 22"
        )
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._stdin, self._stdout = self.process.stdin, self.process.stdout
        self._stdin.write(program)
        self._stdin.flush()
        first = json.loads(self._stdout.readline())
        self.port: int = first["port"]
        self.caller: str = first["caller"]

    def ask(self, **request: Any) -> Any:
        self._stdin.write(json.dumps(request).encode() + b"\n")
        self._stdin.flush()
        return json.loads(self._stdout.readline())

    def end(self) -> int:
        self._stdin.close()
        return self.process.wait(timeout=10)


@pytest.fixture
def pair() -> Iterator[tuple[Namespace, Namespace]]:
    """Give a node and a pod on it."""
    require_root("namespaces")
    node, pod = Namespace(), Namespace()
    try:
        node("ip", "link", "add", "cni0", "type", "bridge")
        node("ip", "address", "add", f"{NODE}/24", "dev", "cni0")
        node("ip", "link", "add", "veth0", "type", "veth", "peer", "name", "eth0", "netns", str(pod.pid))
        node("ip", "link", "set", "veth0", "master", "cni0", "up")
        for name in ("cni0", "lo"):
            node("ip", "link", "set", name, "up")
        pod("ip", "address", "add", f"{POD}/24", "dev", "eth0")
        for name in ("eth0", "lo"):
            pod("ip", "link", "set", name, "up")
        yield node, pod
    finally:
        for each in (node, pod):
            each.close()


def _probes(pod: Namespace, *probes: dict[str, Any]) -> list[dict[str, Any]]:
    command = pod.enter(sys.executable, "-c", agent_source(), "probe")
    # With -c the first argument is argv[1], as for a file.
    done = subprocess.run(command, input=json.dumps(probes), text=True, capture_output=True, check=True)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_a_pod_is_told_as_what_the_node_saw_it(pair: tuple[Namespace, Namespace]) -> None:
    node, pod = pair
    agent = Agent(node)
    to = {"address": NODE, "port": agent.port}
    found = _probes(
        pod,
        {"id": "tcp", "action": "tcp", **to},
        {"id": "udp", "action": "udp", **to},
        {"id": "bulk", "action": "tcp", "bytes": 10_000_000, "timeout": 20, **to},
        {"id": "closed", "action": "tcp", "address": NODE, "port": 1},
    )
    assert [(each["id"], each["ok"], each.get("source")) for each in found] == [
        ("tcp", True, POD), ("udp", True, POD), ("bulk", True, POD), ("closed", False, None),
    ]  # fmt: skip
    assert "refused" in found[3]["error"]
    assert all(each["ms"] > 0 for each in found[:3])
    assert agent.end() == 0


def test_the_node_is_not_served_on_other_addresses(pair: tuple[Namespace, Namespace]) -> None:
    node, _ = pair
    agent = Agent(node)
    there = {"action": "tcp", "port": agent.port}
    answers = agent.ask(do="probe", probes=[{"id": "lo", "address": "127.0.0.1", **there},
                                            {"id": "own", "address": NODE, **there}])  # fmt: skip
    assert [each["ok"] for each in answers] == [False, True]
    assert (answers[1]["source"], answers[1]["local"]) == (NODE, NODE)
    agent.end()


def test_it_tells_where_its_login_came_from(pair: tuple[Namespace, Namespace]) -> None:
    agent = Agent(pair[0])
    assert agent.caller == POD
    agent.end()


def test_what_answers_in_another_way_is_told_as_such(pair: tuple[Namespace, Namespace]) -> None:
    node, pod = pair
    agent = Agent(node)
    with subprocess.Popen(pod.enter(sys.executable, "-c", OTHER), stdout=subprocess.PIPE) as serving:
        assert serving.stdout is not None
        serving.stdout.readline()
        [answer] = agent.ask(do="probe", probes=[{"id": "x", "action": "tcp", "address": POD, "port": 7411}])
        serving.terminate()
    assert (answer["ok"], answer["error"]) == (False, "it answers, but not with the address that it saw")
    agent.end()


def test_pings_are_seen_with_their_source_and_tag(pair: tuple[Namespace, Namespace]) -> None:
    node, pod = pair
    agent = Agent(node)
    tags = {name: name.encode().hex().ljust(32, "0") for name in ("to-node", "to-pod", "answer")}
    pod(sys.executable, "-c", PING, NODE, "8", tags["to-node"])
    node(sys.executable, "-c", PING, POD, "8", tags["to-pod"])
    pod(sys.executable, "-c", PING, NODE, "0", tags["answer"])  # an echo reply is no ping
    seen = agent.ask(do="echoes")
    assert seen == {tags["to-node"]: POD, tags["to-pod"]: NODE}
    agent.end()


def test_a_masqueraded_ping_is_seen_as_such(pair: tuple[Namespace, Namespace]) -> None:
    """Where it comes out: what goes in at the other side of the rule is not the last that is seen."""
    node, pod = pair
    node("ip", "address", "add", "192.0.2.9/32", "dev", "lo")
    node("nft", "add table ip t")
    node("nft", "add chain ip t c { type nat hook postrouting priority srcnat; }")
    node("nft", f"add rule ip t c ip daddr {POD} snat to 192.0.2.9")
    pod("ip", "route", "add", "default", "via", NODE)
    agent = Agent(node)
    node(sys.executable, "-c", PING, POD, "8", "ab" * 16)
    assert agent.ask(do="echoes") == {"ab" * 16: "192.0.2.9"}
    agent.end()


def test_it_looks_at_what_it_is_told_to(pair: tuple[Namespace, Namespace]) -> None:
    node, _ = pair
    agent = Agent(node)
    answer = agent.ask(
        do="look",
        programs={"links": ["ip", "-json", "link"], "none": ["no-such-program"], "no": ["false"]},
        files={"forward": "/proc/sys/net/ipv4/ip_forward", "none": "/no/such/file"},
        folders={"none": "/no/such/folder", "net": "/proc/self/net/dev_snmp6"},
    )
    assert "cni0" in [link["ifname"] for link in json.loads(answer["programs"]["links"]["output"])]
    assert answer["programs"]["none"] == {"status": 127, "output": "", "errors": "there is no no-such-program"}
    assert answer["programs"]["no"]["status"] == 1
    assert answer["files"]["forward"] in ("0\n", "1\n")
    assert answer["files"]["none"] is None
    assert answer["folders"]["none"] is None
    assert "cni0" in answer["folders"]["net"]
    agent.end()


def test_it_ends_with_the_one_who_asks(pair: tuple[Namespace, Namespace]) -> None:
    node, _ = pair
    agent = Agent(node)
    assert agent.process.poll() is None
    assert agent.end() == 0
