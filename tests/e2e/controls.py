"""Negative controls: what has to fail, and nothing else, where something is broken on purpose."""

from __future__ import annotations

from podnet.verify.report import Report, Result, load

from .conftest import STACK, Clone

HAIRPIN = "pod-to-itself-by-service"
LITERAL = {
    "pod-to-pod-other-node", "pod-to-web-other-node", "pod-to-node-other-node", "pod-to-service-other-node",
    "packet-of-mtu", "bulk-10-mb", HAIRPIN, "node-state",
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
    to_pod = result.destination != result.destination_node
    from_pod = result.source != result.source_node
    there = (result.source_node, result.destination_node) == ("node1", "node2") and to_pod
    back = (result.source_node, result.destination_node) == ("node2", "node1") and from_pod
    return there or back
