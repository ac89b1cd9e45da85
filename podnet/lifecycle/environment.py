"""Where things are, and the environment that Pulumi, kubectl and Vagrant find them by."""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from podnet.errors import PodnetError
from podnet.files import link, write_whole
from toolchain.settings import cache_folder

ROOT: Final = Path(__file__).resolve().parents[2]
"""The checkout."""


_UNFIT: Final = re.compile(r"""[\s:|&%"'`\\#$*?;<>()]""")


@dataclass(frozen=True, slots=True)
class Places:
    """podnet's own folders. cache: can be made again. state: what is up, and the secrets of it."""

    cache: Path
    state: Path

    @property
    def pulumi_home(self) -> Path:
        """Pulumi's plugins and settings for podnet; the user's own stay untouched."""
        return self.state / "pulumi"

    @property
    def stacks(self) -> Path:
        """A folder for each stack: Vagrant's files, keys, admin.conf."""
        return self.state / "stacks"

    @property
    def backend(self) -> Path:
        """Pulumi's state, where the user has chosen no other backend."""
        return self.state / "backend"

    @property
    def passphrase(self) -> Path:
        """The file with the passphrase that encrypts secrets in the state."""
        return self.state / "passphrase"

    @property
    def scratch(self) -> Path:
        """Temporary files of runs."""
        return self.state / "tmp"

    @property
    def box_cache(self) -> Path:
        """The node bundle and the box."""
        return self.cache / "box"

    @property
    def vagrant_home(self) -> Path:
        """Vagrant's boxes for podnet; the user's own stay untouched."""
        return self.cache / "vagrant"


def places(environ: Mapping[str, str]) -> Places:
    """The folders: PODNET_CACHE and PODNET_STATE, else podnet's own in the XDG base directories.

    Raises PodnetError for a path that LXC, ssh or the search path would not read as it stands.
    """
    home = Path(environ.get("HOME") or Path.home())
    state = environ.get("PODNET_STATE") or Path(environ.get("XDG_STATE_HOME") or home / ".local/state") / "podnet"
    found = Places(cache_folder(environ), Path(state).expanduser().absolute())
    for name, folder in (("PODNET_CACHE", found.cache), ("PODNET_STATE", found.state)):
        if unfit := _UNFIT.search(str(folder)):
            raise PodnetError(
                f"{folder} cannot be a folder of podnet's, for LXC and ssh read {unfit[0]!r} in another way; "
                f"{name} names another one"
            )
    return found


def prepare(where: Places) -> None:
    """Make the folders of the state (0700) and, on the first run, the passphrase (0600)."""
    for folder in (where.state, where.stacks, where.backend, where.pulumi_home):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not where.passphrase.exists():
        write_whole(where.passphrase, secrets.token_urlsafe(32) + "\n", 0o600)


def link_policy_environment(python: Path) -> None:
    """Let the policy pack run in podnet's own environment: the engine wants it as a folder of the pack.

    An environment that a user has made there stays.
    """
    folder = ROOT / "policy" / "venv"
    if folder.exists() and not folder.is_symlink():
        return
    with contextlib.suppress(OSError):  # a checkout that cannot be written: only the pack needs it
        link(folder, python.parent.parent)


def variables(
    where: Places, stack: str, *, python: Path, toolchain: Path | None, box: str | None, bundle: Path | None,
    environ: Mapping[str, str],
) -> dict[str, str]:  # fmt: skip
    """What a shell needs so that pulumi, kubectl and vagrant work on a stack as in the chapter."""
    folder = where.stacks / stack
    path = [str(python.parent)] + ([str(toolchain)] if toolchain else [])
    rest = [part for part in environ.get("PATH", "").split(":") if part not in path]
    found = {
        "PATH": ":".join([*path, *rest]),
        "PULUMI_HOME": str(where.pulumi_home),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        # In every checkout: what the engine selects itself, it selects for one of them.
        "PULUMI_STACK": stack,
        "VAGRANT_HOME": str(where.vagrant_home),
        "VAGRANT_CWD": str(folder),
        "KUBECONFIG": str(folder / "admin.conf"),
        "PODNET_ROOT": str(ROOT),
        "PODNET_PYTHON": str(python),
        "PODNET_STACKS": str(where.stacks),
        "PODNET_STACK": stack,
    }
    if box:
        found["PODNET_BOX"] = box
    if bundle:
        found["PODNET_BUNDLE"] = str(bundle)
    return found | _backend(where, stack, environ)


def _backend(where: Places, stack: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The backend and the passphrase: podnet's own only where the user has chosen none."""
    found: dict[str, str] = {}
    if not environ.get("PULUMI_BACKEND_URL"):
        if _logged_in(environ) and not _keeps(where, stack):
            found["PULUMI_CREDENTIALS_PATH"] = str(_users_pulumi(environ))
        else:
            found["PULUMI_BACKEND_URL"] = f"file://{where.backend}"
    if not environ.get("PULUMI_CONFIG_PASSPHRASE") and not environ.get("PULUMI_CONFIG_PASSPHRASE_FILE"):
        found["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(where.passphrase)
    return found


def backend_url(where: Places, stack: str, environ: Mapping[str, str]) -> str:
    """Where the state of a stack is kept."""
    own = _backend(where, stack, environ).get("PULUMI_BACKEND_URL")
    return own or environ.get("PULUMI_BACKEND_URL") or _logged_in(environ)


def backend_folder(url: str) -> Path | None:
    """The folder of a backend of files; None for every other."""
    scheme, _, path = url.partition("?")[0].partition("://")
    return ROOT / Path(path).expanduser() if scheme == "file" else None


def _users_pulumi(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("PULUMI_CREDENTIALS_PATH") or Path(environ.get("HOME") or Path.home()) / ".pulumi")


def _logged_in(environ: Mapping[str, str]) -> str:
    """The backend that the user has logged in to; empty where there is none. A logout leaves the file there."""
    try:
        credentials = json.loads((_users_pulumi(environ) / "credentials.json").read_text())
        return str(credentials.get("current") or "")
    except (OSError, ValueError, AttributeError):
        return ""


def _keeps(where: Places, stack: str) -> bool:
    """Whether podnet's own backend has this stack, from before the user logged in."""
    # Of a stack that was taken down the engine keeps a backup, of another name.
    names = (f"**/{stack}.json", f"**/{stack}.json.gz")
    return any(found for name in names for found in (where.backend / ".pulumi/stacks").glob(name))


def exports(found: Mapping[str, str]) -> str:
    """The variables as shell text for ``eval``."""
    return "".join(f"export {key}={shlex.quote(value)}\n" for key, value in sorted(found.items()))
