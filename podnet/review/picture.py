"""The picture of a plan, as a review shows it: the one place where it meets podnet.draw."""

from __future__ import annotations

from podnet.draw.graph import graph
from podnet.draw.mermaid import flowchart
from podnet.planning import ClusterPlan


def picture(plan: ClusterPlan) -> str:
    """Draw a plan as a Mermaid flowchart, which GitHub and GitLab show as a picture."""
    return flowchart(graph(plan))
