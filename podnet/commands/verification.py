"""The verification, as a command of the host."""

from __future__ import annotations

import json

from podnet import config
from podnet.commands.shell import Command, on_host
from podnet.model import Cluster


def verify(cluster: Cluster) -> Command:
    """Prove the network of a cluster; and draw it; prints a line of JSON, and the table on standard error.

    What is proved comes on standard input, so that the proof is repeated when it changes.
    """
    return Command(create=on_host("verify", cluster.name), stdin=json.dumps(config.dump(cluster), indent=2) + "\n")
