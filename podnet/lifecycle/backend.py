"""Where Pulumi keeps a stack's state: the backend that the user has chosen, else podnet's own, a folder of files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from podnet.lifecycle.places import ROOT, Places, home


def variables(where: Places, stack: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Say to Pulumi where the state is, and the passphrase of it: podnet's own only where the user has chosen none."""
    found: dict[str, str] = {}
    if not environ.get("PULUMI_BACKEND_URL"):
        if _logged_in(environ) and not _keeps(where, stack):
            found["PULUMI_CREDENTIALS_PATH"] = str(_users_pulumi(environ))
        else:
            found["PULUMI_BACKEND_URL"] = f"file://{where.backend}"
    if not environ.get("PULUMI_CONFIG_PASSPHRASE") and not environ.get("PULUMI_CONFIG_PASSPHRASE_FILE"):
        found["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(where.passphrase)
    return found


def url_of(where: Places, stack: str, environ: Mapping[str, str]) -> str:
    """Where the state of a stack is kept."""
    own = variables(where, stack, environ).get("PULUMI_BACKEND_URL")
    return own or environ.get("PULUMI_BACKEND_URL") or _logged_in(environ)


def folder_of(url: str) -> Path | None:
    """The folder of a backend of files; None for every other."""
    scheme, _, path = url.partition("?")[0].partition("://")
    return ROOT / Path(path).expanduser() if scheme == "file" else None


def _users_pulumi(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("PULUMI_CREDENTIALS_PATH") or home(environ) / ".pulumi")


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
