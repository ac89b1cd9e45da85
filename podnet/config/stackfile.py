"""Reads ``Pulumi.<stack>.yaml`` without Pulumi, so that a cluster can be planned and drawn where there is no engine."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import yaml

from podnet.config.problems import NAMESPACE, plain, shown
from podnet.errors import ConfigError, Problem


def read(path: Path) -> tuple[str, dict[str, object]]:
    """Read a stack's name and its values, without their namespace.

    Raises ConfigError where the file cannot be read, is not YAML or has a key without a namespace.
    """
    name = plain(path.name)
    stack = path.name.removeprefix("Pulumi.").removesuffix(".yaml")
    if path.name != f"Pulumi.{stack}.yaml" or not stack:
        raise ConfigError([Problem(name, "this is not the name of a stack's file", "Pulumi.<stack>.yaml")])
    document = _document(path)
    config = document.get("config", {}) if isinstance(document, dict) else None
    if not isinstance(config, dict):
        raise ConfigError([Problem(name, "there is no mapping called config", "config: with podnet's keys in it")])
    if problems := _strange_keys(name, config):
        raise ConfigError(problems)
    # The keys of other namespaces are for other programs and providers.
    return stack, {key.removeprefix(NAMESPACE): config[key] for key in config if key.startswith(NAMESPACE)}


def _document(path: Path) -> object:
    expected = "valid YAML"
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - _Loader is a SafeLoader
    except OSError as error:
        found, expected = f"cannot be read ({error.strerror or ''})", "a readable stack file"
    except UnicodeDecodeError:
        found, expected = "cannot be read (it is not UTF-8)", "a readable stack file"
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        found = f"line {line} is not YAML ({error.problem})"
    except yaml.YAMLError:
        found = "is not YAML"
    except (ValueError, RecursionError):
        # PyYAML lets Python's own errors through: a date like 2020-99-99, a number too long, nesting too deep.
        found = "holds a value that cannot be read"
    raise ConfigError([Problem(plain(path.name), found, expected)])


def _strange_keys(name: str, config: Mapping[Any, object]) -> list[Problem]:
    return [
        Problem(f"{name} config", f"the key {shown(key)} has no namespace", f"{NAMESPACE}<key>, like podnet:podSubnet")
        for key in config
        if not isinstance(key, str) or ":" not in key
    ]


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
