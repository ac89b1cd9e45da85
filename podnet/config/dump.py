"""From a cluster back to the config that describes it, with every default written out; and from that to the cluster."""

from __future__ import annotations

from collections.abc import Mapping

from podnet.addressing import AddressError
from podnet.config import defaults
from podnet.config.reading import Reader, Shape, UnknownError, key_of, nested
from podnet.config.shape import ClusterShape
from podnet.errors import PodnetError
from podnet.model import Cluster


def dump(cluster: Cluster) -> dict[str, object]:
    """Write out the config of a cluster, such that loading it gives the same cluster."""
    return _written(ClusterShape, cluster)


def _written(model: type[Shape], noun: object) -> dict[str, object]:
    """Write out every key of a shape whose value the noun has, under the same name."""
    values = {name: getattr(noun, name, None) for name in model.model_fields}
    if values.get("ssh") is not None:
        values |= {"memory": None, "cpus": None}  # An existing host has what it has.
    if "agent" in values and values["key_file"] is None:
        values["agent"] = True
    return {
        key_of(name): _plain(nested(model.model_fields[name]), value)
        for name, value in values.items()
        if value is not None
    }


def _plain(model: type[Shape] | None, value: object) -> object:
    match value:
        case bool() | int():
            return value
        case tuple() if model:
            return [_written(model, part) for part in value]
        case _:
            return _written(model, value) if model else str(value)


def restore(stack: str, dumped: Mapping[str, object]) -> Cluster:
    """Read back what :func:`dump` wrote, now or in another version of podnet.

    No rule is applied: what is described stands already, and rules are for what is to be made. A key that this version
    does not know is left out; one that the other version did not know has its default.

    Raises PodnetError where a value that is needed cannot be read.
    """
    reader = Reader(rules=False)
    written = reader.read(ClusterShape, dumped)
    try:
        return defaults.finished(stack, written)
    except (AddressError, UnknownError) as error:
        why = "; ".join(map(str, reader.problems)) or error
        raise PodnetError(f"the cluster {stack} was described by a podnet that this one does not know: {why}") from None
