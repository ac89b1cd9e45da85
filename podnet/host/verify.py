"""The verification, as a subcommand: it leaves its report and pictures in the stack's folder."""

from __future__ import annotations

import os
import sys

from podnet.host.environment import ROOT, stack_folder


def verify(stack: str) -> None:
    """Prove the network of the cluster that stands on standard input, and draw what was seen; prints a line of JSON."""
    folder = stack_folder(stack)
    options = ["--stack", stack, "--cluster", "-", "--format", "summary"]
    results = ["--report", str(folder / "report.json"), "--draw", str(folder)]
    os.chdir(ROOT)
    os.execv(sys.executable, [sys.executable, "-m", "podnet", "verify", *options, *results])  # noqa: S606
