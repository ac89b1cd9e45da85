"""kubeadm on a node: the control plane, the join of a worker, and what the control plane knows of each node.

Content and secrets come on standard input; a token is printed once, for the engine, and kept in no file.
"""

from __future__ import annotations

import base64
import contextlib
import difflib
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Final

from podnet.node import files
from podnet.node.check import Unseen
from podnet.node.lock import locked
from podnet.node.spec import CONFIG
from podnet.node.system import Live, Ran, printed

CONFIG_FILE: Final = f"{CONFIG}/kubeadm.yaml"
"""The configuration that the cluster was made from, whole: a run that was interrupted has none."""

ADMIN: Final = "/etc/kubernetes/admin.conf"
_JOIN: Final = "/run/podnet/join.yaml"
_LOCK: Final = "/run/podnet/kubeadm.lock"
_LOCK_TIMEOUT: Final = 300.0
_READY_TIMEOUT: Final = 180
"""Seconds from the join to Ready."""

_CONTROL_PLANE: Final = "node-role.kubernetes.io/control-plane"
_TOKENS: Final = "type=bootstrap.kubernetes.io/token"

_SYSTEM: Final = Live(timeout=300)


def init() -> None:
    """Make the control plane from the configuration on standard input; nothing where it was made from the same.

    A run that was interrupted left half of one: it is reset and made again. A finished one is never reset.
    """
    with _alone():
        wanted, found = sys.stdin.read(), _SYSTEM.read(CONFIG_FILE)
        if found == wanted:
            return
        if found is not None:
            raise Unseen(
                "the cluster runs with another kubeadm configuration, which podnet cannot change in place:\n"
                + "".join(difflib.unified_diff(found.splitlines(keepends=True), wanted.splitlines(keepends=True), n=0))
                + "set the config back, or take the stack down and up again"
            )
        pending = f"{CONFIG_FILE}.wanted"
        files.write(pending, wanted)
        _reset_half()
        _logged("init", "--config", pending, "--skip-token-print", "--skip-phases=addon/coredns")
        _add_coredns(pending)
        # kubeadm makes a token of a day although it is told to make none.
        _kubectl("--namespace", "kube-system", "delete", "secrets", "--field-selector", _TOKENS)
        os.replace(pending, CONFIG_FILE)  # noqa: PTH105


def _add_coredns(config: str) -> None:
    """Add kubeadm's CoreDNS.

    It is asked every ten seconds whether it is ready, and has to say no until it has reached the API server: so it
    comes ten seconds late at every start. It is asked every second.
    """
    manifest = printed(_SYSTEM, "kubeadm", "init", "phase", "addon", "coredns", "--config", config, "--print-manifest")
    lines = []
    for line in manifest.splitlines(keepends=True):
        lines.append(line)
        if line.strip() == "readinessProbe:":
            lines.append(line.replace("readinessProbe:", "  periodSeconds: 1"))
    _kubectl("apply", "-f", "-", stdin="".join(lines))


def reset() -> None:
    """Undo the control plane, or a join."""
    with _alone():
        _SYSTEM.run("kubeadm", "reset", "--force")
        files.remove(CONFIG_FILE, f"{CONFIG_FILE}.wanted")


