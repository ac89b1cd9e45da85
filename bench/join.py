"""Print the join configuration of a node, whose token stands on standard input: ``python -m bench.join NODE``."""

from __future__ import annotations

import json
import sys

from bench.up import cluster
from podnet.commands.kubeadm import BootstrapToken, join_config
from podnet.planning import plan

if __name__ == "__main__":
    print(join_config(plan(cluster()).of(sys.argv[1]).node, BootstrapToken(**json.load(sys.stdin))))
