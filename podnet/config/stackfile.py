"""Reads ``Pulumi.<stack>.yaml`` without Pulumi, so that a cluster can be planned and drawn where there is no engine."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from podnet.config.findings import place, plain, shown
from podnet.errors import ConfigError, Problem

_NAMESPACE: Final = "podnet:"


def read(path: Path) -> tuple[str, dict[str, object]]:
    """Read a stack's name and its values, without their namespace.

    Raises ConfigError where the file cannot be read, is not YAML or holds an encrypted value of podnet's.
    """
    name = plain(path.name)
    stack = path.name.removeprefix("Pulumi.").removesuffix(".yaml")
    if path.name != f"Pulumi.{stack}.yaml" or not stack:
        raise ConfigError([Problem(name, "this is not the name of a stack's file", "Pulumi.<stack>.yaml")])
    document = _document(path)
    config = document.get("config", {}) if isinstance(document, dict) else None
    if not isinstance(config, dict):
        raise ConfigError([Problem(name, "there is no mapping called config", "config: with podnet's keys in it")])
    problems = [*_strange_keys(name, config), *_encrypted(config)]
    if problems:
        raise ConfigError(problems)
    # The keys of other namespaces are for other programs and providers.
    return stack, {key.removeprefix(_NAMESPACE): config[key] for key in config if key.startswith(_NAMESPACE)}


def _document(path: Path) -> object:
    name = plain(path.name)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = (error.strerror or "") if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError([Problem(name, f"cannot be read ({reason})", "a readable stack file")]) from error
    try:
        document: object = yaml.load(text, Loader=_Loader)  # noqa: S506 - _Loader is a SafeLoader
    except yaml.YAMLError as error:
        raise ConfigError([Problem(name, _yaml_problem(error), "valid YAML")]) from error
    except (ValueError, RecursionError) as error:
        # PyYAML lets Python's own errors through: a date like 2020-99-99, a number too long, nesting too deep.
        raise ConfigError([Problem(name, "holds a value that cannot be read", "valid YAML")]) from error
    return document


def _yaml_problem(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"line {error.problem_mark.line + 1} is not YAML ({error.problem})"
    return "is not YAML"


def _strange_keys(name: str, config: Mapping[Any, object]) -> list[Problem]:
    return [
        Problem(f"{name} config", f"the key {shown(key)} has no namespace", f"{_NAMESPACE}<key>, like podnet:podSubnet")
        for key in config
        if not isinstance(key, str) or ":" not in key
    ]


def _encrypted(config: Mapping[Any, object]) -> list[Problem]:
    """Only the engine can decrypt a value, and podnet's config has nothing to hide."""
    return [
        Problem(place(*path), "is encrypted", "a plain value: podnet's config holds no secrets")
        for key, value in config.items()
        if isinstance(key, str) and key.startswith(_NAMESPACE)
        for path in _secure_paths((key.removeprefix(_NAMESPACE),), value)
    ]


_DEPTH: Final = 6
"""A value lies no deeper in podnet's config, so what does is refused later anyway."""


def _secure_paths(path: tuple[str | int, ...], value: object) -> list[tuple[str | int, ...]]:
    if len(path) > _DEPTH:
        return []
    if isinstance(value, dict):
        if set(value) == {"secure"}:
            return [path]
        return [found for key, part in value.items() for found in _secure_paths((*path, str(key)), part)]
    if isinstance(value, list):
        return [found for index, part in enumerate(value) for found in _secure_paths((*path, index), part)]
    return []


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, but a key that is written twice is an error: the first would be lost in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Build a mapping whose keys are all different."""
        seen: set[str] = set()
        for key, _ in node.value:
            text = f"{key.tag} {key.value}"
            if text in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {shown(key.value)} is written twice", key.start_mark
                )
            seen.add(text)
        return super().construct_mapping(node, deep)
