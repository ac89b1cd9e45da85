"""What podnet runs on the host itself: the machines' bridge, Vagrant, keys and the kubeconfig.

Paths come from the environment that ``make env`` sets (PODNET_STACKS and others), never from the inputs: the same
stack previewed from another checkout or machine shows no difference.
"""

from __future__ import annotations

from typing import Final

from podnet.commands.shell import Command, host_root, quote
from podnet.model import Cluster, MachineProvider, Node
from podnet.render import vagrant

_PREPARED: Final = (
    'set -eu\n: "${PODNET_STACKS:?is not set. Run \'eval "$(make -s env)"\' in the checkout first, or use make up}"\n'
)
_SSH: Final = "-o BatchMode=yes -o StrictHostKeyChecking=yes -o IdentitiesOnly=yes -o ConnectTimeout=10 -o LogLevel=ERROR"


def _in_stack(cluster: Cluster, script: str, *, make: bool = False) -> str:
    folder = f'"$PODNET_STACKS"/{quote(cluster.name)}'
    prepare = f"mkdir -p -m 0700 {folder}\n" if make else f"[ -d {folder} ] || exit 0\n"
    return f"{_PREPARED}umask 077\n{prepare}cd {folder}\n{script}"


def network(cluster: Cluster) -> Command:
    """The bridge that the machines share, with the gateway's address; only the lxc provider needs one of podnet's."""
    bridge = quote(vagrant.bridge_name(cluster))
    address = f"{cluster.gateway}/{cluster.machine_network.prefixlen}"
    root = host_root()
    return Command(
        create=(
            f"set -eu\nip link show dev {bridge} >/dev/null 2>&1 || {root} ip link add {bridge} type bridge\n"
            f"{root} ip address replace {address} dev {bridge}\n{root} ip link set {bridge} up"
        ),
        delete=f"! ip link show dev {bridge} >/dev/null 2>&1 || {root} ip link delete {bridge}",
    )


def ssh_key(cluster: Cluster) -> Command:
    """The key pair that opens this stack's machines. Prints the private key: secret."""
    return Command(
        create=_in_stack(
            cluster,
            "[ -s id_ed25519 ] || { rm -f id_ed25519*; "
            f"ssh-keygen -q -t ed25519 -N '' -C {quote(f'podnet-{cluster.name}')} -f id_ed25519; }}\ncat id_ed25519",
            make=True,
        ),
        delete=_in_stack(cluster, "rm -f id_ed25519 id_ed25519.pub\ncd ..\nrmdir " + quote(cluster.name) + " || true"),
    )


def vagrant_folder(cluster: Cluster) -> Command:
    """The Vagrantfile and the list of machines."""
    # The box is named by what it is made of, which the host knows; a stack does not change with it.
    script = (
        "cat > machines.json.new\n"
        'sed -i "s/@BOX@/${PODNET_BOX:?is not set: run make up}/" machines.json.new\n'
        if cluster.provider is MachineProvider.LXC
        else "cat > machines.json.new\n"
    )
    box = vagrant.BOXES.get(cluster.provider, "@BOX@")
    return Command(
        create=_in_stack(
            cluster,
            f"{script}mv machines.json.new machines.json\n"
            'cp "$PODNET_ROOT/podnet/render/Vagrantfile" Vagrantfile',
            make=True,
        ),
        stdin=vagrant.machines(cluster, box),
        delete=_in_stack(cluster, "rm -rf Vagrantfile machines.json machines .vagrant"),
    )


def machine(cluster: Cluster, node: Node) -> Command:
    """One machine: ``vagrant up`` and ``vagrant destroy``. Prints its public host key."""
    name = quote(node.name)
    keys = f"machines/{name}"
    host_key = f"{keys}/ssh_host_ed25519_key"
    up = (
        f"mkdir -p {keys}\n"
        f"[ -s {host_key} ] || {{ rm -f {host_key}*; "
        f"ssh-keygen -q -t ed25519 -N '' -C {quote(node.name)} -f {host_key}; }}\n"
        f"cp id_ed25519.pub {keys}/authorized_keys\n"
        f"printf '%s\\n' {name} > {keys}/hostname\n"
        f"printf '%s %s\\n' {node.address} \"$(cut -d ' ' -f 1,2 {host_key}.pub)\" > {keys}/known_hosts\n"
        f"chmod 0644 {keys}/authorized_keys {keys}/hostname\n"
        f"{_clear_leftover(cluster, node)}"
        f"vagrant up --provider {cluster.provider} {name} >&2\n"
        f"cut -d ' ' -f 1,2 {host_key}.pub"
    )
    return Command(
        create=_in_stack(cluster, up, make=True),
        delete=_in_stack(
            cluster,
            f"[ ! -e Vagrantfile ] || vagrant destroy --force {name} >&2\n{_clear_leftover(cluster, node)}rm -rf {keys}",
        ),
    )


def _clear_leftover(cluster: Cluster, node: Node) -> str:
    """Remove a container of this name that Vagrant does not know: a run that was killed left it."""
    if cluster.provider is not MachineProvider.LXC:
        return ""
    container = quote(vagrant.container_name(cluster, node))
    root = host_root()
    return (
        f"if [ ! -e .vagrant/machines/{quote(node.name)}/lxc/id ] && {root} test -e /var/lib/lxc/{container}; then\n"
        f"    {root} lxc-stop --kill --name {container} >/dev/null 2>&1 || true\n"
        f"    {root} lxc-destroy --force --name {container} >/dev/null 2>&1 || true\n"
        f"    {root} rm -rf /var/lib/lxc/{container}\n"
        "fi\n"
    )


def bundle(cluster: Cluster, node: Node) -> Command:
    """Bring the node bundle to a node; nothing where the node's checksum says that it has it (a box of podnet's)."""
    target = quote(f"vagrant@{node.address}")
    ssh = f"ssh {_SSH} -i id_ed25519 -o UserKnownHostsFile=machines/{quote(node.name)}/known_hosts {target}"
    script = (
        'wanted=$(cat "${PODNET_BUNDLE:?is not set: run make up}/checksum")\n'
        f"found=$({ssh} 'cat /var/lib/podnet/bundle 2>/dev/null || true' </dev/null)\n"
        '[ "$found" != "$wanted" ] || { echo "$wanted"; exit 0; }\n'
        f"{ssh} 'sudo rm -rf /var/tmp/podnet-bundle && sudo mkdir -p /var/tmp/podnet-bundle && "
        'sudo tar --extract --directory /var/tmp/podnet-bundle\' < "$PODNET_BUNDLE.tar"\n'
        f"{ssh} 'sudo /var/tmp/podnet-bundle/install >&2; sudo rm -rf /var/tmp/podnet-bundle' </dev/null\n"
        'echo "$wanted"'
    )
    return Command(create=_in_stack(cluster, script, make=True))


def kubeconfig(cluster: Cluster) -> Command:
    """Keep the cluster's kubeconfig, which comes on standard input, as admin.conf (mode 0600); prints its path."""
    return Command(
        create=_in_stack(
            cluster, 'cat > admin.conf.new\nmv admin.conf.new admin.conf\nprintf %s "$PWD/admin.conf"', make=True
        ),
        delete=_in_stack(cluster, "rm -f admin.conf"),
    )
