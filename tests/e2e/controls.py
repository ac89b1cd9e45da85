"""Negative controls: what has to fail, and nothing else, where something is broken on purpose."""

from __future__ import annotations

from podnet.verify.check import EndpointKind
from podnet.verify.report import Report, Result, load

from .conftest import STACK, Clone

LITERAL = {
    "pod-to-pod-other-node", "pod-to-web-other-node", "pod-to-node-other-node", "pod-to-service-other-node",
    "packet-of-mtu", "bulk-10-mb", "hairpin-by-service", "node-state",
}  # fmt: skip
"""What does not hold with the chapter's conf: all that another node sees of a pod, and a pod's way to itself."""


def verify(clone: Clone) -> Report:
    """Verify, where something does not hold; the report is in a file too."""
    file = clone.folder / "report.json"
    done = clone.sh(f"python -m podnet verify --stack {STACK} --format json --report {file}", check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert file.read_text() == done.stdout
    return load(done.stdout)


def needs_route_of_node1(result: Result) -> bool:
    """Whether packets to pods of node2 leave node1 for this: there, or as an answer."""
    if result.destination is None:
        return False
    ends = (result.source.node, result.destination.node)
    there = ends == ("node1", "node2") and result.destination.kind is not EndpointKind.NODE
    back = ends == ("node2", "node1") and result.source.kind is not EndpointKind.NODE
    return there or back
