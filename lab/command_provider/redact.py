"""Keep secrets out of logs and errors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from pulumi.provider.experimental.property_value import PropertyValue

from lab.command_provider.values import secret_texts, texts

_HIDDEN = "[secret]"
# Shorter pieces are too likely to be part of ordinary words. A single line of a longer secret (a script, a key) must
# be longer still, or every `done` and `else` of a script on stdin would be blotted out.
_SHORTEST_SECRET = 3
_SHORTEST_LINE = 8
# What a script holds that is worth stealing is one long word with digits in it: a token, a hash, a key.
_WORD_OF_A_SECRET = re.compile(r"""(?=[^\s"'=,;]*\d)[^\s"'=,;]{16,}""")
# All of a connection is marked secret, but its host and user are needed to understand an error.
_CONNECTION_SECRETS = ("password", "privateKey", "privateKeyPassword")


class Redactor:
    """Replaces every given secret in a text, and every longer line of it and word that looks like a token."""

    def __init__(self, secrets: Iterable[str]) -> None:
        pieces: set[str] = set()
        for secret in secrets:
            lines = secret.splitlines()
            pieces.update(whole for whole in (secret, secret.strip()) if len(whole) >= _SHORTEST_SECRET)
            pieces.update(_WORD_OF_A_SECRET.findall(secret))
            if len(lines) > 1:
                pieces.update(line.strip() for line in lines if len(line.strip()) >= _SHORTEST_LINE)
        # The longest first: a piece that is part of a longer one must not break it apart.
        self._pieces = sorted(pieces, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Give the text without the secrets."""
        for piece in self._pieces:
            text = text.replace(piece, _HIDDEN)
        return text


def redactor_of(*property_maps: Mapping[str, PropertyValue]) -> Redactor:
    """Make a redactor for all that is secret in a resource's inputs or state."""
    secrets: set[str] = set()
    for properties in property_maps:
        for name, value in properties.items():
            secrets.update(_connection_secrets(value) if name == "connection" else secret_texts(value))
    return Redactor(secrets)


def _connection_secrets(connection: PropertyValue) -> Iterable[str]:
    if not isinstance(connection.value, Mapping):
        return
    for name, value in connection.value.items():
        if name in _CONNECTION_SECRETS:
            yield from texts(value)
        elif name == "proxy":
            yield from _connection_secrets(value)
