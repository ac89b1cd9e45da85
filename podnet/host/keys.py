"""Key pairs for SSH. A private key is printed where it is asked for, on standard output, and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from podnet.errors import PodnetError
from podnet.host import files
from podnet.host.environment import stack_folder
from podnet.host.programs import answer, run

NAME: Final = "id_ed25519"
"""The key that opens the machines of a stack, in the stack's folder."""


def key_up(stack: str) -> str:
    """Make the key pair that opens the stack's machines; the private key, which is secret."""
    key = stack_folder(stack) / NAME
    make(key, f"podnet-{stack}")
    return key.read_text()


def key_down(stack: str) -> None:
    """Remove the key pair, and the stack's folder with the last that is in it."""
    folder = stack_folder(stack)
    files.remove(folder / NAME, folder / f"{NAME}.pub")
    files.remove_if_empty(folder)


def login_key(name: str) -> str:
    """A private key that is there already, which is secret. name: its file, as the config has it."""
    file = Path(name).expanduser()
    try:
        text = file.read_text()
    except (OSError, UnicodeDecodeError):
        raise PodnetError(f"the key file {name} cannot be read on this machine") from None
    if answer(["ssh-keygen", "-y", "-P", "", "-f", str(file)]) is None:
        raise PodnetError(
            f"the key file {name} is no private key, or it is encrypted: give that one to ssh-agent, and write "
            "agent: true"
        )
    return text


def make(key: Path, comment: str) -> Path:
    """Make a key pair where it is not there, whole; the file of the public key."""
    public = key.with_name(f"{key.name}.pub")
    if not public.exists() or not public.read_bytes():
        files.remove(key, public)
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(key)])
    return public
