"""Locks that killed runs have left in a backend of files.

The engine locks a stack with a file that says which process holds it, and has no way of its own to tell that this
process is dead: the next run would refuse until somebody types `pulumi cancel`.
"""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path


def clear(backend: Path, stack: str) -> list[str]:
    """Remove the stack's locks whose process, on this host, is gone; what was removed, in words."""
    said = []
    for path in sorted((backend / ".pulumi" / "locks").glob(f"**/{stack}/*.json")):
        try:
            content = json.loads(path.read_text())
            pid, host = int(content["pid"]), str(content["hostname"])
        except (OSError, ValueError, KeyError, TypeError):
            continue  # not one that the engine wrote; it will say so itself
        if host == socket.gethostname() and not _is_pulumi(pid):
            path.unlink(missing_ok=True)
            said.append(f"the run before (process {pid}) ended without letting go of the stack; going on from there")
    return said


def _is_pulumi(pid: int) -> bool:
    """Tell whether this process runs and is an engine; another program may have got a dead one's number."""
    try:
        os.kill(pid, 0)
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]
    except PermissionError:
        return True
    except OSError:
        return False
    return Path(command.decode(errors="replace")).name == "pulumi"
