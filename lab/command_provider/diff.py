"""Which inputs changed, and what that means for the outputs of a preview."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.provider import DiffResponse, PropertyDiff, PropertyDiffKind

from lab.command_provider.values import is_given

_UPDATE = (PropertyDiffKind.ADD, PropertyDiffKind.DELETE, PropertyDiffKind.UPDATE)
_REPLACE = (PropertyDiffKind.ADD_REPLACE, PropertyDiffKind.DELETE_REPLACE, PropertyDiffKind.UPDATE_REPLACE)


def changed_inputs(
    names: Iterable[str], state: Mapping[str, PropertyValue], inputs: Mapping[str, PropertyValue]
) -> list[str]:
    """Name the inputs that differ from those in the state; a value that becomes a secret differs too."""
    return [name for name in sorted(names) if _value(state, name) != _value(inputs, name)]


def diff(names: Iterable[str], state: Mapping[str, PropertyValue], inputs: Mapping[str, PropertyValue]) -> DiffResponse:
    """Make every changed input an update (which runs the command again), and `triggers` a replacement."""
    changed = changed_inputs(names, state, inputs)
    return DiffResponse(
        changes=bool(changed),
        diffs=changed,
        replaces=[name for name in changed if name == "triggers"],
        detailed_diff={name: PropertyDiff(_kind(name, state, inputs), input_diff=True) for name in changed},
    )


def _kind(name: str, state: Mapping[str, PropertyValue], inputs: Mapping[str, PropertyValue]) -> PropertyDiffKind:
    add, delete, update = _REPLACE if name == "triggers" else _UPDATE
    if not is_given(state, name):
        return add
    return update if is_given(inputs, name) else delete


def _value(values: Mapping[str, PropertyValue], name: str) -> PropertyValue:
    """Give a property; one that is missing is the same as one that is null."""
    return values[name] if is_given(values, name) else PropertyValue.null()
