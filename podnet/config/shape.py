"""The config's keys and the types of their values. Only this module knows pydantic.

Every problem is reported, also beside others: what pydantic refuses is noted and left out, and the rest is read as if
it had not been written. That is why a required value may be None here; what it means that it is missing is for the
checks to say.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from podnet import versions
from podnet.config.findings import Findings, kind, place, shown

DEFAULT_SERVICE_SUBNET: Final = "10.96.0.0/12"
"""kubeadm's own default."""

Path = tuple[str | int, ...]


class _Mapping(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, alias_generator=to_camel)


class LoginShape(_Mapping):
    """What ``ssh`` and ``bastion`` share; see :class:`podnet.model.Login`."""

    host: str | None = None
    port: int = 22
    user: str | None = None
    host_key: str | None = None
    key_file: str | None = None
    agent: bool = False


class SshShape(LoginShape):
    """``ssh`` of a node."""

    bastion: LoginShape | None = None


class NodeShape(_Mapping):
    """One entry of ``nodes``."""

    name: str | None = None
    role: str | None = None
    address: str | None = None
    pod_subnet: str | None = None
    memory: int = 2048
    cpus: int = 2
    ssh: SshShape | None = None


class CniShape(_Mapping):
    """``cni``, with podnet's defaults; see :class:`podnet.model.CniOptions`."""

    network: str = "mynet"
    bridge: str = "cni0"
    mtu: int = 1500
    ip_masq: bool = False
    hairpin_mode: bool = True
    portmap: bool = True


class ImagesShape(_Mapping):
    """``images``, with podnet's defaults; see :class:`podnet.model.Images`."""

    nginx: str = "podnet.local/nginx:1.22.1"
    probe: str = "podnet.local/probe:1"


class ClusterShape(_Mapping):
    """All keys of the namespace ``podnet``."""

    provider: str = "lxc"
    machine_network: str | None = None
    gateway: str | None = None
    pod_subnet: str | None = None
    service_subnet: str = DEFAULT_SERVICE_SUBNET
    outside: str | None = None
    kubernetes_version: str = versions.KUBERNETES
    nodes: list[NodeShape] | None = None
    cni: CniShape = CniShape()
    images: ImagesShape = ImagesShape()


_STRUCTURED: Final = ("nodes", "cni", "images")

_DEPTH: Final = 5
"""The longest path to a value: nodes, its index, ssh, bastion, its key. What lies deeper is refused as a whole."""

_EXPECTED: Final = {
    "string_type": "text, in quotes where YAML reads it as something else",
    "string_unicode": "text",
    "int_type": "a whole number, without quotes",
    "bool_type": "true or false, without quotes",
    "list_type": "a list",
    "model_type": "a mapping of keys to values",
}


def read(raw: Mapping[str, object], findings: Findings) -> ClusterShape:
    """Read the keys; what is unknown or of a wrong type is noted and left out."""
    values = {key: _decoded(key, value) for key, value in raw.items()}
    try:
        return ClusterShape.model_validate(values)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
    refused = {detail["loc"] for detail in details}
    for detail in details:
        _note(detail["type"], detail["loc"], values, findings)
    return ClusterShape.model_validate(_without(values, refused))


def _decoded(key: str, value: object) -> object:
    """Read the JSON that Pulumi makes of a structured value; text that is none is refused by its type later."""
    if key not in _STRUCTURED or not isinstance(value, str):
        return value
    try:
        decoded: object = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return decoded


def _note(kind_of_error: str, path: Path, values: object, findings: Findings) -> None:
    where = place(*path)
    if kind_of_error in {"extra_forbidden", "invalid_key"}:
        _note_unknown_key(path, values, findings)
        return
    value = _value_at(path, values)
    what, word = kind(value), shown(value)
    found = what if what == word or value is None else f"{word} is {what}"
    findings.refuse(where, "nothing" if value is None else found, _EXPECTED.get(kind_of_error, "another kind of value"))


def _note_unknown_key(path: Path, values: object, findings: Findings) -> None:
    *parents, key = path
    meant = _meant_key(_model_at(tuple(parents)), str(key))
    if meant is None:
        names = ", ".join(_names(_model_at(tuple(parents))))
        findings.refuse(place(*path), "there is no such key", f"one of {names}")
        return
    findings.refuse(place(*path), "there is no such key", meant)
    if _value_at((*parents, meant), values) is None:
        findings.leave_out(place(*parents, meant))


def _names(model: type[_Mapping]) -> list[str]:
    return sorted(field.alias or name for name, field in model.model_fields.items())


def _meant_key(model: type[_Mapping], key: str) -> str | None:
    # Case is the usual slip (podsubnet), and the measure of likeness counts it as any other difference.
    names = {name.lower(): name for name in _names(model)}
    likely = get_close_matches(key.lower()[:60], names, n=1, cutoff=0.75)
    return names[likely[0]] if likely else None


def _model_at(path: Path) -> type[_Mapping]:
    match path:
        case ("nodes", _):
            return NodeShape
        case ("nodes", _, "ssh"):
            return SshShape
        case ("nodes", _, "ssh", "bastion"):
            return LoginShape
        case ("cni",):
            return CniShape
        case ("images",):
            return ImagesShape
    return ClusterShape


def _value_at(path: Path, value: object) -> object:
    for part in path:
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int):
            value = value[part]
    return value


def _without(value: object, refused: set[Path], here: Path = ()) -> object:
    """Copy a value without its refused parts; in a list an empty mapping takes their place, to keep the indices."""
    if len(here) >= _DEPTH:
        return value
    if isinstance(value, dict):
        return {
            key: _without(part, refused, (*here, key))
            for key, part in value.items()
            if isinstance(key, str) and (*here, key) not in refused
        }
    if isinstance(value, list):
        return [
            {} if (*here, index) in refused else _without(part, refused, (*here, index))
            for index, part in enumerate(value)
        ]
    return value
