"""A run's folder for temporary files: its own, and gone with it, also where the run was killed."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from podnet.lifecycle.scratch import scratch


def test_it_is_the_users_own_and_goes_with_the_run(tmp_path: Path) -> None:
    parent = tmp_path / "state" / "tmp"
    with scratch(parent) as one, scratch(parent) as two:
        (one.folder / "kubeconfig").write_text("a key")
        assert one.folder != two.folder
        for folder in (parent, one.folder, two.folder):
            assert folder.stat().st_mode & 0o777 == 0o700
    assert list(parent.iterdir()) == []


def test_it_goes_where_the_run_fails(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), scratch(tmp_path):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_goes_with_the_next_one(tmp_path: Path) -> None:
    left = tmp_path / "left"
    (left / "deep").mkdir(parents=True)
    (left / "deep" / "kubeconfig").write_text("a key")
    with scratch(tmp_path) as run:
        assert list(tmp_path.iterdir()) == [run.folder]


RUN = """
import subprocess, sys, time
from pathlib import Path
from podnet.lifecycle.scratch import scratch
with scratch(Path(sys.argv[1])) as run:
    subprocess.Popen(["cat"], pass_fds=[run.lock])
    print(run.folder, flush=True)
    time.sleep(60)
"""


def test_what_an_engine_that_outlived_its_run_uses_stays(tmp_path: Path) -> None:
    command = [sys.executable, "-c", RUN, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdin is not None
        assert run.stdout is not None
        folder = Path(run.stdout.readline().strip())
        run.kill()
        run.wait()
        with scratch(tmp_path):
            assert folder.exists()
        run.stdin.close()  # the engine, which is cat here, ends
        lock = os.open(folder, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.close(lock)
    with scratch(tmp_path):
        assert not folder.exists()
