"""``podnet preview``: what ``up`` would do, and in words what that ends. It needs no root, no host and no cluster."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from podnet.lifecycle import prerequisites, stages
from podnet.lifecycle.engine import engine
from podnet.lifecycle.settling import clear_locks
from podnet.lifecycle.workspace import Workspace
from podnet.review.disruption import in_words


def preview(workspace: Workspace, options: Sequence[str] = ()) -> bool:
    """``pulumi preview``, and in words what a change would disrupt; whether it succeeded."""
    cluster = workspace.cluster()
    with engine(workspace, prerequisites.for_plans(workspace.places, workspace.python)) as pulumi:
        is_new = pulumi.add_stack()
        clear_locks(workspace)
        if stage := stages.first(cluster, stages.held(pulumi.state())):
            print(stage, file=sys.stderr)
        log = pulumi.scratch.folder / "events"
        # The flag is one of the engine's own developers: a second preview would say the same, in twice the time.
        done = pulumi.show(
            "preview", f"--event-log={log}", *options, variables={"PULUMI_DEBUG_COMMANDS": "true"}
        )  # fmt: skip
        if done and "--json" not in options:
            print(in_words(log.read_text()))
        if is_new:  # the engine wants one to preview in; nothing is up, so nothing stays
            pulumi.remove_stack()
    return done
