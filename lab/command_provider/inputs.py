"""The inputs of the two resources: which there are, what they may hold, and their typed form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pulumi.provider.experimental.property_value import PropertyValue

from lab.command_provider.values import plain

LOGGING = {
    "stdout": frozenset({"stdout"}),
    "stderr": frozenset({"stderr"}),
    "stdoutAndStderr": frozenset({"stdout", "stderr"}),
    "none": frozenset[str](),
}


@dataclass(frozen=True, slots=True)
class Field:
    """One input: its kind (a word that `check` and `schema` both know) and how it is treated."""

    kind: str
    required: bool = False
    secret: bool = False
    default: str | float | None = None
    supported: bool = True


_ENDPOINT_FIELDS = {
    "agentSocketPath": Field("string"),
    "dialErrorLimit": Field("integer", default=10.0),
    "host": Field("string", required=True),
    "hostKey": Field("string"),
    "password": Field("string", secret=True),
    "perDialTimeout": Field("integer", default=15.0),
    "port": Field("number", default=22.0),
    "privateKey": Field("string", secret=True),
    "privateKeyPassword": Field("string", secret=True),
    "user": Field("string", default="root"),
}
CONNECTION_FIELDS = {
    "connection": {**_ENDPOINT_FIELDS, "proxy": Field("proxy")},
    "proxy": _ENDPOINT_FIELDS,
}
_COMMON_FIELDS = {
    "addPreviousOutputInEnv": Field("boolean"),
    "create": Field("string"),
    "delete": Field("string"),
    "environment": Field("map of strings"),
    "logging": Field("logging"),
    "stdin": Field("string"),
    "triggers": Field("list"),
    "update": Field("string"),
}
REMOTE_FIELDS = {**_COMMON_FIELDS, "connection": Field("connection", required=True, secret=True)}
LOCAL_FIELDS = {
    **_COMMON_FIELDS,
    "archivePaths": Field("list of strings", supported=False),
    "assetPaths": Field("list of strings", supported=False),
    "dir": Field("string"),
    "interpreter": Field("list of strings"),
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where and how to log in by SSH. The secrets are left out of its text form."""

    host: str
    port: int
    user: str
    dial_error_limit: int
    per_dial_timeout: int
    host_key: str | None
    agent_socket_path: str | None
    password: str | None = field(repr=False)
    private_key: str | None = field(repr=False)
    private_key_password: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Connection:
    """The machine, and the bastion that leads to it if there is one."""

    target: Endpoint
    proxy: Endpoint | None


@dataclass(frozen=True, slots=True)
class CommandInputs:
    """What both kinds of command have."""

    create: str | None
    update: str | None
    delete: str | None
    stdin: str
    environment: dict[str, str]
    logged: frozenset[str]
    add_previous_output: bool


@dataclass(frozen=True, slots=True)
class RemoteInputs(CommandInputs):
    """A command that runs over SSH."""

    connection: Connection


@dataclass(frozen=True, slots=True)
class LocalInputs(CommandInputs):
    """A command that runs on this machine."""

    dir: str | None
    interpreter: tuple[str, ...]


def remote_inputs(properties: Mapping[str, PropertyValue]) -> RemoteInputs:
    """Give the typed form of a remote command's checked inputs, or of its state."""
    values = _plain_map(properties)
    return RemoteInputs(**_common(values), connection=_connection(values["connection"]))


def local_inputs(properties: Mapping[str, PropertyValue]) -> LocalInputs:
    """Give the typed form of a local command's checked inputs, or of its state."""
    values = _plain_map(properties)
    return LocalInputs(
        **_common(values),
        dir=values.get("dir"),
        interpreter=tuple(values.get("interpreter") or ("/bin/sh", "-c")),
    )


def _plain_map(properties: Mapping[str, PropertyValue]) -> dict[str, Any]:
    values = {name: plain(value) for name, value in properties.items()}
    return {name: value for name, value in values.items() if value is not None}


def _common(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "create": values.get("create"),
        "update": values.get("update"),
        "delete": values.get("delete"),
        "stdin": values.get("stdin", ""),
        "environment": values.get("environment", {}),
        "logged": LOGGING.get(values.get("logging", "stdoutAndStderr"), frozenset()),
        "add_previous_output": values.get("addPreviousOutputInEnv", True),
    }


def _connection(values: Mapping[str, Any]) -> Connection:
    proxy = values.get("proxy")
    return Connection(target=_endpoint(values), proxy=_endpoint(proxy) if proxy is not None else None)


def _endpoint(values: Mapping[str, Any]) -> Endpoint:
    def value(name: str) -> Any:
        given = values.get(name)
        return _ENDPOINT_FIELDS[name].default if given is None else given

    return Endpoint(
        host=value("host"),
        port=int(value("port")),
        user=value("user"),
        dial_error_limit=int(value("dialErrorLimit")),
        per_dial_timeout=int(value("perDialTimeout")),
        host_key=value("hostKey"),
        agent_socket_path=value("agentSocketPath"),
        password=value("password"),
        private_key=value("privateKey"),
        private_key_password=value("privateKeyPassword"),
    )
