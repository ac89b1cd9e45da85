"""A node's pods, when their conf changes: a conf counts for new pods only, so those that are there are ended."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import time
from typing import Final

from podnet.node import files
from podnet.node.check import Unseen
from podnet.node.system import System, printed

ENDED: Final = "/run/podnet/ended"
"""The network namespaces of the pods that were ended, a line each."""

_LEASES: Final = "/run/podnet/ipam"
_TIMEOUT: Final = 30.0
"""Seconds in which the kubelet has cleared away the pods that were ended."""

_OF_PLUGIN: Final = re.compile(r"CNI-[0-9a-f]{24}")
"""A chain that the bridge plugin makes for a pod, with ipMasq."""


def end(bridge: str, system: System) -> None:
    """End every pod of the pod network; the kubelet makes them again.

    The bridge is the plugin's, which never removes it; neither does it forget its leases.
    """
    ended = _namespaces(system)
    files.write(ENDED, "".join(f"{name}\n" for name in ended))
    for name in ended:
        for process in system.run("ip", "netns", "pids", name).output.split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(process), signal.SIGKILL)
    system.run("ip", "link", "delete", bridge, "type", "bridge")
    shutil.rmtree(_LEASES, ignore_errors=True)
    _clear_masquerades(system)


def wait_for_end(system: System) -> None:
    """Wait until the kubelet has cleared away what was ended; what comes after sees the new pods.

    Raises Unseen where it does not.
    """
    ended = set((system.read(ENDED) or "").split())
    if not ended:
        return
    deadline = time.monotonic() + _TIMEOUT
    while ended & set(_namespaces(system)):
        if time.monotonic() > deadline:
            raise Unseen(
                f"the kubelet has not made this node's pods again within {_TIMEOUT:.0f} s: see journalctl -u kubelet"
            )
        time.sleep(0.3)
    files.remove(ENDED)


def _namespaces(system: System) -> list[str]:
    lines = system.run("ip", "netns", "list").output.splitlines()
    return [line.split()[0] for line in lines if line.startswith("cni-")]


def _clear_masquerades(system: System) -> None:
    """Remove the rule and the chain that the bridge plugin makes for each pod, with ipMasq.

    It takes them away only under the conf that made them; left over, they hide the next pod with the same address.
    """
    lines = [line.split() for line in printed(system, "iptables", "-w", "-t", "nat", "-S").splitlines()]
    chains = [words[1] for words in lines if words[0] == "-N" and _OF_PLUGIN.fullmatch(words[1])]
    listed = printed(system, "iptables", "-w", "-t", "nat", "-L", "POSTROUTING", "-n", "--line-numbers").splitlines()
    numbers = [words[0] for words in map(str.split, listed) if len(words) > 1 and words[1] in chains]
    for number in reversed(numbers):
        printed(system, "iptables", "-w", "-t", "nat", "-D", "POSTROUTING", number)
    for chain in chains:
        printed(system, "iptables", "-w", "-t", "nat", "-F", chain)
        printed(system, "iptables", "-w", "-t", "nat", "-X", chain)
