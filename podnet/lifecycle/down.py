"""``podnet down`` and ``podnet halt``: taking a stack away, and stopping its machines."""

from __future__ import annotations

from podnet.lifecycle import preflight, prerequisites
from podnet.lifecycle.engine import engine
from podnet.lifecycle.settling import settle
from podnet.lifecycle.workspace import Workspace


def down(workspace: Workspace) -> bool:
    """``pulumi destroy`` and the end of the stack; whether it succeeded."""
    with engine(workspace, prerequisites.for_stack(workspace.places, workspace.python)) as pulumi:
        if not pulumi.has_stack():
            print(f"there is no stack {workspace.stack}: nothing to take down")
            return True
        if (workspace.folder / "machines.json").exists():
            preflight.require_root()
        settle(pulumi, None)
        if not pulumi.show("destroy", "--yes", "--skip-preview"):
            return False
        print(pulumi.remove_stack(), end="")
        return True


def halt(workspace: Workspace) -> None:
    """Stop the stack's machines; ``up`` starts them again."""
    preflight.require_root()
    workspace.host().halt()
