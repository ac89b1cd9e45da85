"""The provider: what the engine asks for, in terms of the two resources."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from pulumi.provider.experimental import provider as api
from pulumi.provider.experimental.property_value import PropertyValue

from lab.command_provider import VERSION
from lab.command_provider.capture import Capture, Outputs
from lab.command_provider.check import check_inputs
from lab.command_provider.diff import changed_inputs, diff
from lab.command_provider.engine_log import EngineLog
from lab.command_provider.errors import CommandError, StartError, command_failed, not_supported
from lab.command_provider.inputs import (
    LOCAL_FIELDS,
    REMOTE_FIELDS,
    CommandInputs,
    Field,
    local_inputs,
    remote_inputs,
)
from lab.command_provider.local import run_local
from lab.command_provider.redact import Redactor, redactor_of
from lab.command_provider.schema import schema
from lab.command_provider.values import UNKNOWN

_FIELDS: dict[str, dict[str, Field]] = {
    "command:local:Command": LOCAL_FIELDS,
    "command:remote:Command": REMOTE_FIELDS,
}
_NOTICE = f"podnet's stand-in for the command provider {VERSION} is in use (the official plugin is not installed)"

Properties = dict[str, PropertyValue]


@dataclass(frozen=True, slots=True)
class _Run:
    """One run of a command: which, for which resource, with what."""

    urn: str
    command: str
    properties: Properties
    previous: Outputs
    redact: Redactor


class CommandProvider(api.Provider):
    """Runs the commands. All in one event loop: none of them blocks another."""

    def __init__(self, log: EngineLog) -> None:
        self._log = log
        self._running: set[asyncio.Task[Outputs]] = set()
        self._cancelled = False

    async def get_schema(self, request: api.GetSchemaRequest) -> api.GetSchemaResponse:  # noqa: ARG002
        """Give the schema of what there is here."""
        return api.GetSchemaResponse(schema())

    async def configure(self, request: api.ConfigureRequest) -> api.ConfigureResponse:  # noqa: ARG002
        """Say once a run that this is not the official plugin."""
        await self._log.info(_NOTICE)
        # The SDK reads a resource reference wrongly, and an output without a value not at all: the engine sends
        # neither when it is told so.
        return api.ConfigureResponse(
            accept_secrets=True, supports_preview=True, accept_resources=False, accept_outputs=False
        )

    async def check(self, request: api.CheckRequest) -> api.CheckResponse:
        """Check the inputs."""
        inputs, failures = check_inputs(_fields(request.type), request.new_inputs)
        return api.CheckResponse(inputs=inputs, failures=failures)

    async def diff(self, request: api.DiffRequest) -> api.DiffResponse:
        """Compare the new inputs with those in the state."""
        return diff(_fields(request.type), request.old_state, request.new_inputs)

    async def create(self, request: api.CreateRequest) -> api.CreateResponse:
        """Run `create`; in a preview, the outputs are unknown."""
        _fields(request.type)
        identity = f"{request.name}{secrets.token_hex(4)}"
        if request.preview:
            return api.CreateResponse(identity, request.properties | {"stdout": UNKNOWN, "stderr": UNKNOWN})
        outputs = await self._execute("create", request, request.properties, Outputs())
        return api.CreateResponse(identity, request.properties | _as_properties(outputs))

    async def update(self, request: api.UpdateRequest) -> api.UpdateResponse:
        """Run `update`, or `create` if there is none."""
        previous = _previous(request.olds)
        if request.preview:
            changed = changed_inputs(_fields(request.type), request.olds, request.news)
            outputs = {"stdout": UNKNOWN, "stderr": UNKNOWN} if changed else _as_properties(previous)
            return api.UpdateResponse(request.news | outputs)
        which = "update" if _text(request.news, "update") is not None else "create"
        outcome = await self._execute(which, request, request.news, previous)
        return api.UpdateResponse(request.news | _as_properties(outcome))

    async def delete(self, request: api.DeleteRequest) -> None:
        """Run `delete`."""
        await self._execute("delete", request, request.properties, _previous(request.properties))

    async def read(self, request: api.ReadRequest) -> api.ReadResponse:
        """Give the state as it was: a command cannot be read back."""
        _fields(request.type)
        return await super().read(request)

    async def invoke(self, request: api.InvokeRequest) -> NoReturn:
        """Refuse: there are no functions here."""
        raise CommandError(not_supported(f"the function {request.tok}"))

    async def call(self, request: api.CallRequest) -> NoReturn:
        """Refuse: there are no methods here."""
        raise CommandError(not_supported(f"the method {request.tok}"))

    async def construct(self, request: api.ConstructRequest) -> NoReturn:
        """Refuse: there are no components here."""
        raise CommandError(not_supported(f"the component {request.resource_type}"))

    async def cancel(self) -> None:
        """End all that runs, and start nothing more."""
        self._cancelled = True
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _execute(
        self,
        which: str,
        request: api.CreateRequest | api.UpdateRequest | api.DeleteRequest,
        properties: Properties,
        previous: Outputs,
    ) -> Outputs:
        """Run one of the resource's commands, if it has it, and give the outputs that it then has."""
        _fields(request.type)
        command = _text(properties, which)
        if command is None:
            return previous
        if self._cancelled:
            raise CommandError("cancelled before the command was started")
        old = request.olds if isinstance(request, api.UpdateRequest) else {}
        run = _Run(request.urn, command, properties, previous, redactor_of(properties, old))
        task = asyncio.create_task(self._bounded(run, request.timeout))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            return await task
        except asyncio.CancelledError:
            if self._cancelled:
                raise CommandError("cancelled while the command was running") from None
            raise
        except CommandError as error:
            raise CommandError(run.redact(str(error))) from None

    async def _bounded(self, run: _Run, seconds: float) -> Outputs:
        """Run within the resource's own timeout, if it has one."""
        try:
            async with asyncio.timeout(seconds or None):
                return await self._run(run)
        except TimeoutError:
            raise CommandError(f"the command did not end within the timeout of {seconds:g} s") from None

    async def _run(self, run: _Run) -> Outputs:
        async with self._log.lines(run.urn) as log_line:
            start, logged = self._starter(run)
            capture = Capture(logged, lambda line: log_line(run.redact(line)))
            try:
                status = await start(capture)
            except StartError as error:
                status = str(error)
            capture.finish()
        if status is not None:
            raise CommandError(command_failed(status, run.redact(run.command), run.redact(capture.both())))
        return capture.outputs()

    def _starter(self, run: _Run) -> tuple[Callable[[Capture], Coroutine[Any, Any, str | None]], frozenset[str]]:
        """Choose what starts the command, by the kind of resource, and which streams are logged."""
        if "connection" not in run.properties:
            local = local_inputs(run.properties)
            return lambda capture: run_local(
                run.command, local, _environment(local, run.previous), capture
            ), local.logged
        from lab.command_provider.remote import run_remote  # noqa: PLC0415 - slow to load, and often not needed

        remote = remote_inputs(run.properties)
        previous = _environment(remote, run.previous)
        return lambda capture: run_remote(
            run.command, remote, previous, capture, log=self._log, urn=run.urn
        ), remote.logged


