"""Where things are on this machine."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from podnet.errors import PodnetError
from podnet.files import write_whole
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


def home(environ: Mapping[str, str]) -> Path:
    """Give the user's own folder."""
    return Path(environ.get("HOME") or Path.home())


def places(environ: Mapping[str, str]) -> Places:
    """The folders: PODNET_CACHE and PODNET_STATE, else podnet's own in the XDG base directories.

    Raises PodnetError for a path that LXC, ssh or the search path would not read as it stands.
    """
    base = Path(environ.get("XDG_STATE_HOME") or home(environ) / ".local/state")
    state = environ.get("PODNET_STATE") or base / "podnet"
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
