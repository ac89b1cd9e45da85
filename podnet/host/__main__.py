"""The subcommands: ``python -m podnet.host SUBCOMMAND ARGUMENT...``."""

from __future__ import annotations

import inspect
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Final

from podnet.errors import PodnetError
from podnet.host import bridge, bundle, folder, keys, machines, root, verify

SUBCOMMANDS: Final[dict[str, Callable[..., str | None]]] = {
    "check": bridge.check,
    "clear": bridge.clear,
    "network-up": bridge.network_up,
    "network-down": bridge.network_down,
    "key-up": keys.key_up,
    "key-down": keys.key_down,
    "login-key": keys.login_key,
    "file-up": folder.file_up,
    "file-down": folder.file_down,
    "folder-up": folder.folder_up,
    "folder-down": folder.folder_down,
    "kubeconfig": folder.kubeconfig_up,
    "kubeconfig-down": folder.kubeconfig_down,
    "machine-up": machines.machine_up,
    "machine-down": machines.machine_down,
    "stopped": machines.stopped,
    "resume": machines.resume,
    "halt": machines.halt,
    "bundle": bundle.bundle,
    "verify": verify.verify,
    root.SUBCOMMAND: root.call_by_name,
}
"""What each returns goes to standard output, and what is to be said of it to standard error."""


def main(arguments: Sequence[str]) -> int:
    """Run one subcommand; the exit code: 1 where it fails, 2 where there is no such subcommand."""
    # As a shell does: a run that is interrupted ends at once, with what it has started.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.umask(0o077)
    # Root without a login's PATH has no nft, iptables, ip or modprobe.
    os.environ["PATH"] = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
    name, *rest = arguments or [""]
    if name not in SUBCOMMANDS:
        return _failed(f"there is no subcommand {name!r}; there are {', '.join(SUBCOMMANDS)}", 2)
    subcommand = SUBCOMMANDS[name]
    try:
        inspect.signature(subcommand).bind(*rest)
    except TypeError as error:
        return _failed(f"{name}: {error}", 2)
    try:
        sys.stdout.write(subcommand(*rest) or "")
    except PodnetError as error:
        return _failed(str(error), 1)
    except OSError as error:
        return _failed(f"{error.filename}: {error.strerror}" if error.filename else str(error), 1)
    return 0


def _failed(text: str, code: int) -> int:
    print(text, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
