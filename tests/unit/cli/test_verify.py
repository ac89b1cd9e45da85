"""``podnet verify``: exit codes, what is written where, what is said when it cannot look."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from podnet import files
from podnet.cli import live, main
from podnet.errors import PodnetError
from podnet.observe.access import Access, CannotLookError, together
from podnet.observe.progress import Progress
from podnet.planning import ClusterPlan
from podnet.verify.check import Endpoint, EndpointKind, Locality, PathKind, Scenario
from podnet.verify.report import Pod, Report, Result, load

ROOT = Path(__file__).parents[3]
CONFIG = ROOT / "tests" / "captured" / "cluster.json"


def _end(name: str, address: str = "") -> Endpoint:
    node, slash, _ = name.partition("/")
    return Endpoint(EndpointKind.POD if slash else EndpointKind.NODE, name, node, address)


STATE = Scenario(PathKind.NODE_STATE)
PODS_OF_NODE = Scenario(PathKind.POD_TO_POD, Locality.SAME_NODE)
ALL = (
    Result(STATE, "bridge", _end("node1"), None, "x", "y", passed=True),
    Result(STATE, "route", _end("node1"), _end("node2"), "x", "y", passed=False),
    Result(PODS_OF_NODE, "tcp", _end("node1/a", "10.25.2.4"), _end("node1/b", "10.25.2.5"), "x", "y", passed=True),
)
PODS = (Pod("default", "nginx-1", "node1", "10.25.2.2", "nginx"), Pod("kube-system", "coredns", "master", "10.25.1.2"))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., int]:
    """Run the command on a cluster of which everything is known."""

    async def known(plan: ClusterPlan, access: Access, progress: Progress, choose: Callable[[str], bool]) -> Report:
        progress.wait(access.folder.name)
        progress.count(0, len(plan.nodes))
        return Report(tuple(result for result in ALL if choose(result.id)), PODS, (), 1.0)

    monkeypatch.setattr(live, "verify", known)
    monkeypatch.setenv("PODNET_STACKS", str(tmp_path))
    return lambda *words: main.main(["verify", "--stack", "bench", "--cluster", str(CONFIG), *words])


@pytest.mark.parametrize(
    ("pattern", "code", "count"),
    [
        ("*", 1, 3),
        ("node-state", 1, 2),
        ("node-state/bridge*", 0, 1),
        ("node-state/*: node1", 1, 2),
        ("*node2", 1, 1),
        ("pod-to-pod-same-node/tcp: node1/a (10.25.2.4) -> node1/b (10.25.2.5)", 0, 1),
    ],
)
def test_exit_codes_and_only(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], pattern: str, code: int, count: int
) -> None:
    assert run("--format", "json", "--only", pattern) == code
    assert len(load(capsys.readouterr().out).results) == count


def test_what_was_not_tried_is_no_pass(
    run: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    untried = replace(ALL[0], passed=False, untried="the gateway is gone")
    monkeypatch.setattr(sys.modules[__name__], "ALL", (untried, ALL[2]))
    assert run() == 1
    out = capsys.readouterr().out
    assert "\nnot proved: 1 of 2 checks were not tried (node-state: the gateway is gone), in 1.0 s\n" in out
    assert run("--format", "summary", "--only", "pod-to-pod") == 0


def test_a_pattern_that_means_nothing_is_an_error(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--only", "nothing-*") == 2
    assert capsys.readouterr() == ("", "podnet: no check has an id like 'nothing-*'\n")


def test_the_summary_is_one_line_and_names_the_workload_alone(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--format", "summary") == 1
    out, err = capsys.readouterr()
    assert json.loads(out) == {
        "verdict": "failed: 1 of 3 checks do not hold",
        "pods": [{"name": "nginx-1", "node": "node1", "address": "10.25.2.2"}],
        "picture": "",
    }
    assert out.count("\n") == 1
    assert "node-state/route: node1 -> node2" in err


@pytest.mark.parametrize("form", ["table", "json", "junit", "markdown", "summary"])
def test_the_report_is_a_file_whatever_is_shown(run: Callable[..., int], tmp_path: Path, form: str) -> None:
    file = tmp_path / "report.json"
    file.write_text("the one before")
    assert run("--format", form, "--report", str(file)) == 1
    assert load(file.read_text()).results == ALL
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]
    assert stat.S_ISREG(file.stat().st_mode)


def test_a_report_that_cannot_be_written(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--report", "/nowhere/report.json") == 2
    assert "podnet: /nowhere/report.json cannot be written: No such file" in capsys.readouterr().err


def test_what_was_seen_is_drawn_where_it_is_asked_for(run: Callable[..., int], tmp_path: Path) -> None:
    run("--draw", str(tmp_path))
    assert (tmp_path / "network.svg").read_text().startswith("<?xml")
    assert "<svg" in (tmp_path / "network.html").read_text()


def test_a_file_is_whole_or_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "report.json"
    file.write_text("the one before")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(PodnetError, match="No space left"):
        files.write_whole(file, "the new one")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["the one before"]


def _verify(environ: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "podnet", "verify", "--stack", "bench", "--cluster", str(CONFIG), *words]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)} | environ
    return subprocess.run(command, env=env, cwd=ROOT, text=True, capture_output=True, check=False, timeout=60)


def test_without_the_stack_s_environment() -> None:
    done = _verify({})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("podnet: PODNET_STACKS is not set: run 'eval")


def test_without_a_kubeconfig(tmp_path: Path) -> None:
    done = _verify({"PODNET_STACKS": str(tmp_path)})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"podnet: there is no kubeconfig {tmp_path}/bench/admin.conf: is the stack up? (make up)\n"


@pytest.fixture
def tools(tmp_path: Path) -> dict[str, str]:
    """Give a stack's folder, and programs in place of ssh and kubectl, which a test writes."""
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "admin.conf").write_text("{}")
    (tmp_path / "bin").mkdir()
    return {"PODNET_STACKS": str(tmp_path), "PATH": f"{tmp_path}/bin:/usr/bin:/bin"}


