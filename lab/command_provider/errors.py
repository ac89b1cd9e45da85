"""Errors that reach the user through the engine, each as the whole text that is shown."""

from __future__ import annotations

import json

INSTALL_OFFICIAL = "install the official plugin: pulumi plugin install resource command v1.2.1"
# The end of a long output says why; all of it would not fit into a gRPC status.
_LONGEST_OUTPUT = 16_000


class CommandError(Exception):
    """Something went wrong that the user is to read."""


class StartError(CommandError):
    """A command could not be started at all."""


def not_supported(what: str) -> str:
    """Say that a part of the official provider is left out."""
    return f"{what} is not supported by podnet's stand-in for the command provider; {INSTALL_OFFICIAL}"


def command_failed(status: str, command: str, output: str) -> str:
    """Say that a command ended badly, in the official provider's form."""
    left_out = len(output) - _LONGEST_OUTPUT
    if left_out > 0:
        output = f"[{left_out} characters left out]\n{output[left_out:]}"
    return f"{status}: running {json.dumps(command, ensure_ascii=False)}:\n{output}"
