"""What the provider needs of Pulumi's property values: unknown, secret and plain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pulumi
from pulumi.provider.experimental.property_value import Computed, PropertyValue

# The engine writes an unknown as one of these strings, by the type that the value will have. The SDK passes them on
# as ordinary strings and has no way to write a `Computed`, so both directions are done here.
_UNKNOWN_STRINGS = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # boolean
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",  # string
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    }
)
UNKNOWN = PropertyValue("04da6b54-80e4-46f7-96ec-b56ff0331ba9")


def is_unknown(value: PropertyValue) -> bool:
    """Whether the value is not known yet (only in a preview)."""
    return isinstance(value.value, Computed) or (isinstance(value.value, str) and value.value in _UNKNOWN_STRINGS)


def holds_asset(value: PropertyValue) -> bool:
    """Whether there is an asset or an archive anywhere in the value."""
    return any(isinstance(each.value, pulumi.Asset | pulumi.Archive) for each in _walk(value))


def is_given(values: Mapping[str, PropertyValue], name: str) -> bool:
    """Whether a property is there and not null."""
    return name in values and values[name].value is not None


def plain(value: PropertyValue) -> Any:
    """Give the value as plain Python; that it was a secret is forgotten."""
    inner = value.value
    if isinstance(inner, Mapping):
        return {name: plain(item) for name, item in inner.items()}
    if isinstance(inner, Sequence) and not isinstance(inner, str):
        return [plain(item) for item in inner]
    return inner


def texts(value: PropertyValue) -> Iterator[str]:
    """Give every string in the value."""
    return (each.value for each in _walk(value) if isinstance(each.value, str))


def secret_texts(value: PropertyValue) -> Iterator[str]:
    """Give every string in the value that is a secret, or part of one."""
    for each in _walk(value):
        if each.is_secret:
            yield from texts(each)


def _walk(value: PropertyValue) -> Iterator[PropertyValue]:
    yield value
    inner = value.value
    if isinstance(inner, Mapping):
        for item in inner.values():
            yield from _walk(item)
    elif isinstance(inner, Sequence) and not isinstance(inner, str):
        for item in inner:
            yield from _walk(item)
