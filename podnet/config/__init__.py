"""From what a user wrote to a checked :class:`podnet.model.Cluster`, or to everything that is wrong with it at once.

The steps, each a module: ``stackfile`` reads a file, ``shape`` holds the keys and their types (the only place that
knows pydantic), ``networks``, ``nodes``, ``ssh`` and ``options`` check what the values mean, ``findings`` collects the
problems.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from podnet.config import networks, nodes, options, shape, ssh, stackfile
from podnet.config.dump import dump, restore
from podnet.config.findings import Findings
from podnet.model import Cluster, MachineProvider

__all__ = ["dump", "from_stack_file", "load", "restore"]


def load(stack: str, raw: Mapping[str, object]) -> Cluster:
    """Check a config and fill in its defaults.

    stack: the stack's name. raw: the keys without their namespace (``podnet:``) and their values. ``nodes``, ``cni``
    and ``images`` may be JSON text, as Pulumi hands structured values to a program.

    Raises ConfigError with every problem, and nothing else.
    """
    findings = Findings()
    written = shape.read(raw, findings)
    options.check(stack, written, findings)
    ranges = networks.check(written, findings)
    drafts = nodes.check(written.nodes, ranges, findings)
    if written.provider == MachineProvider.LXC and not findings.refused("stack"):
        nodes.check_container_names(stack, drafts, findings)
    logins = ssh.check(written, findings)
    networks.check_outside(ranges, [draft.address for draft in drafts if draft.address is not None], findings)
    findings.raise_if_any()
    return Cluster(
        name=stack,
        provider=options.provider(written),
        kubernetes_version=written.kubernetes_version,
        nodes=tuple(draft.finished(login) for draft, login in zip(drafts, logins, strict=True)),
        cni=options.cni(written),
        images=options.images(written),
        **ranges.finished(),
    )


def from_stack_file(path: Path) -> Cluster:
    """Load the config of a stack from its ``Pulumi.<stack>.yaml``, without Pulumi.

    Raises ConfigError with every problem, and nothing else: also where the file is absent or is not YAML.
    """
    stack, values = stackfile.read(path)
    return load(stack, values)
