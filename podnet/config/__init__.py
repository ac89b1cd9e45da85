"""From what a user wrote to a checked :class:`podnet.model.Cluster`, or to everything that is wrong with it at once.

``stackfile`` reads a file. ``shape`` holds the keys, ``values`` what each may be, made of ``rules``; ``reading`` reads
them. ``networks``, ``nodes`` and ``logins`` check the values against each other, and ``defaults`` derives the ones that
are not written.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from podnet.config import defaults, logins, networks, nodes, stackfile
from podnet.config.dump import dump, restore
from podnet.config.problems import in_order
from podnet.config.reading import Reader
from podnet.config.shape import ClusterShape
from podnet.errors import ConfigError
from podnet.model import Cluster

__all__ = ["dump", "from_stack_file", "load", "restore"]


def load(stack: str, raw: Mapping[str, object]) -> Cluster:
    """Check a config and fill in its defaults.

    stack: the stack's name. raw: the keys without their namespace (``podnet:``) and their values. ``nodes``, ``cni``
    and ``images`` may be JSON text, as Pulumi hands structured values to a program.

    Raises ConfigError with every problem, and nothing else.
    """
    reader = Reader()
    written = reader.read(ClusterShape, raw)
    problems = [
        *reader.problems,
        *nodes.problems(stack, written),
        *logins.problems(written),
        *networks.problems(written),
    ]
    if problems:
        raise ConfigError(in_order(problems))
    return defaults.finished(stack, written)


def from_stack_file(path: Path) -> Cluster:
    """Load the config of a stack from its ``Pulumi.<stack>.yaml``, without Pulumi.

    Raises ConfigError with every problem, and nothing else: also where the file is absent or is not YAML.
    """
    stack, values = stackfile.read(path)
    return load(stack, values)
