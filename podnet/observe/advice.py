"""What somebody can do about a node that does not answer."""

from __future__ import annotations

from podnet.model import Node


def for_lost(node: Node) -> str:
    """Say what to do about a node that cannot be reached."""
    if node.ssh is None:
        return (
            "Where it only stands still, make up starts it again; where it is lost, "
            f"make up REPLACE={node.name} recreates it."
        )
    return (
        "Once it answers again, repeat the command; where it is gone for good, docs/existing-machines.md says how the "
        "stack forgets it."
    )
