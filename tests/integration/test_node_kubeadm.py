"""podnet-node's subcommands about the cluster, by a real API server: tokens that end with their join, Nodes made anew.

etcd, the API server and the controller that signs tokens run in a node's namespaces, with the certificates that kubeadm
makes from podnet's own configuration. What is missing is a kubelet: the Nodes are made here.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from podnet import config
from podnet.commands import kubeadm
from podnet.commands.kubeadm import init_config
from tests.conftest import require_root
from toolchain import ensure

from .node import LIBRARY, Node

CLUSTER = config.from_stack_file(Path(__file__).parents[2] / "Pulumi.dev.yaml")
MASTER = CLUSTER.control_plane
WORKER = CLUSTER.workers[0]
KEYS = "/etc/kubernetes/pki"
SERVERS = [
    "etcd --data-dir /run/etcd --log-level error",
    f"kube-apiserver --etcd-servers http://127.0.0.1:2379 --advertise-address {MASTER.address} --v=0"
    f" --tls-cert-file {KEYS}/apiserver.crt --tls-private-key-file {KEYS}/apiserver.key --client-ca-file {KEYS}/ca.crt"
    f" --service-account-key-file {KEYS}/sa.pub --service-account-signing-key-file {KEYS}/sa.key"
    " --service-account-issuer https://kubernetes.default.svc --enable-bootstrap-token-auth"
    f" --service-cluster-ip-range {CLUSTER.service_subnet} --authorization-mode AlwaysAllow --secure-port 6443",
    "kube-controller-manager --kubeconfig /etc/kubernetes/admin.conf --leader-elect=false"
    " --controllers bootstrap-signer-controller",
]
# What a kubelet does when it is started: it makes its Node, under the name that it was given.
KUBELET = """#!/bin/sh
[ "$*" = "restart kubelet" ] || exit 1
make-node master
"""
MAKE_NODE = """#!/bin/sh
set -e
export KUBECONFIG=/etc/kubernetes/admin.conf
labels='"labels":{"kubernetes.io/hostname":"%s"}'
printf '{"apiVersion":"v1","kind":"Node","metadata":{"name":"%s",'"$labels"'},"spec":{"podCIDR":"%s"}}' "$1" "$1" "$2" |
    kubectl create -f -
ready='{"status":{"conditions":[{"type":"Ready","status":"True"}],"nodeInfo":{"kubeletVersion":"v0"}}}'
kubectl patch node "$1" --subresource=status --patch "$ready"
"""


class Api(Node):
    """A control plane: a node whose API server answers. Its host's name is this machine's, and not the node's."""

    def __init__(self, folder: Path, programs: list[Path]) -> None:
        super().__init__(folder)
        self._servers: list[subprocess.Popen[bytes]] = []
        try:
            self._start(programs, folder)
        except BaseException:
            self.close()
            raise

    def _start(self, programs: list[Path], folder: Path) -> None:
        for each in programs:
            (self.bin / each.name).symlink_to(each)
        (self.bin.parent / "bin" / "kubectl").unlink(missing_ok=True)
        (self.bin.parent / "bin" / "kubectl").symlink_to(next(each for each in programs if each.name == "kubectl"))
        for name, text in (("systemctl", KUBELET), ("make-node", MAKE_NODE)):
            (self.bin / name).write_text(text)
            (self.bin / name).chmod(0o755)
        (self.etc / "kubeadm.yaml").write_text(init_config(CLUSTER))
        self(f"ip address add {MASTER.address}/24 dev eth0; rm -rf /etc/kubernetes")
        for phase in ("certs all", "kubeconfig admin"):
            self(f"kubeadm init phase {phase} --config /etc/podnet/kubeadm.yaml")
        for server in SERVERS:
            self._run(server, folder)
        self._wait("kubectl --kubeconfig /etc/kubernetes/admin.conf get --raw /readyz")
        self(
            "kubeadm init phase bootstrap-token --config /etc/podnet/kubeadm.yaml"
            " --kubeconfig /etc/kubernetes/admin.conf"
        )
        # What kubeadm-init ends.
        self("kubeadm token list --kubeconfig /etc/kubernetes/admin.conf -o jsonpath='{.token}' > /run/default-token")
        self("kubeadm token delete --kubeconfig /etc/kubernetes/admin.conf $(cut -c 1-6 /run/default-token)")

    def _run(self, server: str, folder: Path) -> None:
        enter = ["nsenter", "--net", "--mount", "--target", str(self.pid)]
        with (folder / f"{server.split(maxsplit=1)[0]}.log").open("wb") as log:
            environ = {"PATH": "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"}
            command = [*enter, "sh", "-c", f"exec {server}"]
            self._servers.append(subprocess.Popen(command, stdout=log, stderr=log, env=environ))

    def _wait(self, command: str) -> None:
        deadline = time.monotonic() + 120
        while (done := self.run(command)).returncode:
            assert time.monotonic() < deadline, done.stderr
            assert all(server.poll() is None for server in self._servers), "a server has ended"
            time.sleep(0.2)

    def kubectl(self, arguments: str) -> Any:
        return json.loads(self(f"kubectl --kubeconfig /etc/kubernetes/admin.conf {arguments} -o json"))

    def tokens(self) -> dict[str, dict[str, Any]]:
        """Give every bootstrap token by its description, as kubeadm lists them."""
        listed = self("kubeadm token list --kubeconfig /etc/kubernetes/admin.conf -o json")
        found = json.JSONDecoder()
        tokens = {}
        while listed.strip():
            token, end = found.raw_decode(listed.strip())
            listed = listed.strip()[end:]
            tokens[token["description"]] = token
        return tokens

    def podnet(self, line: str | None) -> str:
        """Run a command of podnet's, as root."""
        assert line is not None
        return self(shlex.join(shlex.split(line)[1:]))

    def close(self) -> None:
        for server in reversed(self._servers):
            server.kill()
            server.wait()
        super().close()


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    require_root("namespaces")
    made_here = ensure(["kubernetes", "etcd"])
    names = ("etcd", "kube-apiserver", "kube-controller-manager", "kubeadm", "kubectl")
    made = Api(tmp_path_factory.mktemp("api"), [made_here.bin(name) for name in names])
    try:
        yield made
    finally:
        made.close()


