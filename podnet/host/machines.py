"""The machines of a stack, by Vagrant, from the stack's folder."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from podnet.errors import PodnetError
from podnet.host import bridge, containers, files, guest, keys, owners
from podnet.host.environment import stack_folder, variable
from podnet.host.locks import locked
from podnet.host.programs import answer, output, run
from podnet.host.root import as_root, command

LIST: Final = "machines.json"
"""The network and every machine, as the Vagrantfile reads them."""

LXC: Final = "lxc"

_SECONDS: Final = 120
_STOPPED: Final = ("STOPPED", "poweroff", "aborted", "saved", "shutoff")

_refusal = as_root(owners.refusal_of_container)
_destroy = as_root(containers.destroy)


class Network(NamedTuple):
    """What the list of machines says of all of them; empty where there is no list."""

    provider: str = ""
    bridge: str = ""
    gateway: str = ""
    prefix_length: int = 0


def network(folder: Path) -> Network:
    """The network of the machines of a stack's folder."""
    path = folder / LIST
    found = json.loads(path.read_text()) if path.exists() else {}
    return Network(**{key: found[key] for key in Network._fields if key in found})


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine of a stack. folder: the stack's."""

    folder: Path
    name: str

    @property
    def kept(self) -> Path:
        """What is kept of it: keys, files, and what it is made of."""
        return self.folder / "machines" / self.name

    @property
    def unfinished(self) -> Path:
        """A file that is there until the machine was up once."""
        return self.kept / "unfinished"

    @property
    def vagrants(self) -> Path:
        """What Vagrant itself knows of it."""
        return self.folder / ".vagrant/machines" / self.name

    @property
    def provider(self) -> str:
        """Who runs it, as Vagrant calls them."""
        return network(self.folder).provider

    @property
    def id(self) -> str:
        """What the provider knows it by; empty where Vagrant has made none."""
        path = self.vagrants / self.provider / "id"
        return path.read_text().strip() if path.exists() else ""

    def state(self) -> str:
        """Its state as the provider calls it; empty where it is gone."""
        if self.provider == LXC:
            return (answer(command("lxc-info", "--state", "--no-humanize", "--name", self.id)) or "").strip()
        said = output(["vagrant", "status", "--machine-readable", self.name], env=self._environ())
        fields = [line.split(",") for line in said.splitlines()]
        return next((field[3] for field in fields if field[2:3] == ["state"]), "")

    def vagrant(self, *arguments: str) -> None:
        """Let Vagrant do something with it."""
        run(["vagrant", *arguments, self.name], env=self._environ())

    def refusal(self, container: str) -> str:
        """What there is to say of a container that is not this machine's; empty where it is, or is not there."""
        return _refusal(network(self.folder).bridge, self.folder.name, container)

    def require_own(self, container: str) -> None:
        """Refuse a container that is not this machine's."""
        if refusal := self.refusal(container):
            raise PodnetError(refusal)

    def require_free(self, address: str) -> None:
        """Refuse an address that another machine of the stack still has."""
        for known in sorted(self.folder.glob("machines/*/known_hosts")):
            other = known.parent.name
            if other != self.name and guest.address_of(known) == address:
                raise PodnetError(f"{address} is still the address of {other}: make up takes that machine away first")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Wait until no other run is busy with it, for Vagrant refuses a second command on the same machine."""
        (self.folder / "machines").mkdir(exist_ok=True)
        name, lock = self.name, self.folder / f"machines/.{self.name}.lock"
        busy = f"another run's vagrant has been busy with {name} for {_SECONDS} s: end it, and repeat this"
        with locked(lock, seconds=_SECONDS, busy=busy, waiting=f"waiting for another run's vagrant on {name}"):
            yield

    def _environ(self) -> dict[str, str]:
        return {**os.environ, "VAGRANT_CWD": str(self.folder)}


def machine_up(stack: str, node: str) -> str:
    """``vagrant up`` of the machine that stands on standard input; its public host key."""
    machine = Machine(stack_folder(stack), node)
    text = sys.stdin.read()
    address, container = (json.loads(text)[key] for key in ("address", "container"))
    boxed = machine.provider == LXC
    if boxed:
        if not os.environ.get("PODNET_BOX"):
            raise PodnetError("there is no box yet: make up builds it")
        machine.require_own(container)
    with machine.held():
        machine.require_free(address)
        machine.kept.mkdir(exist_ok=True)
        if not guest.host_key(machine.kept).exists():
            machine.unfinished.touch()
        files.write(machine.kept / "machine.json", text)
        public = guest.write_host_key(machine.kept, node, address)
        guest.authorize(machine.kept, machine.folder / f"{keys.NAME}.pub", mounted=boxed)
        guest.write_etc(machine.kept, node, address, network(machine.folder).gateway)
        if boxed and not machine.id:
            _destroy(container)  # a killed run left it, and Vagrant does not know it
        machine.vagrant("up", "--provider", machine.provider)
        files.remove(machine.unfinished)
    return f"{public}\n"


def machine_down(stack: str, node: str, provider: str, container: str) -> None:
    """``vagrant destroy`` of a machine. Somebody else's container stays."""
    machine = Machine(stack_folder(stack), node)
    with machine.held():
        refusal = machine.refusal(container) if provider == LXC else ""
        if refusal:
            print(refusal, file=sys.stderr)
        elif (machine.folder / "Vagrantfile").exists():
            machine.vagrant("destroy", "--force")
        if provider == LXC:
            files.remove(machine.vagrants)
            if not refusal:
                _destroy(container)
        files.remove(machine.kept)


