"""One verification of a live cluster, from placing the probes to the report."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final

from podnet.model import Node
from podnet.observe.access import Access, CannotLookError, run
from podnet.observe.probes import agent_source, placed
from podnet.planning import ClusterPlan
from podnet.verify.report import Observation, Pod, Report, judge_all
from podnet.verify.scenarios import PORT, Check, Endpoint, Placement, checks, probes_of

_PROBES_TIMEOUT: Final = 90
_SERVE_SECONDS: Final = 120
"""How long a node's own server may outlive a verification that was killed."""

Tell = Callable[[str], None]


async def verify(
    plan: ClusterPlan, access: Access, tell: Tell, choose: Callable[[Check], bool] = lambda _: True
) -> Report:
    """Verify a cluster. tell: told what is being done. choose: which checks to make.

    Raises CannotLookError where it cannot be done.
    """
    access.require()
    start = time.monotonic()
    tell("placing probes on every node")
    async with placed(plan, access) as placement, _outside(plan) as outside, _node_servers(plan, access):
        where = replace(placement, outside=outside[0], outside_port=outside[1]) if outside else placement
        chosen = [check for check in checks(plan, where) if choose(check)]
        tell(f"making {len(chosen)} checks from {len({check.source.name for check in chosen})} places")
        seen = await _observe(plan, access, chosen, where)
        seen |= await _logged(access, chosen, where, seen)
    pods = tuple(Pod("default", web.name.partition("/")[2], web.node, web.address) for web in placement.web)
    return Report(tuple(judge_all(chosen, seen)), pods, (), round(time.monotonic() - start, 1))


@asynccontextmanager
async def _outside(plan: ClusterPlan) -> AsyncIterator[tuple[Endpoint, int] | None]:
    """A server on this host at the machine network's gateway, which stands for the outside; None if it is not ours."""
    address = str(plan.cluster.outside)
    if plan.cluster.outside != plan.cluster.gateway:
        yield Endpoint("outside", "", address), PORT
        return

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(writer.get_extra_info("peername")[0].encode() + b"\n")
        await reader.read()
        writer.write(b"0\n")
        await writer.drain()
        writer.close()

    try:
        server = await asyncio.start_server(answer, address, 0)
    except OSError:
        yield None  # a provider whose gateway is no address of this host
        return
    async with server:
        yield Endpoint("outside", "", address), server.sockets[0].getsockname()[1]


@asynccontextmanager
async def _node_servers(plan: ClusterPlan, access: Access) -> AsyncIterator[None]:
    """The agent's server on every node, for pods to reach the nodes."""
    command = f"sudo -n timeout {_SERVE_SECONDS} python3 - serve {PORT} {_SERVE_SECONDS}"
    processes = []
    try:
        for node in plan.cluster.nodes:
            process = await asyncio.create_subprocess_exec(
                *access.ssh(node, command),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
            processes.append((node, process))
            assert process.stdin is not None  # noqa: S101  # it is a pipe
            process.stdin.write(agent_source().encode())
            process.stdin.close()
        for node, process in processes:
            assert process.stdout is not None  # noqa: S101
            try:
                line = await asyncio.wait_for(process.stdout.readline(), 20)
            except TimeoutError:
                line = b""
            if line.strip() != b"ready":
                why = f"no login, or port {PORT} is taken"
                raise CannotLookError(f"node {node.name} ({node.address}) cannot be asked: {why}")
        yield
    finally:
        for _, process in processes:
            if process.returncode is None:
                process.terminate()
        await asyncio.gather(*(_end_server(access, node) for node, _ in processes), return_exceptions=True)


async def _end_server(access: Access, node: Node) -> None:
    await access.on_node(node, f"sudo -n pkill -f 'python3 - serve {PORT}' || true", timeout=10)


async def _observe(
    plan: ClusterPlan, access: Access, chosen: Sequence[Check], placement: Placement
) -> dict[str, Observation]:
    """Let every source make its probes, all side by side."""
    sources = {check.source.name: check.source for check in chosen}
    found = await asyncio.gather(*(_from(plan, access, source, chosen, placement) for source in sources.values()))
    return {identity: observation for part in found for identity, observation in part.items()}


async def _from(
    plan: ClusterPlan, access: Access, source: Endpoint, chosen: Sequence[Check], placement: Placement
) -> dict[str, Observation]:
    wanted = json.dumps(probes_of(chosen, source))
    if source.name == source.node:
        # A node: the program and its probes travel in one text.
        program = f"{agent_source()}\nprint(json.dumps(asyncio.run(probe_all(json.loads({wanted!r})))))\n"
        program = program.replace('if __name__ == "__main__":\n    main(sys.argv[1:])\n', "")
        command, stdin = access.ssh(plan.of(source.node).node, "sudo -n python3 -"), program
    else:
        pod = source.name.replace("/", "-")
        command = ["kubectl", "--kubeconfig", str(access.folder / "admin.conf"), "exec", "--stdin", pod]
        command += ["--namespace", placement.namespace, "--", "python3", "/podnet/agent.py", "probe"]
        stdin = wanted
    status, output, errors = await run(command, stdin, _PROBES_TIMEOUT)
    if status:
        # The checks of this source have no observation: they fail by that, and the others are still told.
        lines = errors.strip().splitlines() or ["no answer"]
        return {probe["id"]: Observation(reached=False, error=lines[-1]) for probe in probes_of(chosen, source)}
    return {item["id"]: _observation(item) for item in json.loads(output)}


def _observation(item: dict[str, Any]) -> Observation:
    return Observation(
        reached=item["ok"],
        refused=item.get("refused", False),
        source=item.get("source", ""),
        milliseconds=item.get("ms", 0),
        error=item.get("error", ""),
    )


async def _logged(
    access: Access, chosen: Sequence[Check], placement: Placement, seen: dict[str, Observation]
) -> dict[str, Observation]:
    """Who the workload's web servers saw, from their own access logs."""
    requests = [check for check in chosen if check.action == "http" and seen[check.id].reached]
    servers = {check.destination.name: check.destination for check in requests}
    logs = await asyncio.gather(
        *(
            access.kubectl("logs", "--namespace", "default", name.partition("/")[2], "--since=3m")
            for name in servers
        )
    )
    lines = [line.split() for log in logs for line in log.splitlines() if placement.web_path in line]
    # ADDRESS - - [TIME ZONE] "GET PATH HTTP/1.0" STATUS BYTES
    clients = {words[6]: words[0] for words in lines if len(words) > 6}
    return {
        check.id: replace(seen[check.id], source=clients.get(check.parameters["path"], "not in the server's log"))
        for check in requests
    }
