"""What a rule sees of a resource, and how it reads the texts that are in there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

REMOTE_COMMAND: Final = "command:remote:Command"


class Unknown:
    """A value that only ``up`` will know. There is one of it: UNKNOWN."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that is marked secret. Only the rule about secrets sees the mark; the others see the value."""

    value: object


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource of a stack, or a component.

    inputs: plain values, with UNKNOWN where the engine does not know one yet.
    parent: the URN of the component that holds it.
    depends: for each input the URNs of the resources whose outputs are in it.
    """

    urn: str
    type: str
    inputs: Mapping[str, Any]
    parent: str = ""
    depends: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The last part of the URN."""
        return self.urn.rpartition("::")[2]

    @property
    def kind(self) -> str:
        """The type of podnet's component that holds it, or that it is; empty where there is none."""
        types = reversed(self.urn.split("::")[2].split("$"))
        return next((each for each in types if each.startswith("podnet:")), "")

    def text(self, key: str) -> str:
        """Give an input that is text; empty where it is absent, unknown or something else."""
        value = self.inputs.get(key)
        return value if isinstance(value, str) else ""

    def listed(self, key: str) -> list[Any]:
        """Give an input that is a list; empty where it is absent, unknown or something else."""
        value = self.inputs.get(key)
        return list(value) if isinstance(value, list | tuple) else []


def components(resources: Sequence[Resource], kind: str) -> list[Resource]:
    """Give podnet's components of a kind."""
    return [each for each in resources if each.type == kind]


def values(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Walk a value for its parts, each with its path (``spec.containers[0].image``). Secrets are not entered."""
    yield path, value
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from values(part, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for index, part in enumerate(value):
            yield from values(part, f"{path}[{index}]")


def strings(value: object) -> Iterator[tuple[str, str]]:
    """Walk a value for its texts, each with its path."""
    yield from ((path, part) for path, part in values(value) if isinstance(part, str))


def documents(text: str) -> list[dict[str, Any]]:
    """Read the mappings in a text that is JSON, or YAML with one or more documents; none where it is neither."""
    start = text.lstrip()
    try:
        if start.startswith("{"):
            found: list[object] = [json.loads(text)]
        elif start.startswith(("---", "apiVersion:", "kind:")):
            found = list(yaml.safe_load_all(text))
        else:
            return []
    except (ValueError, RecursionError, yaml.YAMLError):
        return []
    return [document for document in found if isinstance(document, dict)]
