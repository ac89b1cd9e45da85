"""What a machine sees of the host: its keys and files of its /etc, kept in the stack's folder.

Both keys are known before the machine runs: nobody can log in with another, and no other machine can pose as it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from podnet.host import files, keys, root
from podnet.host.programs import run

_LOOPBACK: Final = re.compile(r"nameserver\s+(127\.|::1)")


def host_key(kept: Path) -> Path:
    """The file of a machine's host key."""
    return kept / "ssh_host_ed25519_key"


def write_host_key(kept: Path, node: str, address: str) -> str:
    """Make a machine's host key, and note it as known; the public key."""
    public = " ".join(keys.make(host_key(kept), node).read_text().split()[:2])
    (kept / "known_hosts").write_text(f"{address} {public}\n")
    return public


def address_of(known_hosts: Path) -> str:
    """The address of a machine whose host key was noted."""
    return known_hosts.read_text().partition(" ")[0]


def authorize(kept: Path, key: Path, *, mounted: bool) -> None:
    """Let a key in. mounted: the machine sees the file itself, and its sshd takes none of another user's than root."""
    authorized = kept / "authorized_keys"
    files.write(authorized, key.read_text(), mode=0o644)
    if mounted:
        run(root.command("chown", "0:0", str(authorized)))


def write_etc(kept: Path, node: str, address: str, gateway: str) -> None:
    """Write a machine's hostname, hosts and resolv.conf; one that runs sees the change."""
    etc = {
        "hostname": [node],
        # sudo looks its own host up; without an answer in /etc/hosts it waits for a resolver, which may not be there.
        "hosts": ["127.0.0.1 localhost", f"{address} {node}"],
        "resolv.conf": nameservers(Path("/etc/resolv.conf")) or [f"nameserver {gateway}"],
    }
    for name, lines in etc.items():
        (kept / name).write_text("".join(f"{line}\n" for line in lines))
        (kept / name).chmod(0o644)


def nameservers(host: Path) -> list[str]:
    """The nameservers of a resolv.conf that a machine can reach: none on the host's loopback.

    Where there is none the gateway stands in: CoreDNS does not start without a nameserver.
    """
    lines = host.read_text().splitlines() if host.exists() else []
    return [line for line in lines if line.startswith("nameserver") and not _LOOPBACK.match(line)]
