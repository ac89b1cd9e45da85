"""The picture of a plan as Mermaid text, which pull requests show as a picture."""

from __future__ import annotations

from podnet.draw.graph import graph
from podnet.draw.mermaid import flowchart
from podnet.planning import ClusterPlan


def picture(plan: ClusterPlan) -> str:
    """Draw a plan."""
    return flowchart(graph(plan))
