"""Settling what a killed run left behind: its lock, and the operations that it was in the middle of."""

from __future__ import annotations

import os
import sys
from typing import Any

from podnet.lifecycle import backend, locks, stages
from podnet.lifecycle.engine import Engine
from podnet.lifecycle.state import settled
from podnet.lifecycle.workspace import Workspace
from podnet.model import Cluster


def settle(pulumi: Engine, cluster: Cluster | None) -> dict[str, Any]:
    """Make a stack ready for a deployment; its state. cluster: what is to be; None where all is to be undone."""
    clear_locks(pulumi.workspace)
    state = pulumi.state()
    if cut_off := settled(state, stages.goes(cluster, stages.held(state)) if cluster else lambda _: True):
        pulumi.put_state(state)
        print(f"it was cut off at {', '.join(cut_off)}", file=sys.stderr)
    return state


def clear_locks(workspace: Workspace) -> None:
    """Remove the locks of runs that are gone, and say so."""
    folder = backend.folder_of(backend.url_of(workspace.places, workspace.stack, os.environ))
    for said in locks.clear(folder, workspace.stack) if folder else ():
        print(said, file=sys.stderr)
