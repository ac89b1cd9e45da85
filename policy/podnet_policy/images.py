"""Images are pinned: the same reference is the same image tomorrow."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from podnet_policy.resource import Resource, documents, strings

_LISTS: Final = ("containers", "initContainers", "ephemeralContainers")
_DIGEST: Final = re.compile(r"@sha256:[0-9a-f]{64}$")
# A colon before the last slash is a registry's port.
_TAG: Final = re.compile(r":([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})$")


def check(resource: Resource) -> list[str]:
    """Find images without a tag or digest, or with the tag latest: in pods, and in podnet's own config on stdin."""
    found = list(_in_pods(resource.inputs, "")) if resource.type.startswith("kubernetes:") else []
    for _, text in strings(resource.inputs):
        for document in documents(text):
            images = document.get("images") if "podSubnet" in document else None
            found += [(f"images.{key}", value) for key, value in _items(images) if isinstance(value, str)]
            found += list(_in_pods(document, ""))
    return [f"{where}: {image!r} {problem}" for where, image in found if (problem := _problem(image))]


def _in_pods(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            here = f"{path}.{key}" if path else str(key)
            if key in _LISTS and isinstance(part, list | tuple):
                images = ((index, each.get("image")) for index, each in enumerate(part) if isinstance(each, Mapping))
                yield from ((f"{here}[{index}].image", image) for index, image in images if isinstance(image, str))
            yield from _in_pods(part, here)
    elif isinstance(value, list | tuple):
        for index, part in enumerate(value):
            yield from _in_pods(part, f"{path}[{index}]")


def _items(value: object) -> list[tuple[str, Any]]:
    return list(value.items()) if isinstance(value, Mapping) else []


def _problem(image: str) -> str:
    if "@" in image:
        return "" if _DIGEST.search(image) else "has no whole digest"
    tag = _TAG.search(image)
    if not tag:
        return "has no tag: it is whatever the registry has as latest"
    return "can be another image tomorrow" if tag[1] == "latest" else ""
