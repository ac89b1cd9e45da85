"""One verification with everything that it talks to replaced: who is asked for what, and what the answers become."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from podnet.observe import verification
from podnet.planning import ClusterPlan
from podnet.verify.check import Endpoint, EndpointKind, PathKind
from podnet.verify.report import Report
from podnet.verify.scenarios import Outside
from tests.unit.verify.captured import NODES, PLAN, answer, text

NAMESPACE = "podnet-verify-x"
ADDRESSES = {
    f"{node}-{letter}": f"10.25.{n}.{10 + 'ab'.index(letter)}" for n, node in enumerate(NODES, 1) for letter in "ab"
}
WEB = {"nginx-7-x": ("node1", "10.25.2.2"), "nginx-7-y": ("node2", "10.25.3.2")}

POD = """
import json, sys
probes = json.load(sys.stdin)
print(json.dumps([{"id": each["id"], "ok": True, "ms": 1, "source": sys.argv[1]} for each in probes]))
"""
"""In place of kubectl exec: every probe gets through, and the other end sees the pod as it is."""


def _pod(name: str, node: str, address: str) -> dict[str, Any]:
    ready = {"podIP": address, "conditions": [{"type": "Ready", "status": "True"}]}
    return {"kind": "Pod", "metadata": {"name": name}, "spec": {"nodeName": node}, "status": ready}


@dataclass
class Kubectl:
    """Answers as kubectl would, and keeps what it was asked."""

    executed: list[str] = field(default_factory=list)
    logged: list[str] = field(default_factory=list)

    def require(self) -> None:
        pass

    def kubectl_line(self, *words: str) -> list[str]:
        assert words[:2] == ("exec", "--stdin")
        self.executed.append(words[2])
        return [sys.executable, "-c", POD, ADDRESSES[words[2]]]

    async def kubectl(self, *words: str, **_: object) -> str:
        match words:
            case ("get", "pods,services", *_):
                pods = [_pod(name, name.rpartition("-")[0], address) for name, address in ADDRESSES.items()]
                spec = {"clusterIP": "10.98.1.1", "ports": [{"nodePort": 30000}]}
                return _list(*pods, *({"kind": "Service", "metadata": {"name": n}, "spec": spec} for n in ADDRESSES))
            case ("get", "pods", "--namespace", "default", *_):
                return _list(*(_pod(name, *where) for name, where in WEB.items()))
            case ("logs", "--namespace", "default", pod, *_):
                self.logged.append(pod)
                return f'10.9.9.9 - - [x y] "GET /{NAMESPACE}/node1/a/node1/{pod} HTTP/1.0" 404 1\n'
            case ("get", "nodes", *_):
                return text("nodes.json")
            case ("get", "pods", "--all-namespaces", *_):
                return text("pods.json")
        assert words[0] in ("wait", "rollout")
        return ""


def _list(*items: object) -> str:
    return json.dumps({"items": items})


@dataclass
class Agent:
    """Answers as a node's agent would: what was captured there, and every probe but pings gets through."""

    name: str
    port: int = 40000
    asked: list[str] = field(default_factory=list)

    async def ask(self, request: Mapping[str, Any], _: float) -> Any:
        if request["do"] == "look":
            return answer(self.name)
        self.asked += [probe["id"] for probe in request.get("probes", ())]
        return [{"id": p["id"], "ok": False, "error": "no"} for p in request["probes"]] if "probes" in request else {}


class Silent:
    """Nobody who wants to know."""

    def wait(self, what: str) -> None: ...

    def count(self, made: int, total: int) -> None: ...

    def warn(self, what: str) -> None: ...


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> tuple[Report, Kubectl, dict[str, Agent]]:
    kubectl, agents = Kubectl(), {name: Agent(name) for name in NODES}
    beyond = Outside(Endpoint(EndpointKind.OUTSIDE, "outside", "", "10.100.196.1"), 7411)

    def replaced(value: object) -> Any:
        @asynccontextmanager
        async def given(plan: ClusterPlan, *_: object) -> AsyncIterator[object]:
            assert plan == PLAN
            yield value

        return given

    monkeypatch.setattr(verification, "sessions", replaced(agents))
    monkeypatch.setattr(verification, "placed", replaced(NAMESPACE))
    monkeypatch.setattr(verification, "outside", replaced(dict.fromkeys(NODES, beyond)))
    report = asyncio.run(verification.verify(PLAN, kubectl, Silent()))  # type: ignore[arg-type]
    return report, kubectl, agents


Seen = tuple[Report, Kubectl, dict[str, Agent]]


def test_every_pod_and_node_makes_its_own_probes(seen: Seen) -> None:
    report, kubectl, agents = seen
    assert sorted(kubectl.executed) == [f"{name}-a" for name in sorted(NODES)]
    for name, agent in agents.items():
        probes = [r for r in report.results if r.source.is_node(name) and r.scenario.path is not PathKind.NODE_STATE]
        assert sorted(agent.asked) == sorted(result.id for result in probes)
    # What nobody asked would be said to have given no answer.
    assert not [result.id for result in report.results if result.seen.startswith("nothing: the probe")]


def test_what_a_web_server_saw_is_from_its_pod_s_log(seen: Seen) -> None:
    report, kubectl, _ = seen
    assert sorted(kubectl.logged) == sorted(WEB)
    to_own = next(
        r for r in report.results if r.action == "http" and r.id.startswith("pod-to-web-same-node/http: node1/a")
    )
    assert (to_own.seen, to_own.passed) == ("10.9.9.9", False)


def test_a_check_says_of_what_kind_its_ends_are(seen: Seen) -> None:
    ends = {end for result in seen[0].results for end in (result.source, result.destination) if end}
    pods = {end.pod for end in ends if end.kind is EndpointKind.POD}
    assert pods == {*ADDRESSES, *WEB}
    assert {end.kind for end in ends} == set(EndpointKind)
    assert not {end.pod for end in ends if end.kind is not EndpointKind.POD} - {""}
