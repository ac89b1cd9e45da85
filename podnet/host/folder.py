"""Files of a stack's folder: ssh_config and known_hosts, what Vagrant reads, and admin.conf."""

from __future__ import annotations

import json
import os
import sys
from typing import Final

from podnet.host import bridge, files, machines
from podnet.host.environment import ROOT, stack_folder

_VAGRANTFILE: Final = "Vagrantfile"
_KUBECONFIG: Final = "admin.conf"


def file_up(stack: str, name: str) -> None:
    """Write a file with what stands on standard input, where @FOLDER@ stands for the folder."""
    folder = stack_folder(stack)
    files.write(folder / name, sys.stdin.read().replace("@FOLDER@", str(folder)))


def file_down(stack: str, *names: str) -> None:
    """Remove files, and the folder with the last that is in it."""
    folder = stack_folder(stack)
    files.remove(*(folder / name for name in names))
    files.remove_if_empty(folder)


def kubeconfig_up(stack: str) -> str:
    """Keep what stands on standard input as admin.conf; its path."""
    path = stack_folder(stack) / _KUBECONFIG
    files.write(path, sys.stdin.read())
    return f"{path}\n"


def kubeconfig_down(stack: str) -> None:
    """Remove admin.conf."""
    files.remove(stack_folder(stack) / _KUBECONFIG)


def folder_up(stack: str, _version: str) -> None:
    """Write the Vagrantfile and, with this host's box, the list of machines that stands on standard input.

    _version: the Vagrantfile's, which makes the engine repeat this.
    """
    folder = stack_folder(stack)
    text = sys.stdin.read().replace("@BOX@", os.environ.get("PODNET_BOX") or "none")
    files.write(folder / machines.LIST, text)
    files.write(folder / _VAGRANTFILE, (ROOT / "podnet/scripts" / _VAGRANTFILE).read_text())
    wanted = {machine["name"] for machine in json.loads(text)["machines"]}
    # What failed while it was made is in no state; where it is not to be any more, nobody else takes it away.
    for machine in machines.kept(folder):
        if machine.unfinished.exists() and machine.name not in wanted:
            machines.take_down(machine)


def folder_down(stack: str) -> None:
    """Remove what Vagrant reads, and what there still is of machines and of their network."""
    folder = stack_folder(stack)
    for machine in machines.kept(folder):
        machines.take_down(machine)
    network = machines.network(folder)
    if network.provider == machines.LXC:
        bridge.network_down(network.bridge)
    files.remove(*(folder / name for name in (_VAGRANTFILE, machines.LIST, "machines", ".vagrant")))
