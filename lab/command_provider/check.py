"""Check a resource's inputs: the right types, nothing missing or unknown; fill in defaults and mark secrets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pulumi.provider.experimental.property_value import PropertyValue, PythonValue
from pulumi.provider.experimental.provider import CheckFailure

from lab.command_provider.errors import not_supported
from lab.command_provider.inputs import CONNECTION_FIELDS, LOGGING, Field
from lab.command_provider.values import holds_asset, is_given, is_unknown


def check_inputs(
    fields: Mapping[str, Field], values: Mapping[str, PropertyValue], path: str = ""
) -> tuple[dict[str, PropertyValue], list[CheckFailure]]:
    """Give the inputs with defaults filled in and secrets marked, and what is wrong with them."""
    failures = [CheckFailure(path + name, "there is no such input") for name in values if name not in fields]
    checked: dict[str, PropertyValue] = {}
    for name, field in fields.items():
        if is_given(values, name):
            checked[name], problems = _check(field, values[name], path + name)
            failures += problems
        elif field.required:
            failures.append(CheckFailure(path + name, "this input is required"))
        elif field.default is not None:
            checked[name] = PropertyValue(field.default)
    return checked, failures


def _check(field: Field, value: PropertyValue, path: str) -> tuple[PropertyValue, list[CheckFailure]]:
    """Check one value, with what is nested in it."""
    failures: list[CheckFailure] = []
    if not field.supported:
        failures.append(CheckFailure(path, not_supported(f"the input {path}")))
    elif holds_asset(value):
        # The SDK drops an asset's hash, so a changed file would go unseen: refused rather than wrong in silence.
        failures.append(CheckFailure(path, f"{not_supported('an asset or archive as an input')}, or give its hash"))
    elif not is_unknown(value):
        if field.kind in CONNECTION_FIELDS and isinstance(value.value, Mapping):
            nested, failures = check_inputs(CONNECTION_FIELDS[field.kind], value.value, f"{path}.")
            value = value.with_value(nested)
        elif not _KINDS[field.kind](value.value):
            failures.append(CheckFailure(path, f"expected {_WORDS[field.kind]}"))
    return value.with_secret(value.is_secret or field.secret), failures


def _is_list(value: PythonValue) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _is_strings(value: PythonValue) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and all(isinstance(v.value, str) for v in value)


def _is_string_map(value: PythonValue) -> bool:
    return isinstance(value, Mapping) and all(isinstance(item.value, str) for item in value.values())


_KINDS: dict[str, Callable[[PythonValue], bool]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "number": lambda value: isinstance(value, float),
    "integer": lambda value: isinstance(value, float) and value.is_integer(),
    "logging": lambda value: isinstance(value, str) and value in LOGGING,
    "list": _is_list,
    "list of strings": _is_strings,
    "map of strings": _is_string_map,
    # Anything but the map that is handled before.
    "connection": lambda _: False,
    "proxy": lambda _: False,
}
_WORDS = {
    "string": "a string",
    "boolean": "true or false",
    "number": "a number",
    "integer": "a whole number",
    "logging": f"one of {', '.join(LOGGING)}",
    "list": "a list",
    "list of strings": "a list of strings",
    "map of strings": "a map of strings",
    "connection": "a map (the connection)",
    "proxy": "a map (the proxy's connection)",
}