def _fields(resource_type: str) -> dict[str, Field]:
    """Give the inputs of a type of resource; any other than the two is an error."""
    # The SDK reads the type off the URN, where the types of the parents stand before it: PARENT$TYPE.
    own = resource_type.rpartition("$")[2]
    if own not in _FIELDS:
        raise CommandError(not_supported(f"the resource {own}"))
    return _FIELDS[own]


def _text(properties: Mapping[str, PropertyValue], name: str) -> str | None:
    value = properties.get(name)
    return value.value if value is not None and isinstance(value.value, str) else None


def _previous(state: Mapping[str, PropertyValue]) -> Outputs:
    return Outputs(stdout=_text(state, "stdout") or "", stderr=_text(state, "stderr") or "")


def _as_properties(outputs: Outputs) -> Properties:
    return {"stdout": PropertyValue(outputs.stdout), "stderr": PropertyValue(outputs.stderr)}


def _environment(inputs: CommandInputs, previous: Outputs) -> dict[str, str]:
    """Give the last run's outputs as variables for this one, if they are wanted and not empty."""
    if not inputs.add_previous_output:
        return {}
    both = {"PULUMI_COMMAND_STDOUT": previous.stdout, "PULUMI_COMMAND_STDERR": previous.stderr}
    return {name: value for name, value in both.items() if value}
