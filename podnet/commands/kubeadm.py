"""kubeadm on the nodes."""

from __future__ import annotations

from typing import Final

from podnet.commands.shell import Command, as_root, quote
from podnet.model import Cluster, Node
from podnet.render import kubeadm

_KUBECTL: Final = "kubectl --kubeconfig /etc/kubernetes/admin.conf"
_CONFIG: Final = "/etc/podnet/kubeadm.yaml"
READY_TIMEOUT: Final = 180
"""Seconds that a node may take from its join to Ready."""


def init(cluster: Cluster) -> Command:
    """Make the control plane; nothing where it was made from the same configuration.

    A run that was interrupted left half a control plane: it is reset and made again. A finished one is never reset:
    its configuration cannot be changed under a running cluster, and that is said.
    """
    script = f"""mkdir -p /etc/podnet
cat > {_CONFIG}.new
if [ -e {_CONFIG} ]; then
    cmp -s {_CONFIG} {_CONFIG}.new && exit 0
    echo "the cluster runs with another kubeadm configuration, which podnet cannot change in place:" >&2
    diff {_CONFIG} {_CONFIG}.new >&2 || true
    echo "take the stack down and up again, or set the config back" >&2
    rm -f {_CONFIG}.new
    exit 1
fi
[ ! -e /etc/kubernetes/manifests/kube-apiserver.yaml ] || kubeadm reset --force >&2
if ! kubeadm init --config {_CONFIG}.new --skip-token-print >/var/log/podnet-kubeadm-init.log 2>&1; then
    tail -n 30 /var/log/podnet-kubeadm-init.log >&2
    echo "kubeadm init failed; the whole log is /var/log/podnet-kubeadm-init.log on this node" >&2
    exit 1
fi
mv {_CONFIG}.new {_CONFIG}"""
    return Command(
        create=as_root(script),
        stdin=kubeadm.init_config(cluster),
        delete=as_root(f"kubeadm reset --force >/dev/null 2>&1 || true\nrm -f {_CONFIG}"),
    )


def ticket(node: Node) -> Command:
    """Make a join token for one worker on the control plane; prints a line of JSON that is secret.

    The token lives for half an hour: long enough for the join that follows, of no use to whoever finds it later.
    """
    description = quote(f"podnet: join of {node.name}")
    return Command(
        create=as_root(
            f"kubeadm token create --ttl 30m --description {description} --print-join-command | awk "
            # kubeadm join HOST:PORT --token TOKEN --discovery-token-ca-cert-hash sha256:HASH
            """'{printf "{\\"endpoint\\":\\"%s\\",\\"token\\":\\"%s\\",\\"ca_hash\\":\\"%s\\"}", $3, $5, $7}'"""
        )
    )


def join() -> Command:
    """Join a worker; the configuration, with the token in it, comes on standard input and stays in memory only."""
    script = """[ ! -e /etc/kubernetes/kubelet.conf ] || [ ! -e /var/lib/kubelet/config.yaml ] || exit 0
kubeadm reset --force >/dev/null 2>&1 || true
umask 077
mkdir -p /run/podnet
trap 'rm -f /run/podnet/join.yaml' EXIT
cat > /run/podnet/join.yaml
if ! kubeadm join --config /run/podnet/join.yaml >/var/log/podnet-kubeadm-join.log 2>&1; then
    tail -n 20 /var/log/podnet-kubeadm-join.log >&2
    exit 1
fi"""
    return Command(
        create=as_root(script),
        # Once joined, another ticket changes nothing.
        update=as_root("cat >/dev/null"),
        delete=as_root("kubeadm reset --force >/dev/null 2>&1 || true"),
    )


def register(node: Node) -> Command:
    """Give a node its pod CIDR and wait until it is Ready; on deletion drain it and delete the Node. Control plane."""
    name = quote(node.name)
    patch = f'{{"spec":{{"podCIDR":"{node.pod_subnet}","podCIDRs":["{node.pod_subnet}"]}}}}'
    return Command(
        create=as_root(
            f"{_KUBECTL} wait --for=create node/{name} --timeout=60s >/dev/null\n"
            f"{_KUBECTL} patch node {name} --patch {quote(patch)} >/dev/null\n"
            f"{_KUBECTL} wait --for=condition=Ready node/{name} --timeout={READY_TIMEOUT}s >/dev/null || {{\n"
            f"    {_KUBECTL} describe node {name} | sed -n '/^Conditions:/,/^Addresses:/p' >&2\n"
            f"    echo node {name} was not Ready after {READY_TIMEOUT} s >&2; exit 1; }}\n"
            f"{_KUBECTL} get node {name} -o jsonpath='{{.status.nodeInfo.kubeletVersion}}'"
        ),
        delete=as_root(
            f"{_KUBECTL} drain {name} --ignore-daemonsets --delete-emptydir-data --force --timeout=60s >/dev/null || true\n"
            f"{_KUBECTL} delete node {name} --ignore-not-found >/dev/null"
        ),
    )


def admin_conf() -> Command:
    """Print the cluster's kubeconfig: secret."""
    return Command(create="sudo cat /etc/kubernetes/admin.conf")
