"""``podnet conformance``: Kubernetes' own network tests, run on a stack that is up.

The suite is Kubernetes' `e2e.test` of the very version that the cluster runs. It names its images by registry; the
bundle holds them under podnet's own name, which the suite is told.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from images.recipes import REPOSITORY
from podnet.errors import PodnetError
from podnet.lifecycle.places import ROOT
from podnet.lifecycle.workspace import Workspace
from podnet.steps import duration
from toolchain import ensure

QUICK: Final = ("Networking Granular Checks: Pods should function for .*: (http|udp)", "NoSNAT")
"""What says most about a pod network: every node and pod to every pod, and no translation on the way."""

FULL: Final = (r"\[sig-network\].*\[Conformance\]", *QUICK)
"""Every network test that makes a cluster conformant, and the above."""

_LIMIT: Final = 45 * 60
"""Seconds after which the suite gives up by itself."""

_RULE: Final = "-" * 30
_ENDED: Final = re.compile(r"^• (?P<failed>\[[A-Z ]+\] )?\[(?P<seconds>[\d.]+) seconds\]$")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of the suite. failed: the names of the tests that did not pass. junit: the suite's own report."""

    passed: int
    failed: tuple[str, ...]
    seconds: float
    junit: Path

    @property
    def summary(self) -> str:
        """One line."""
        total = self.passed + len(self.failed)
        verdict = f"{self.passed} of {total} of Kubernetes' network tests pass"
        return f"{verdict}, in {duration(self.seconds)}: {self.junit}"


def conformance(workspace: Workspace, *, quick: bool) -> bool:
    """Run them and say how they ended; whether all pass. quick: those of QUICK only."""
    kubeconfig = workspace.folder / "admin.conf"
    if not kubeconfig.exists():
        raise PodnetError(f"the stack {workspace.stack} is not up here (no {kubeconfig}): make up brings it up")
    toolchain = ensure(["e2e", "kubernetes"])
    reports = ROOT / "reports" / f"conformance-{workspace.stack}"
    outcome = run(toolchain.bin("e2e.test"), toolchain.path, kubeconfig, reports, QUICK if quick else FULL)
    for name in outcome.failed:
        print(f"FAILED: {name}")
    print(outcome.summary)
    return not outcome.failed


def run(program: Path, path: Path, kubeconfig: Path, reports: Path, focus: Iterable[str]) -> Outcome:
    """Run the tests whose names match any of focus (regular expressions), a line for each as it ends.

    program: `e2e.test`. path: the folder with kubectl, which some of the tests call.

    Raises PodnetError where the suite could not run, with its last words.
    """
    reports.mkdir(parents=True, exist_ok=True)
    junit = reports / "junit_01.xml"
    junit.unlink(missing_ok=True)
    registries = reports / "registries.yaml"
    registries.write_text(json.dumps(dict.fromkeys(("promoterE2eRegistry", "gcRegistry"), REPOSITORY)))
    command = [
        str(program),
        f"--kubeconfig={kubeconfig}",
        "--provider=local",
        f"--report-dir={reports}",
        f"--ginkgo.focus={'|'.join(f'({each})' for each in focus)}",
        f"--ginkgo.timeout={_LIMIT}s",
        "--ginkgo.no-color",
        "--ginkgo.v",
        "--disable-log-dump",
    ]
    log = reports / "e2e.log"
    start = time.monotonic()
    environ = {"KUBE_TEST_REPO_LIST": str(registries), "HOME": str(reports), "PATH": f"{path}:/usr/bin:/bin"}
    status = _follow(command, environ, log)
    if not junit.exists():
        raise PodnetError(f"Kubernetes' tests ended with exit status {status} and no report:\n{_tail(log)}")
    outcome = _read(junit, time.monotonic() - start)
    if outcome.passed == 0 and not outcome.failed:
        raise PodnetError(f"no test of Kubernetes' suite was run:\n{_tail(log)}")
    if status and not outcome.failed:
        raise PodnetError(f"Kubernetes' tests ended with exit status {status}:\n{_tail(log)}")
    return outcome


def _follow(command: list[str], environ: Mapping[str, str], log: Path) -> int:
    """Run the suite; its whole output goes to the log, and a line for each test that ended to standard error."""
    out, none = subprocess.PIPE, subprocess.DEVNULL
    suite = subprocess.Popen(command, env=dict(environ), stdin=none, stdout=out, stderr=subprocess.STDOUT, text=True)
    with log.open("w") as kept, suite as process:
        try:
            assert process.stdout is not None  # noqa: S101  # it is a pipe
            for line in _told(process.stdout, kept.write):
                print(line, file=sys.stderr, flush=True)
        except BaseException:
            process.terminate()
            raise
        return process.wait()


def _told(lines: Iterable[str], keep: Callable[[str], object]) -> Iterator[str]:
    """Keep every line; yield one for each test that ended.

    The suite rules a line, prints a test's name and what it does, and at its end how long it took.
    """
    name, is_next = "", False
    for line in lines:
        keep(line)
        text = line.rstrip()
        if is_next and text and not text.startswith(("•", "S [")):
            name = text
        is_next = text == _RULE
        if ended := _ENDED.match(text):
            state = "FAILED" if ended["failed"] else "passed"
            yield f"{state} {duration(float(ended['seconds'])):>12}  {name}"


def _read(junit: Path, seconds: float) -> Outcome:
    """Read the suite's report, which lists every test there is, most of them skipped."""
    passed, failed = 0, []
    for case in ElementTree.parse(junit).iter("testcase"):  # noqa: S314  # the suite wrote it just now
        if not case.get("name", "").startswith("[It]") or case.find("skipped") is not None:
            continue
        if case.find("failure") is None and case.find("error") is None:
            passed += 1
        else:
            failed.append(case.get("name", "").removeprefix("[It] "))
    return Outcome(passed, tuple(failed), seconds, junit)


def _tail(log: Path) -> str:
    return "\n".join(f"  {line}" for line in log.read_text(errors="replace").splitlines()[-15:])