def _tool(tools: dict[str, str], name: str, script: str) -> None:
    path = Path(tools["PODNET_STACKS"]) / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


FIRST = '{"port": 7, "caller": "10.100.196.1"}'
"""What an agent says first."""

REFUSED = "The connection to the server 10.100.196.200:6443 was refused - did you specify the right host or port?"


def test_without_kubectl(tools: dict[str, str]) -> None:
    _tool(tools, "ssh", f"echo '{FIRST}'; exec /bin/cat >/dev/null")
    tools["PATH"] = tools["PATH"].partition(":")[0]
    done = _verify(tools)
    assert done.returncode == 2
    assert "podnet: kubectl is not on the PATH: run 'eval" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_everything_that_cannot_be_reached_is_said_at_once(tools: dict[str, str]) -> None:
    _tool(tools, "kubectl", f"echo '{REFUSED}' >&2; exit 1")
    slow = "case $* in *10.100.196.201*) sleep 0.2;; esac"
    _tool(tools, "ssh", f"{slow}; echo 'ssh: connect: No route to host' >&2; exit 255")
    start = time.monotonic()
    done = _verify(tools)
    assert time.monotonic() - start < 20
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert lines[0] == "podnet: 4 things keep podnet from looking:"
    assert lines[1] == f"  - the API server does not answer: {REFUSED}"
    for line, number in zip(lines[2:], (200, 201, 202), strict=True):
        assert f"(10.100.196.{number}) cannot be asked: ssh: connect: No route to host" in line


def test_nobody_who_says_nothing_is_waited_for(
    tools: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _tool(tools, "kubectl", "exec sleep 600")
    _tool(tools, "ssh", "exec sleep 600")
    for name, value in tools.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("podnet.observe.access._API_TIMEOUT", 1)
    monkeypatch.setattr("podnet.observe.sessions.NODE_TIMEOUT", 2)
    start = time.monotonic()
    assert main.main(["verify", "--stack", "bench", "--cluster", str(CONFIG)]) == 2
    assert time.monotonic() - start < 10
    said = capsys.readouterr().err
    longer = "(PODNET_TIMEOUT=SECONDS waits longer)"
    assert f"the API server does not answer: no answer within 1 s {longer}\n" in said
    slow = "no answer within 2 s, though its connection stands"
    assert f"node node1 (10.100.196.201) cannot be asked: {slow} {longer}\n" in said


def test_what_could_not_be_taken_away_does_not_hide_the_error(tools: dict[str, str]) -> None:
    # The agent is answered for; then the API server goes away.
    _tool(tools, "ssh", f"echo '{FIRST}'; exec cat >/dev/null")
    _tool(tools, "kubectl", f'case "$*" in *readyz*) exit 0;; esac; echo "{REFUSED}" >&2; exit 1')
    done = _verify(tools)
    assert done.returncode == 2
    left, error = done.stderr.splitlines()
    assert left.startswith("podnet: the namespace podnet-verify-")
    assert "is left behind (kubectl delete failed:" in left
    assert error.startswith("podnet: kubectl ")
    assert REFUSED in error


async def _fails(what: str) -> Any:
    raise CannotLookError(what)


def test_one_error_is_said_as_it_is() -> None:
    with pytest.raises(CannotLookError, match=r"^one$"):
        asyncio.run(together(_fails("one")))
    with pytest.raises(CannotLookError, match=r"^2 things keep podnet from looking:\n  - one\n  - two$"):
        asyncio.run(together(_fails("one"), _fails("two")))


@pytest.mark.parametrize("command", ["verify", "draw"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "the config {} cannot be read: No such file or directory"),
        (b"[]", "the config {} is not a mapping; expected an object with podnet's keys"),
        (b"\xff", "the config {} cannot be read: it is not UTF-8 text"),
        (
            b"{",
            "the config {} is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        ),
    ],
)
def test_a_config_that_is_none(
    command: str, content: bytes | None, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "cluster.json"
    if content is not None:
        file.write_bytes(content)
    assert main.main([command, "--stack", "bench", "--cluster", str(file)]) == 2
    assert capsys.readouterr() == ("", f"podnet: {said.format(file)}\n")
