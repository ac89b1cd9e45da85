"""The bridge that a node's pods share. The bridge plugin makes it, with the node's first pod; podnet keeps it right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from podnet.node.check import Check, Repair, Seen, check
from podnet.node.iproute import Interface, interfaces
from podnet.node.spec import CONFIG, NodeSpec, version_of
from podnet.node.system import System, parsed

FILE: Final = f"{CONFIG}/bridge"
"""Its name, as the CNI conf's resource noted it."""

SHOW: Final = ("ip", "-json", "-details", "addr", "show")


def actual(name: str, system: System) -> Interface | None:
    """Give the bridge as it is; None where there is none."""
    return next((each for each in parsed(interfaces, system, SHOW) if each.name == name), None)


def diff(spec: NodeSpec, system: System) -> Iterator[Check]:
    """Compare: it is up, with its address in each pod subnet and no other of that family, and the plan's MTU."""
    addresses = " ".join(spec.bridge_addresses)
    yield check(
        "bridge", f"{spec.cni.bridge} up, {addresses}, MTU {spec.cni.mtu}", lambda: _seen(spec, system)
    )  # fmt: skip


def up(system: System) -> Iterator[Check]:
    """Compare what the service keeps: it is up."""
    name = (system.read(FILE) or "").strip()
    if name:
        yield check("bridge", f"{name} up", lambda: _up(name, system))


def _up(name: str, system: System) -> Seen:
    bridge = actual(name, system)
    is_up = bridge is None or bridge.up
    return Seen("up" if is_up else "down", is_up, repairs=() if is_up else (_set_up(name),))


def _seen(spec: NodeSpec, system: System) -> Seen:
    name, mtu, wanted = spec.cni.bridge, spec.cni.mtu, spec.bridge_addresses
    bridge = actual(name, system)
    if bridge is None:
        return Seen(f"no {name}", False, f"the first pod on {spec.node} makes it: /etc/cni/net.d")
    versions = set(map(version_of, wanted))
    held = [str(one) for one in bridge.addresses if one.version in versions]
    text = f"{name} {'up' if bridge.up else 'down'}, {' '.join(held) or 'no address'}, MTU {bridge.mtu}"
    repairs = [] if bridge.up else [_set_up(name)]
    if bridge.mtu != mtu:
        repairs.append(Repair(f"set the MTU of {name} to {mtu}", ("ip", "link", "set", name, "mtu", str(mtu)),
                              foreign=True))  # fmt: skip
    if sorted(held) != sorted(wanted):
        for address in (one for one in held if one not in wanted):
            repairs.append(
                Repair(f"remove the address {address} of {name}", ("ip", "address", "del", address, "dev", name),
                       foreign=True)
            )  # fmt: skip
        # After them: with one address of its subnet, others of it go.
        for address in wanted:
            repairs.append(
                Repair(f"set the address {address} of {name}", ("ip", "address", "replace", address, "dev", name),
                       foreign=True)
            )  # fmt: skip
    return Seen(text, not repairs, f"ip address show dev {name}", tuple(repairs))


def _set_up(name: str) -> Repair:
    return Repair(f"set {name} up", ("ip", "link", "set", name, "up"))
