"""What has to be true of the host before boxes can run, said all at once and before anything is touched."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from podnet.errors import PodnetError
from podnet.program import is_root, root_command, run
from podnet.steps import step

PACKAGES: Final = {
    "vagrant": "vagrant",
    "lxc-create": "lxc",
    "mmdebstrap": "mmdebstrap",
    "brctl": "bridge-utils",
    "ip": "iproute2",
    "redir": "redir",
    "ssh": "openssh-client",
    "rsync": "rsync",
}
"""The programs that boxes need, and the Debian package of each."""

WITHOUT_BOXES: Final = ("mmdebstrap", "ssh")
"""Those of them that the node bundle and its way to a host need, where podnet makes no machine."""

RENEWAL_SECONDS = 30.0
"""How often sudo's cached credentials are renewed: they last a quarter of an hour, or what the host's sudoers say."""

_VAGRANT_LXC: Final = "vagrant-lxc"
_NEEDED_GB: Final = {"cold": 12, "warm": 4}


def missing_packages(more: Sequence[str] = (), *, makes_machines: bool = True) -> list[str]:
    """Look which Debian packages are missing. more: packages that are wanted beside those for boxes."""
    programs = PACKAGES if makes_machines else WITHOUT_BOXES
    missing = [PACKAGES[program] for program in programs if shutil.which(program, path=_search_path()) is None]
    packages = (_VAGRANT_LXC, *more) if makes_machines else more
    return missing + [package for package in packages if _package_missing(package)]


def _search_path() -> str:
    return os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def _package_missing(package: str) -> bool:
    if shutil.which("dpkg-query") is None:
        return False
    status = subprocess.run(
        ["dpkg-query", "--show", "--showformat", "${db:Status-Status}", package],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    return status.stdout.strip() != "installed"


def require_architecture() -> None:
    """Refuse what the node bundle is not made for. Raises PodnetError."""
    machine = platform.machine()
    if machine not in ("x86_64", "amd64"):
        raise PodnetError(
            f"podnet's machines are x86-64, and this host is {machine}: it can plan, preview and draw, but make none"
        )


def doubt() -> str:
    """What there is to say of a host that is not of the kind that podnet was seen to work on; empty on one that is."""
    try:
        system = platform.freedesktop_os_release()
    except OSError:
        system = {}
    if (system.get("ID"), system.get("VERSION_ID")) == ("debian", "12"):
        return ""
    return f"podnet was seen to work on Debian 12 only, and this is {system.get('PRETTY_NAME', 'another system')}."


def require_debians_vagrant() -> None:
    """Refuse HashiCorp's own vagrant, which brings its own Ruby. Raises PodnetError."""
    found = shutil.which("vagrant", path=_search_path())
    if found and any(b"/opt/vagrant/" in part for part in (Path(found).read_bytes(), bytes(Path(found).resolve()))):
        raise PodnetError(
            f"{found} is HashiCorp's own vagrant, which cannot load Debian's vagrant-lxc: remove it (apt-get remove "
            "vagrant), and make up installs Debian's"
        )


def require_root() -> None:
    """Make sure that root can be had, and say what for. It lasts as long as this program runs.

    Raises PodnetError where it cannot.
    """
    if is_root():
        return
    if shutil.which("sudo") is None:
        raise PodnetError("boxes need root: for LXC containers and their bridge. Run as root, or install sudo")
    print("Boxes need root, for LXC containers, their bridge and Debian packages; sudo asks for it now.", flush=True)
    if subprocess.run(["sudo", "--validate"], check=False).returncode:
        raise PodnetError("sudo gave no root rights; without them podnet can plan and draw, but not make boxes")
    threading.Thread(target=_keep_credentials, daemon=True).start()


def _keep_credentials() -> None:
    """Renew sudo's cached credentials until the program ends, or sudo wants a password for it."""
    while True:
        time.sleep(RENEWAL_SECONDS)
        if subprocess.run(
            ["sudo", "--non-interactive", "--validate"], check=False, stderr=subprocess.DEVNULL
        ).returncode:
            return


def install_packages(missing: Sequence[str]) -> None:
    """Install Debian packages, where any are missing.

    Raises PodnetError on a host without apt, naming what to install.
    """
    if not missing:
        return
    names = " ".join(missing)
    if shutil.which("apt-get") is None:
        raise PodnetError(f"these programs are missing, and this host has no apt-get to install them with: {names}")
    with step(f"Debian packages: {names}"):
        apt = [*root_command(), "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
        run([*apt, "update"])
        run([*apt, "install", "--yes", "--no-install-recommends", *missing])


def require_space(folder: Path, *, cold: bool) -> None:
    """Refuse to start what cannot end: boxes and images need room.

    Raises PodnetError with what is needed and what there is.
    """
    probe = folder
    while not probe.exists():
        probe = probe.parent
    free = shutil.disk_usage(probe).free / 1e9
    needed = _NEEDED_GB["cold" if cold else "warm"]
    if free < needed:
        raise PodnetError(f"{probe} has {free:.1f} GB free; podnet needs {needed} GB there for boxes and images")
