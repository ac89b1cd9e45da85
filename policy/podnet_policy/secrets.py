"""No secret in clear: a private key, a token or a kubeconfig in an input is marked secret, or the state shows it."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any, Final

from podnet_policy.resource import Resource, strings

_KINDS: Final = {
    "a private key": re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----"),
    "a kubeconfig's key": re.compile(r"\bclient-key-data\b[\"']?\s*:\s*[\"']?[A-Za-z0-9+/=]{16,}"),
    "a kubeconfig's token": re.compile(r"^\s*-?\s*[\"']?token[\"']?\s*:\s*[\"']?[\w.~+/=-]{16,}", re.MULTILINE),
    # kubeadm's form, https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/; one of letters alone
    # is a word with a dot in it far more often.
    "a join token": re.compile(r"(?<![\w.-])(?=[a-z.]*[0-9])[a-z0-9]{6}\.[a-z0-9]{16}(?![\w.-])"),
    "a token of a service account": re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"),
}
_PEM_IN_BASE64: Final = re.compile(r"LS0tLS1CRUdJTi[A-Za-z0-9+/]{24,}")
_NAMES: Final = re.compile(
    r"(?:^|\.)(?:privateKey|privateKeyPassword|password|agentSocketPassword|kubeconfig|token|bearerToken)$"
)
_OBJECT: Final = "kubernetes:core/v1:Secret"


def check(resource: Resource) -> list[str]:
    """Find secrets in clear. The texts name the place and the kind, never the value."""
    found = []
    for where, text in strings(resource.inputs):
        kind = _kind(text) or ("a secret, by its name," if _NAMES.search(where) and text else None)
        if resource.type == _OBJECT and where.startswith(("data.", "stringData.")):
            kind = kind or "a Secret's value"
        if kind:
            found.append(f"{where}: {kind} stands in clear, and so it will in the state: mark it (Output.secret)")
    return found


def _kind(text: str) -> str | None:
    for kind, pattern in _KINDS.items():
        if pattern.search(text):
            return kind
    return "a private key" if any(_is_key(match) for match in _PEM_IN_BASE64.findall(text)) else None


def _is_key(encoded: Any) -> bool:
    whole = encoded[: len(encoded) // 4 * 4]
    try:
        return b"PRIVATE KEY" in base64.b64decode(whole)[:64]
    except (binascii.Error, ValueError):
        return False
