"""The picture of a plan as mermaid text: the one place where a review meets podnet.draw."""

from __future__ import annotations

from importlib import import_module

from podnet.planning import ClusterPlan


def picture(plan: ClusterPlan) -> str:
    """Draw a plan; empty where there is nothing that draws."""
    try:
        graph, mermaid = import_module("podnet.draw.graph"), import_module("podnet.draw.mermaid")
    except ImportError:
        return ""
    return str(mermaid.flowchart(graph.graph(plan)))
