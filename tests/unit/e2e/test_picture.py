"""The reading of pictures and of clusters that the test on real boxes compares: each sees what the other leaves out."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace

import pytest

from podnet.draw.graph import graph
from podnet.draw.svg import picture
from podnet.node.spec import Route
from podnet.planning import ClusterPlan
from podnet.verify.report import Pod, Report
from tests.e2e.picture import Shown, of_cluster, of_graph, of_svg
from tests.unit.draw import clusters

HEADER = "NAMESPACE  NAME  READY  STATUS  RESTARTS  AGE  IP  NODE  NOMINATED NODE  READINESS GATES"
ROW = "{namespace}  {name}  1/1  Running  1 (5m ago)  37m  {address}  {node}  <none>  <none>"


@pytest.fixture(scope="module")
def chapter() -> ClusterPlan:
    return clusters.planned(3)


@pytest.fixture
def report(chapter: ClusterPlan) -> Report:
    return clusters.report(chapter)


def there(pods: Sequence[Pod], routes: Sequence[Route]) -> Shown:
    """Give a cluster with exactly these, as kubectl and ip would tell it."""
    told = [ROW.format(namespace=p.namespace, name=p.name, address=p.address, node=p.node) for p in pods]
    told += [ROW.format(namespace="kube-system", name="etcd-master", address="10.100.198.200", node="master")]
    told += [ROW.format(namespace="default", name="new", address="<none>", node="<none>")]
    kernels: dict[str, str] = {}
    for node in sorted({route.node for route in routes}):
        own = [{"dst": r.destination, "gateway": r.gateway, "dev": r.device} for r in routes if r.node == node]
        kernels[node] = json.dumps(own)
    return of_cluster("\n".join([HEADER, *told]) + "\n", "10.22.0.0/16", kernels)


def test_a_picture_of_what_is_there_is_the_cluster(chapter: ClusterPlan, report: Report) -> None:
    drawn = graph(chapter, report)
    seen = there(report.pods, report.routes)
    assert len(seen.pods) == 6
    assert ("node1", "10.22.3.0/24", "10.100.198.202") in seen.routes
    assert seen.interfaces == (("master", "eth1"), ("node1", "eth1"), ("node2", "eth1"))
    assert of_graph(drawn) == of_svg(picture(drawn)) == seen


def test_whatever_the_picture_lacks_or_makes_up_is_a_difference(chapter: ClusterPlan, report: Report) -> None:
    first, *pods = report.pods
    others = [
        replace(report, pods=tuple(pods)),
        replace(report, pods=(first, *report.pods)),
        replace(report, pods=(replace(first, name="other"), *pods)),
        replace(report, pods=(replace(first, address="10.22.1.9"), *pods)),
        replace(report, pods=(replace(first, node="node1"), *pods)),
        replace(report, routes=tuple(replace(route, device="eth9") for route in report.routes)),
        replace(report, routes=(*report.routes, Route("node1", "node2", "10.22.9.0/24", "10.100.198.202", "eth1"))),
        replace(report, routes=(*report.routes, Route("node1", "", "10.22.9.0/24", "10.100.198.99", "eth1"))),
    ]
    for other in others:
        drawn = graph(chapter, other)
        assert of_graph(drawn) != there(report.pods, report.routes)
        assert of_graph(drawn) == of_svg(picture(drawn)) == there(other.pods, other.routes)


def test_a_planned_route_that_no_kernel_has_is_drawn_and_is_a_difference(chapter: ClusterPlan, report: Report) -> None:
    drawn = graph(chapter, replace(report, routes=report.routes[1:]))
    assert of_graph(drawn) == of_svg(picture(drawn)) != there(report.pods, report.routes[1:])


def test_a_long_name_is_found_by_both_its_ends(chapter: ClusterPlan, report: Report) -> None:
    name = "a-deployment-with-a-name-that-no-card-of-a-machine-is-wide-enough-for-7d9c5b8f6-x2k4z"
    named = (replace(report.pods[0], name=name), *report.pods[1:])
    drawn = picture(graph(chapter, replace(report, pods=named)))
    assert "…" in drawn
    assert of_svg(drawn) == there(named, report.routes)
    with pytest.raises(ValueError, match="is not what is said"):
        of_svg(drawn.replace("-x2k4z</text>", "-x2k4y</text>"))


def moved(drawn: str, element: str) -> str:
    """Move the first of such elements to the next machine, and nothing with it."""
    first, second, *_ = (float(x) for x in re.findall(r'<rect class="machine" x="([\d.]+)"', drawn))
    return re.sub(rf"(?<={element})[\d.]+", lambda x: str(float(x[0]) + second - first), drawn, count=1)


def test_what_lies_elsewhere_is_seen(chapter: ClusterPlan, report: Report) -> None:
    """The file's text alone would not show it: a pod drawn in another machine, an arrow between two others."""
    drawn = picture(graph(chapter, report))
    pod = report.pods[0]
    assert ("node1", pod.name, pod.address) in of_svg(moved(drawn, '<rect class="pod" x="')).pods
    with pytest.raises(ValueError, match="an arrow from node1 to"):
        of_svg(moved(drawn, '<path class="route passed" d="M'))
