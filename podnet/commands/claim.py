"""Taking an existing host, and giving it back as it was found."""

from __future__ import annotations

import shlex

from podnet import scripts
from podnet.commands.shell import Command
from podnet.model import Cluster, Node

_SCRIPT = "podnet-claim"


def claim(cluster: Cluster, node: Node) -> Command:
    """Claim a node's host; on deletion everything that was done there since is undone.

    The script travels with both commands, so the way back does not depend on what is left on the host.
    """
    return Command(
        create=_line("claim", cluster.name, node.name, node.address, cluster.cni.bridge),
        stdin=(
            "set -eu\n"
            # Always the same name: what a killed run left there goes with the next one.
            f"trap 'rm -f /run/{_SCRIPT}' EXIT\n"
            f"cat > /run/{_SCRIPT} <<'END-OF-{_SCRIPT}'\n{scripts.text(_SCRIPT)}END-OF-{_SCRIPT}\n"
            f'sh /run/{_SCRIPT} "$@" < /dev/null\n'
        ),
        delete=_line("release", cluster.name, node.name),
    )


def _line(word: str, *arguments: object) -> str:
    return " ".join(["sudo -n sh -s --", word, *(shlex.quote(str(argument)) for argument in arguments)])
