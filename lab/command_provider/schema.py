"""The provider's schema: the two resources that the stand-in has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lab.command_provider import VERSION
from lab.command_provider.inputs import CONNECTION_FIELDS, LOCAL_FIELDS, LOGGING, REMOTE_FIELDS, Field

_OUTPUTS = {"stdout": {"type": "string"}, "stderr": {"type": "string"}}
_KINDS: dict[str, dict[str, Any]] = {
    "list": {"type": "array", "items": {"$ref": "pulumi.json#/Any"}},
    "list of strings": {"type": "array", "items": {"type": "string"}},
    "map of strings": {"type": "object", "additionalProperties": {"type": "string"}},
    "connection": {"$ref": "#/types/command:remote:Connection"},
    "proxy": {"$ref": "#/types/command:remote:ProxyConnection"},
}


def schema() -> str:
    """Give the schema as JSON, in the form that the engine asks for."""
    logging = {"type": "string", "enum": [{"value": value} for value in LOGGING]}
    return json.dumps(
        {
            "name": "command",
            "version": VERSION,
            "types": {
                "command:local:Logging": logging,
                "command:remote:Logging": logging,
                "command:remote:Connection": _object(CONNECTION_FIELDS["connection"], "remote"),
                "command:remote:ProxyConnection": _object(CONNECTION_FIELDS["proxy"], "remote"),
            },
            "resources": {
                "command:local:Command": _resource(LOCAL_FIELDS, "local"),
                "command:remote:Command": _resource(REMOTE_FIELDS, "remote"),
            },
        }
    )


def _resource(fields: Mapping[str, Field], module: str) -> dict[str, Any]:
    inputs = _object(fields, module)
    return {
        "inputProperties": inputs["properties"],
        "requiredInputs": inputs["required"],
        "properties": inputs["properties"] | _OUTPUTS,
        "required": [*inputs["required"], *_OUTPUTS],
    }


def _object(fields: Mapping[str, Field], module: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: _property(name, field, module) for name, field in fields.items()},
        "required": [name for name, field in fields.items() if field.required],
    }


def _property(name: str, field: Field, module: str) -> dict[str, Any]:
    if field.kind == "logging":
        spec: dict[str, Any] = {"$ref": f"#/types/command:{module}:Logging"}
    else:
        spec = dict(_KINDS.get(field.kind, {"type": field.kind}))
    if field.secret:
        spec["secret"] = True
    if field.default is not None:
        spec["default"] = field.default
    if name == "triggers":
        spec["replaceOnChanges"] = True
    return spec