def join() -> None:
    """Join with the configuration on standard input, which holds the token and stays in memory only."""
    with _alone():
        wanted = sys.stdin.read()
        if os.path.exists("/etc/kubernetes/kubelet.conf") and os.path.exists("/var/lib/kubelet/config.yaml"):  # noqa: PTH110
            return
        _reset_half()
        try:
            descriptor = os.open(_JOIN, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(wanted)
            _logged("join", "--config", _JOIN)
        finally:
            files.remove(_JOIN)


def make_token(node: str) -> None:
    """Make a bootstrap token for one join; prints a line of JSON, which is secret.

    It does not end by itself, so that an up which was cut off before the join can go on whenever it is repeated:
    register ends it when the node has joined.
    """
    _revoke(node)
    line = printed(
        _SYSTEM, "kubeadm", "token", "create", "--ttl", "0", "--description", _description(node), "--print-join-command"
    ).split()  # fmt: skip
    options = dict(itertools.pairwise(line))
    token = options["--token"]
    # The controller manager, which has just been started, signs what a join reads first. kubeadm join looks for that
    # every five seconds only. A token's id (what stands before the dot) is no secret.
    signed = f"--for=jsonpath={{.data.jws-kubeconfig-{token.partition('.')[0]}}}"
    _kubectl("--namespace", "kube-public", "wait", signed, "configmap/cluster-info", "--timeout=60s")
    told = {"endpoint": options["join"], "token": token, "ca_hash": options["--discovery-token-ca-cert-hash"]}
    print(json.dumps(told), end="")


def remove_token(node: str) -> None:
    """End a token that nobody has joined with."""
    if os.path.exists(ADMIN):  # noqa: PTH110  # else the cluster is gone, and its tokens with it
        _revoke(node)


def _revoke(node: str) -> None:
    """End every token that was made for this node's join.

    It is known by its description; what is secret of a token is not read.
    """
    encoded = base64.b64encode(_description(node).encode()).decode()
    shown = 'jsonpath={range .items[*]}{.metadata.name} {.data.description}{"\\n"}{end}'
    secrets = ("--namespace", "kube-system", "--request-timeout=30s")
    listed = _kubectl("get", "secrets", *secrets, "--field-selector", _TOKENS, "-o", shown)
    for line in listed.splitlines():
        name, _, description = line.partition(" ")
        if description == encoded:
            _kubectl("delete", "secret", name, "--ignore-not-found", *secrets)


def _description(node: str) -> str:
    return f"podnet: join of {node}"


def register(node: str, *pod_cidrs: str) -> None:
    """Give a node its pod CIDRs and wait until it is Ready; prints the kubelet's version. On the control plane.

    The node has joined, so nobody may join in its name any more.
    """
    _kubectl("wait", "--for=create", f"node/{node}", "--timeout=60s")
    _revoke(node)
    known = _node(node)
    cidr = known["spec"].get("podCIDR", "")
    if cidr not in ("", pod_cidrs[0]):
        _recreate(node, cidr)
    if node == _own_name() and _CONTROL_PLANE not in _node(node)["metadata"]["labels"]:
        # Also where what recreated it was cut off.
        printed(_SYSTEM, "kubeadm", "init", "phase", "mark-control-plane", "--config", CONFIG_FILE)
    _kubectl("patch", "node", node, "--patch", json.dumps({"spec": {"podCIDR": pod_cidrs[0], "podCIDRs": pod_cidrs}}))
    ready = _run("wait", "--for=condition=Ready", f"node/{node}", f"--timeout={_READY_TIMEOUT}s")
    if ready.status:
        shown = _run("describe", "node", node).output
        conditions = shown.partition("Conditions:")[2].partition("Addresses:")[0]
        raise Unseen(f"node {node} was not Ready after {_READY_TIMEOUT} s\n{conditions}")
    print(_node(node)["status"]["nodeInfo"]["kubeletVersion"], end="")


def _recreate(node: str, cidr: str) -> None:
    """Delete a Node, and let the kubelet make another: a pod CIDR cannot be changed once it is set.

    That is for the control plane, whose cluster has to stay; a worker has left and joined again before it comes here.
    """
    if node != _own_name():
        raise Unseen(f"node {node} has the pod CIDR {cidr}: it was joined by somebody else")
    _kubectl("delete", "node", node)
    printed(_SYSTEM, "systemctl", "restart", "kubelet")
    _kubectl("wait", "--for=create", f"node/{node}", "--timeout=60s")


def _own_name() -> str:
    """Give the name of this control plane in the cluster; its host may have another."""
    documents = (_SYSTEM.read(CONFIG_FILE) or "").split("---\n")
    first = next(json.loads(text) for text in documents if text.strip())
    return str(first["nodeRegistration"]["name"])


def unregister(node: str) -> None:
    """Move a node's pods away, where its kubelet still answers, and delete the Node. On the control plane."""
    if not _run("get", "--raw", f"/api/v1/nodes/{node}/proxy/healthz", "--request-timeout=5s").status:
        # What cannot be moved is lost with the Node.
        _run("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout=60s")
    _kubectl("delete", "node", node, "--ignore-not-found")


def show_admin_conf() -> None:
    """Print the cluster's kubeconfig, which is secret."""
    text = _SYSTEM.read(ADMIN)
    if text is None:
        raise Unseen(f"there is no {ADMIN}: this node has no control plane")
    print(text, end="")


def _node(name: str) -> Any:
    return json.loads(_kubectl("get", "node", name, "-o", "json"))


def _run(*arguments: str, stdin: str = "") -> Ran:
    # Its cache is not in root's home, which may be somebody else's.
    own = ("--kubeconfig", ADMIN, "--cache-dir", "/run/podnet/kubectl")
    return _SYSTEM.run("/usr/local/bin/kubectl", *own, *arguments, stdin=stdin)


def _kubectl(*arguments: str, stdin: str = "") -> str:
    ran = _run(*arguments, stdin=stdin)
    if ran.status:
        raise Unseen(f"kubectl {' '.join(arguments[:3])}: {ran.why}")
    return ran.output


def _reset_half() -> None:
    if os.path.exists("/etc/kubernetes/manifests"):  # noqa: PTH110
        _SYSTEM.run("kubeadm", "reset", "--force")


def _logged(phase: str, *options: str) -> None:
    """Run kubeadm with a log on the node. Raises Unseen with what the log says of its failure."""
    path = f"/var/log/podnet-kubeadm-{phase}.log"
    with open(path, "w", encoding="utf-8") as log:  # noqa: PTH123
        done = subprocess.run(["kubeadm", phase, *options], stdout=log, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        lines = (_SYSTEM.read(path) or "").splitlines()
        raise Unseen("\n".join([*_errors(lines), f"kubeadm {phase} failed; the whole log is {path} on this node"]))


def _errors(lines: Sequence[str]) -> list[str]:
    """Give the lines that say error, each with the three after it; without one, the last twenty."""
    numbers = [number for number, line in enumerate(lines) if "error" in line.lower()]
    shown = {after for number in numbers for after in range(number, min(number + 4, len(lines)))}
    return [lines[number] for number in sorted(shown)] or list(lines[-20:])


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Wait until no other run is busy with kubeadm here. The command of a run that was killed goes on alone."""
    with locked(_LOCK, _LOCK_TIMEOUT, "another run's kubeadm on this node"):
        yield
