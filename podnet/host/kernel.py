"""The kernel that boxes have in common with this host: modules that they need, and settings that they change.

What the host was like before the first network of podnet's is noted, to be so again after the last. A reboot undoes it
too.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from podnet.errors import PodnetError
from podnet.host import files
from podnet.host.programs import answer

_NOTES: Final = Path("/run/podnet-host")
_NOTED_SYSCTLS: Final = _NOTES / "sysctls"
"""As ``sysctl --load`` reads it."""

_NOTED_MODULES: Final = _NOTES / "modules"
_INSTANCES: Final = "fs.inotify.max_user_instances"
_ENOUGH_INSTANCES: Final = 4096
"""A node takes some fifteen: with the usual 128 the kubelets of two clusters starve."""

_SYSCTLS: Final = (
    _INSTANCES, "kernel.keys.root_maxbytes", "kernel.keys.root_maxkeys", "kernel.panic", "kernel.panic_on_oops",
    "vm.overcommit_memory", "vm.panic_on_oom", "fs.file-max", "fs.nr_open", "fs.protected_fifos",
    "fs.protected_hardlinks", "fs.protected_regular", "fs.protected_symlinks", "kernel.pid_max",
)  # fmt: skip
"""What a kubelet and the box's systemd set, and the first."""

_BRIDGED: Final = "net.bridge.bridge-nf-call-"
MODULES: Final = ("br_netfilter", "overlay")
"""A box cannot load a module. Without br_netfilter a Service fails whose endpoint is on the same node."""


def missing_modules() -> Iterator[str]:
    """The modules that have to be loaded; PodnetError where this host has none of that name."""
    for module in MODULES:
        if not _has(module):
            if answer(["modprobe", "--dry-run", "--quiet", module]) is None:
                raise PodnetError(f"boxes need the kernel module {module}, and this host has none (modprobe {module})")
            yield module


def prepare(*, first: bool) -> None:
    """Load the modules and raise the limit. first: no network of podnet's is up, so nothing has changed yet."""
    _NOTES.mkdir(exist_ok=True)
    if first and not _NOTED_SYSCTLS.exists():
        values = {name: sysctl(name) for name in _SYSCTLS}
        files.write(_NOTED_SYSCTLS, "".join(f"{name} = {value}\n" for name, value in values.items() if value))
    if int(sysctl(_INSTANCES) or 0) < _ENOUGH_INSTANCES:
        _set(_INSTANCES, str(_ENOUGH_INSTANCES))
    for module in MODULES:
        if not _has(module):
            _load(module)


def restore() -> None:
    """Make the kernel what it was before the first network."""
    for module in _lines(_NOTED_MODULES):
        # Somebody who has switched it on meanwhile, as Docker does, needs it.
        if module != "br_netfilter" or not sends_bridged_to_firewall():
            # Not `modprobe --remove`: it takes along the module bridge, and with it every bridge of the host.
            answer(["rmmod", module])
    for line in _lines(_NOTED_SYSCTLS):
        name, _, value = line.partition(" = ")
        _set(name, value)
    files.remove(_NOTED_MODULES, _NOTED_SYSCTLS)
    files.remove_if_empty(_NOTES)


def sends_bridged_to_firewall() -> bool:
    """Whether what bridges carry passes this host's firewall."""
    return sysctl(f"{_BRIDGED}iptables") == "1"


def sysctl(name: str) -> str | None:
    """A setting of the kernel; None where it has none of this name."""
    path = _path(name)
    return path.read_text().strip() if path.exists() else None


def _set(name: str, value: str) -> None:
    _path(name).write_text(f"{value}\n")


def _path(name: str) -> Path:
    return Path("/proc/sys", *name.split("."))


def _has(module: str) -> bool:
    if module == "br_netfilter":
        return sysctl(f"{_BRIDGED}iptables") is not None
    return module in Path("/proc/filesystems").read_text().split()


def _load(module: str) -> None:
    if answer(["modprobe", module]) is None:
        raise PodnetError(f"boxes need the kernel module {module}, and modprobe failed")
    with _NOTED_MODULES.open("a") as file:
        file.write(f"{module}\n")
    if module == "br_netfilter":
        # What other bridges of this host carry did not pass its firewall before, and need not now.
        for tables in ("iptables", "ip6tables", "arptables"):
            _set(f"{_BRIDGED}{tables}", "0")


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
