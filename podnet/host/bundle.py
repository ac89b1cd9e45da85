"""The node bundle on its way to a node: kubelet, containerd and the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from podnet.errors import PodnetError
from podnet.host.environment import stack_folder, variable
from podnet.host.programs import output, run

_UNPACKED: Final = "/var/lib/podnet/unpacked"
_INSTALL: Final = """
claim=/var/lib/podnet/claim
# A host that will be left as it was found first notes what the bundle changes there.
[ ! -e $claim ] || sh $claim remember "$1" < /dev/null
"$1/install" < /dev/null >&2
rm -rf "$1"
"""


def bundle(stack: str, node: str, kubernetes: str) -> str:
    """Bring the node bundle to a node, where the node does not say that it has it; the bundle's checksum.

    Raises PodnetError where the node is part of a cluster of another version.
    """
    folder = Path(variable("PODNET_BUNDLE"))
    wanted = (folder / "checksum").read_text().strip()
    ssh = ["ssh", "-F", str(stack_folder(stack) / "ssh_config"), node]
    if output([*ssh, "cat /var/lib/podnet/bundle 2> /dev/null || true"]).strip() != wanted:
        runs = output([*ssh, "! sudo test -e /etc/kubernetes/kubelet.conf || kubelet --version"]).strip()
        if runs not in ("", f"Kubernetes v{kubernetes}"):
            raise PodnetError(
                f"{node} is part of a cluster that runs {runs}, and this podnet brings {kubernetes}: it cannot change "
                "that in place. Go on with the podnet that made the cluster, or take the stack down and up again"
            )
        unpack = f"sudo rm -rf {_UNPACKED} && sudo mkdir -p {_UNPACKED} && sudo tar --extract --directory {_UNPACKED}"
        with Path(f"{folder}.tar").open("rb") as archive:
            run([*ssh, unpack], stdin=archive)
        run([*ssh, f"sudo sh -eus {_UNPACKED}"], stdin=_INSTALL)
    return f"{wanted}\n"
