"""One verification of a live cluster, from placing the probes to the report."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from podnet.errors import PodnetError, last_words
from podnet.observe.access import NODE_TIMEOUT, PROBES_TIMEOUT, Access, CannotLookError, run, together
from podnet.observe.outside import outside
from podnet.observe.probes import LABEL, placed, placement
from podnet.observe.progress import Progress
from podnet.observe.sessions import Session, sessions
from podnet.parse import kubernetes
from podnet.parse.kubernetes import KubernetesNode, KubernetesPod
from podnet.planning import ClusterPlan
from podnet.verify import node_state
from podnet.verify.check import Check, Endpoint, EndpointKind
from podnet.verify.facts import WANTED, Facts, NodeFacts, read
from podnet.verify.hints import hint
from podnet.verify.report import Observation, Pod, Report, judge_all
from podnet.verify.scenarios import Placement, checks, probe_of, tag

Seen = dict[str, Observation]


async def verify(
    plan: ClusterPlan, access: Access, progress: Progress, choose: Callable[[str], bool] = lambda _: True
) -> Report:
    """Verify a cluster. choose: which checks to make, by id; pods and routes are reported whatever is chosen.

    Raises CannotLookError where it cannot be done.
    """
    access.require()
    start = time.monotonic()
    async with (
        sessions(plan, access, progress) as nodes,
        placed(plan, access, progress) as namespace,
        outside(plan, nodes) as beyond,
    ):
        progress.wait("the probes to be ready on every node")
        ports = {name: session.port for name, session in nodes.items()}
        where = await placement(access, plan, namespace, ports, beyond)
        chosen = [check for check in checks(plan, where) if choose(check.id)]
        seen: Seen = {}
        look = _Look(access, progress, nodes, where, [check for check in chosen if not check.untried], seen)
        known, (kubernetes_nodes, every_pod, pods) = await asyncio.gather(look.all(), _kubernetes(access))
    everything = Facts(known, kubernetes_nodes, every_pod)
    results = [
        replace(result, hint=hint(check, result, plan, everything))
        for check, result in zip(chosen, judge_all(chosen, seen), strict=True)
    ]
    results += [result for result in node_state.check(plan, everything) if choose(result.id)]
    return Report(tuple(results), pods, node_state.routes(plan, everything), round(time.monotonic() - start, 1))


async def _kubernetes(access: Access) -> tuple[dict[str, KubernetesNode], tuple[Pod, ...], tuple[Pod, ...]]:
    """Nodes by name; every pod, for what must hold of them; every pod but the verification's own, to tell."""
    nodes, pods = await asyncio.gather(
        access.kubectl("get", "nodes", "-o", "json"), access.kubectl("get", "pods", "--all-namespaces", "-o", "json")
    )
    try:
        found = kubernetes.pods(pods)
        known = {node.name: node for node in kubernetes.nodes(nodes)}
    except PodnetError as error:
        raise CannotLookError(str(error)) from None
    return known, tuple(map(_pod, found)), tuple(_pod(pod) for pod in found if LABEL not in pod.labels)


def _pod(pod: KubernetesPod) -> Pod:
    return Pod(pod.namespace, pod.name, pod.node, pod.address, pod.labels.get("app", ""))


@dataclass(frozen=True, slots=True)
class _Look:
    """The looking itself, while the probes stand: every source at once, and every node's own state."""

    access: Access
    progress: Progress
    nodes: Mapping[str, Session]
    where: Placement
    chosen: Sequence[Check]
    seen: Seen

    async def all(self) -> dict[str, NodeFacts]:
        """Make every probe, and keep what each saw; the facts of every node."""
        self.progress.count(0, len(self.chosen))
        pods = dict.fromkeys(check.source for check in self.chosen if check.source.kind is EndpointKind.POD)
        answers, _ = await asyncio.gather(
            together(*(self._of_node(name, session) for name, session in self.nodes.items())),
            together(*map(self._of_pod, pods)),
        )
        self.progress.wait("what the other ends saw")
        await asyncio.gather(self._echoes(), self._logged())
        # Not before: reading them takes its time, in which the outside, which is this program, would answer nobody.
        return {name: read(name, answer) for name, answer in zip(self.nodes, answers, strict=True)}

    async def _of_node(self, name: str, session: Session) -> Any:
        """First what is there, then the node's own probes: the agent answers one request at a time."""
        answer = await session.ask({"do": "look", **WANTED}, NODE_TIMEOUT)
        wanted = [probe_of(check, self.where) for check in self.chosen if check.source.is_node(name)]
        if wanted:
            self._keep(await session.ask({"do": "probe", "probes": wanted}, PROBES_TIMEOUT))
        return answer

    async def _of_pod(self, source: Endpoint) -> None:
        pod, namespace = source.pod, self.where.namespace
        wanted = [probe_of(check, self.where) for check in self.chosen if check.source == source]
        command = self.access.kubectl_line("exec", "--stdin", pod, "--namespace", namespace, "--")
        command += ["python3", "/podnet/agent.py", "probe"]
        status, output, errors = await run(command, json.dumps(wanted), PROBES_TIMEOUT)
        if status:
            raise CannotLookError(f"the probe {pod} cannot be asked: {last_words(errors, status)}")
        try:
            answers = json.loads(output)
        except ValueError:
            raise CannotLookError(f"the probe {pod} gave an answer that is none: {output[:80]!r}") from None
        self._keep(answers)

    def _keep(self, answers: Iterable[Mapping[str, Any]]) -> None:
        self.seen.update({answer["id"]: _observation(answer) for answer in answers})
        self.progress.count(len(self.seen), len(self.chosen))

    async def _echoes(self) -> None:
        """Who the pings came from, as the nodes at the other end saw it: a ping itself does not tell."""
        pings = [check for check in self.chosen if check.action == "icmp" and check.destination.node in self.nodes]
        if not pings:
            return
        names = list(self.nodes)
        answers = await together(*(self.nodes[name].ask({"do": "echoes"}, NODE_TIMEOUT) for name in names))
        came = dict(zip(names, answers, strict=True))
        for check in pings:
            source = came[check.destination.node].get(tag(check, self.where), "")
            self._add_source(check, source)

    async def _logged(self) -> None:
        """Who the workload's web servers saw, from their own access logs."""
        requests = [check for check in self.chosen if check.action == "http"]
        pods = dict.fromkeys(check.destination.pod for check in requests)
        logs = await together(
            *(self.access.kubectl("logs", "--namespace", "default", pod, "--since=3m") for pod in pods)
        )
        lines = [line.split() for log in logs for line in log.splitlines() if self.where.web_path in line]
        # ADDRESS - - [TIME ZONE] "GET PATH HTTP/1.0" STATUS BYTES
        clients = {words[6]: words[0] for words in lines if len(words) > 6}
        for check in requests:
            self._add_source(check, clients.get(check.parameters["path"], ""))

    def _add_source(self, check: Check, source: str) -> None:
        if check.id in self.seen:
            self.seen[check.id] = replace(self.seen[check.id], source=source)


def _observation(answer: Mapping[str, Any]) -> Observation:
    return Observation(
        reached=answer["ok"],
        too_big=answer.get("too_big", False),
        source=answer.get("source", ""),
        milliseconds=answer.get("ms", 0),
        error=answer.get("error", ""),
    )
