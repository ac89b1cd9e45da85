"""Locks of runs that were killed, and of those that were not."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from pathlib import Path

import pytest

from podnet.lifecycle import locks


def _lock(backend: Path, stack: str, pid: int, hostname: str) -> Path:
    """Write a lock as the engine does."""
    path = backend / ".pulumi/locks/organization/podnet" / stack / "0b0c.json"
    path.parent.mkdir(parents=True)
    content = {"pid": pid, "username": "root", "hostname": hostname, "timestamp": "2026-11-24T03:00:00Z"}
    path.write_text(json.dumps(content))
    return path


@pytest.fixture
def dead() -> int:
    """Give the number of a process that has ended."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_a_dead_processs_lock_is_removed_and_said(tmp_path: Path, dead: int) -> None:
    lock = _lock(tmp_path, "dev", dead, socket.gethostname())
    other = _lock(tmp_path, "dev2", dead, socket.gethostname())
    said = locks.clear(tmp_path, "dev")
    assert str(dead) in said[0]
    assert not lock.exists()
    assert other.exists()


def test_another_hosts_lock_stays(tmp_path: Path, dead: int) -> None:
    lock = _lock(tmp_path, "dev", dead, "elsewhere")
    assert locks.clear(tmp_path, "dev") == []
    assert lock.exists()


def test_a_running_engines_lock_stays(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"], executable="/bin/sleep") as sleeping:
        named = subprocess.Popen(["bash", "-c", "exec -a /opt/pulumi sleep 60"])
        try:
            lock = _lock(tmp_path, "dev", named.pid, socket.gethostname())
            # bash needs a moment to become the other program.
            while not Path(f"/proc/{named.pid}/cmdline").read_bytes().startswith(b"/opt/pulumi"):
                time.sleep(0.01)
            assert locks.clear(tmp_path, "dev") == []
            assert lock.exists()
            # The same number, but by now another program's.
            taken = _lock(tmp_path, "other", sleeping.pid, socket.gethostname())
            assert len(locks.clear(tmp_path, "other")) == 1
            assert not taken.exists()
        finally:
            named.terminate()
            named.wait()
            sleeping.terminate()


def test_nothing_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert locks.clear(tmp_path, "dev") == []
    strange = _lock(tmp_path, "dev", 1, "x")
    strange.write_text("[")
    assert locks.clear(tmp_path, "dev") == []