def of(name: str) -> str:
    return f"podnet: join of {name}"


def test_a_token_waits_for_its_join_and_ends_with_it(api: Api) -> None:
    """However long it takes from the one to the other; the tokens of other nodes stay."""
    command = kubeadm.bootstrap_token(WORKER)
    told = json.loads(api.podnet(command.create))
    api.podnet(command.create.replace(WORKER.name, f"{WORKER.name}0"))
    token = api.tokens()[of(WORKER.name)]
    assert token["token"] == told["token"]
    assert "expires" not in token
    listed = api("kubeadm token list --kubeconfig /etc/kubernetes/admin.conf -o jsonpath='{.description} {.expires};'")
    assert f"{of(WORKER.name)} ;" in listed
    signed = api.kubectl("-n kube-public get configmap cluster-info")["data"]
    assert f"jws-kubeconfig-{token['token'].split('.')[0]}" in signed

    api(f"make-node {WORKER.name}")
    assert api.podnet(kubeadm.register(WORKER).create) == "v0"
    assert set(api.tokens()) == {of(f"{WORKER.name}0")}
    assert api.kubectl(f"get node {WORKER.name}")["spec"]["podCIDR"] == str(WORKER.pod_subnet)
    # Again, with nothing to end.
    api.podnet(kubeadm.register(WORKER).create)
    api(f"{LIBRARY}/podnet-node join-ticket-remove {WORKER.name}0")
    assert api.tokens() == {}


def test_a_bootstrap_token_is_made_again_and_revoked(api: Api) -> None:
    command = kubeadm.bootstrap_token(WORKER)
    first, second = (json.loads(api.podnet(command.create))["token"] for _ in range(2))
    assert first != second
    assert [each["token"] for each in api.tokens().values()] == [second]
    api.podnet(command.delete)
    assert api.tokens() == {}
    api.podnet(command.delete)
    # The cluster is gone.
    api("mv /etc/kubernetes /etc/gone")
    api.podnet(command.delete)
    api("mv /etc/gone /etc/kubernetes")


def test_the_control_plane_s_pod_cidr_is_changed_whatever_its_host_is_called(api: Api) -> None:
    assert api("hostname").strip() != MASTER.name
    api(f"make-node {MASTER.name} 10.22.99.0/24")
    before = api.kubectl(f"get node {MASTER.name}")["metadata"]["uid"]
    api.podnet(kubeadm.register(MASTER).create)
    found = api.kubectl(f"get node {MASTER.name}")
    assert found["spec"]["podCIDR"] == str(MASTER.pod_subnet)
    assert found["metadata"]["uid"] != before
    assert "node-role.kubernetes.io/control-plane" in found["metadata"]["labels"]
    assert "node-role.kubernetes.io/control-plane" in {taint["key"] for taint in found["spec"]["taints"]}
    # Once more, on the same Node.
    api.podnet(kubeadm.register(MASTER).create)
    assert api.kubectl(f"get node {MASTER.name}")["metadata"]["uid"] == found["metadata"]["uid"]


def test_a_control_plane_whose_making_anew_was_cut_off_is_marked(api: Api) -> None:
    api(f"kubectl --kubeconfig /etc/kubernetes/admin.conf delete node {MASTER.name}; make-node {MASTER.name}")
    api.podnet(kubeadm.register(MASTER).create)
    found = api.kubectl(f"get node {MASTER.name}")
    assert "node-role.kubernetes.io/control-plane" in found["metadata"]["labels"]


def test_a_worker_that_somebody_else_joined_is_refused(api: Api) -> None:
    api("make-node stranger 10.22.99.0/24")
    done = api.run(f"{LIBRARY}/podnet-node register stranger 10.22.98.0/24")
    assert done.returncode == 1
    assert "node stranger has the pod CIDR 10.22.99.0/24: it was joined by somebody else" in done.stderr