def kept(folder: Path) -> list[Machine]:
    """The machines of which something is kept; what failed while it was made is in no state of the engine's."""
    return [Machine(folder, path.parent.name) for path in sorted(folder.glob("machines/*/machine.json"))]


def take_down(machine: Machine) -> None:
    """Take down a machine by what is kept of it."""
    container = json.loads((machine.kept / "machine.json").read_text())["container"]
    machine_down(machine.folder.name, machine.name, machine.provider, container)


def stopped(stack: str) -> str:
    """The machines that were made and do not run, a line each."""
    return "".join(f"{machine.name}\n" for machine in _made(stack) if machine.state() in _STOPPED)


def resume(stack: str, *nodes: str) -> None:
    """Bring back what a reboot of the host has stopped: the network, and these machines."""
    if made := _made(stack):
        found = network(made[0].folder)
        if found.provider == LXC:
            bridge.network_up(found.bridge, f"{found.gateway}/{found.prefix_length}")
        _together(_start, [machine for machine in made if machine.name in nodes])


def halt(stack: str) -> None:
    """Stop the machines; ``resume`` starts them again."""
    _together(_stop, _made(stack))


def _made(stack: str) -> list[Machine]:
    """The machines that Vagrant has made."""
    folder = Path(variable("PODNET_STACKS")) / stack
    known = sorted(folder.glob(".vagrant/machines/*")) if network(folder).provider else []
    return [machine for path in known if (machine := Machine(folder, path.name)).id]


def _start(machine: Machine) -> None:
    try:
        machine.vagrant("up", "--provider", machine.provider)
    except PodnetError:
        name = machine.name
        raise PodnetError(f"the machine of {name} does not start; make up REPLACE={name} recreates it") from None


def _stop(machine: Machine) -> None:
    state = machine.state()
    if state == "RUNNING":
        machine.require_own(machine.id)
        # LXC waits a minute for what runs in a container to end by itself.
        run(command("lxc-stop", "--name", machine.id))
    elif state == "running":
        machine.vagrant("halt")


def _together(do: Callable[[Machine], None], machines: Sequence[Machine]) -> None:
    """Do something with each machine, all at once; PodnetError with all that failed."""
    failed: list[str] = []

    def attempt(machine: Machine) -> None:
        try:
            with machine.held():
                do(machine)
        except PodnetError as error:
            failed.append(str(error))

    threads = [threading.Thread(target=attempt, args=[machine]) for machine in machines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise PodnetError("\n".join(sorted(failed)))
