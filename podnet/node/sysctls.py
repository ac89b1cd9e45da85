"""The kernel's settings that a node of a routed pod network needs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from podnet.node.check import Check, Repair, Seen, check
from podnet.node.spec import NodeSpec
from podnet.node.system import System


def path(name: str) -> str:
    """Give the file of a sysctl: below ``net/bridge`` and ``net/ipv4`` no name has a dot of its own."""
    return f"/proc/sys/{name.replace('.', '/')}"


def diff(spec: NodeSpec, system: System) -> Iterator[Check]:
    """Compare each, by the last part of its name."""
    for name, wanted in spec.sysctls.items():
        yield check(name.rpartition(".")[2].replace("_", "-"), wanted, partial(_seen, name, wanted, system))


def _seen(name: str, wanted: str, system: System) -> Seen:
    text = system.read(path(name))
    if text is None:
        absent = "absent: the module br_netfilter is not loaded" if name.startswith("net.bridge") else "absent"
        return Seen(absent, False, f"sysctl {name}; lsmod")
    value = text.strip()
    repair = Repair(f"set {name} to {wanted}", ("sysctl", "-qw", f"{name}={wanted}"), foreign=True)
    return Seen(value, value == wanted, f"{name} is {value} (sysctl {name})", (repair,))
