"""Keeping a node as it should be: looked at whenever the kernel says that something has changed, and once a minute.

The kernel tells its changes by netlink: routes, interfaces and addresses (rtnetlink(7)), and nftables' rules. So a
deleted route is back at once, and a node in which nothing happens costs nothing.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import time
from collections.abc import Callable
from typing import Final

_LINKS, _ADDRESSES, _ROUTES = 0x1, 0x10 | 0x100, 0x40 | 0x400  # RTMGRP_*: of IPv4 and of IPv6
_NETFILTER: Final = 12
_SOL_NETLINK, _ADD_MEMBERSHIP, _NFTABLES = 270, 1, 7

LONGEST_PAUSE: Final = 60.0
"""Seconds without any change after which it looks all the same: no event is lost for longer."""

SHORTEST_PAUSE: Final = 2.0
"""Seconds from one look to the next: a pod that starts changes many things, one after another."""

_AFTER_FAILURE: Final = 4.0
"""Seconds after which what could not be done is tried again."""


def watch(run: Callable[[], int]) -> None:
    """Run it now, whenever something has changed, and again where it has failed; never returns.

    run: gives its exit code.
    """
    changes = (_routing(), _nftables())
    ready = False
    while True:
        begun = time.monotonic()
        failed = run()
        if not ready:
            _say_ready()
            ready = True
        _rest(begun + SHORTEST_PAUSE - time.monotonic())
        _wait(changes, _AFTER_FAILURE if failed else LONGEST_PAUSE)


def _routing() -> socket.socket:
    told = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    told.bind((0, _LINKS | _ADDRESSES | _ROUTES))
    told.setblocking(False)
    return told


def _nftables() -> socket.socket:
    told = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETFILTER)
    told.bind((0, 0))
    told.setsockopt(_SOL_NETLINK, _ADD_MEMBERSHIP, _NFTABLES)
    told.setblocking(False)
    return told


def _rest(seconds: float) -> None:
    if seconds > 0:
        time.sleep(seconds)


def _wait(changes: tuple[socket.socket, ...], timeout: float) -> None:
    """Wait for a change; what has come is taken, whatever it is: one look sees it all."""
    for told in select.select(changes, (), (), timeout)[0]:
        # More than its buffer holds is an error, and a change too.
        with contextlib.suppress(OSError):
            while told.recv(1 << 16):
                pass


def _say_ready() -> None:
    """Tell systemd that the node is as it should be, or was tried to be (sd_notify(3)): the kubelet starts after it."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
            systemd.sendto(b"READY=1", address.replace("@", "\0", 1) if address.startswith("@") else address)
