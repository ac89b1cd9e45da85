"""The verification, run as a command of the host."""

from __future__ import annotations

from podnet.commands.shell import Command, quote
from podnet.model import Cluster


def verify(cluster: Cluster) -> Command:
    """Prove the network of a stack; prints a line of JSON, and the table on standard error."""
    return Command(
        create=(
            'set -eu\n: "${PODNET_PYTHON:?is not set. Run \'eval "$(make -s env)"\' in the checkout first, or use make up}"\n'
            f'cd "$PODNET_ROOT"\n"$PODNET_PYTHON" -m podnet verify --stack {quote(cluster.name)} --summary'
        )
    )
