"""What a deployment would do to a stack that is as the base says: the difference between two previews.

A preview where there is no state shows everything as created, so two of them are compared: what the program declares
for the base, and what it declares now. A resource in both is compared input by input. What replaces a resource, and
what replaces others with it, is the providers' to say; for the resources that podnet declares it is written down here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from podnet.errors import PodnetError
from podnet.kinds import Kind, kind_of

_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
"""The key that marks a value as something special to the engine, a secret for one."""

_TRIGGERS: Final = "triggers"
"""The input of a command whose change makes another resource; every other only runs the command again."""

_REPLACE_WITH: Final = "(replace with)"
"""Stands among a resource's inputs for the engine's option replaceWith."""

_APART: Final = ("pulumi:providers:", "pulumi-python:dynamic/podnet:NodeState")
"""What is no step of a deployment to a reader: a provider's settings, and what only looks at a node."""

_REPLACING: Final = ("metadata.name", "metadata.namespace", "spec.selector", "kind", "apiVersion")
"""What of a Kubernetes object cannot be changed in place."""

MASKED: Final = "(secret)"
ITS_ID: Final = "(its id)"
LATER: Final = "(known after up)"

_UNKNOWN: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""How the engine writes a value that it does not know yet; a random UUID would be no input of podnet's."""

_ID: Final = re.compile(r"(.+)[0-9a-f]{8}")
"""An id of the command provider's: the resource's name and eight digits by chance."""


class Action(StrEnum):
    """What happens to a resource, in Pulumi's words."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class InputChange:
    """One input that differs. path: ``stdin`` or ``spec.replicas``. None: it is not given."""

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """One resource and what happens to it.

    kind: of the component that it stands in. component: that one's name, which for a node's is the node's.
    because: the resources whose own steps cause this one.
    """

    action: Action
    name: str
    type: str
    kind: Kind | None = None
    component: str = ""
    changes: tuple[InputChange, ...] = ()
    because: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Declared:
    """A resource as a program declares it.

    parent: the URN of the component that it stands in.
    depends: for each input the URNs whose outputs are in it, for ``(provider)`` the provider's, and for
    ``(replace with)`` those of the resources whose replacement replaces this one too.
    """

    urn: str
    type: str
    parent: str
    inputs: Mapping[str, str]
    depends: Mapping[str, tuple[str, ...]]


def declared(preview: Mapping[str, Any]) -> dict[str, Declared]:
    """Read what ``pulumi preview --json`` prints; by URN, components and the stack itself left out.

    Raises PodnetError where it is something else.
    """
    return {new.urn: new for op, _, new in _read(preview) if new and op != "delete"}


def proposed(preview: Mapping[str, Any]) -> tuple[Step, ...]:
    """Read what ``pulumi preview --json`` says of a stack that is up: its own steps, in its order.

    Raises PodnetError where it is something else.
    """
    found: dict[str, Step] = {}
    for op, old, new in _read(preview):
        either = new or old
        part = not (old and new)  # of a replacement that is told in parts
        if op in _OPERATIONS and either and not (part and either.urn in found):
            found[either.urn] = _made(_OPERATIONS[op], either, tuple(_changes(old, new)) if old and new else ())
    return tuple(step for step in found.values() if not step.type.startswith(_APART))


def _read(preview: Mapping[str, Any]) -> list[tuple[str, Declared | None, Declared | None]]:
    """Give each operation with what there was and what there will be, components and the stack itself left out."""
    try:
        steps = [(step["op"], step.get("oldState"), step.get("newState")) for step in preview["steps"]]
        return [
            (str(op), _declared(old) if old else None, _declared(new) if new else None)
            for op, old, new in steps
            if (new or old).get("custom")
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise PodnetError(f"this is not what pulumi preview --json prints: {error!r}") from None


def logged(events: str) -> dict[str, Any]:
    """Read the engine's own log of a preview (``--event-log``), as what ``pulumi preview --json`` would have printed.

    Raises PodnetError where it is something else.
    """
    try:
        found = [json.loads(line).get("resourcePreEvent") for line in events.splitlines()]
        steps = [event["metadata"] for event in found if event]
        return {"steps": [{**step, "oldState": step.get("old"), "newState": step.get("new")} for step in steps]}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PodnetError(f"this is not a log of Pulumi's engine: {error!r}") from None


_OPERATIONS: Final = {
    "create": Action.CREATE,
    "update": Action.UPDATE,
    "delete": Action.DELETE,
    # A replacement is told in parts, whose order says which comes first.
    "replace": Action.REPLACE,
    "create-replacement": Action.REPLACE,
    "delete-replaced": Action.REPLACE,
}


def steps(before: Mapping[str, Declared], after: Mapping[str, Declared]) -> tuple[Step, ...]:
    """Compare two previews. What goes away comes last, all else by name: the order of a preview varies."""
    found: dict[str, Step] = {}
    before = _moved(before, after)
    # Resources come in the order of the program, so a cause comes before what it causes.
    for urn, resource in after.items():
        if step := _step(before.get(urn), resource, found):
            found[urn] = step
    gone = [_made(Action.DELETE, resource) for urn, resource in before.items() if urn not in after]
    both = [sorted(each, key=lambda step: step.name) for each in (found.values(), gone)]
    return tuple(step for each in both for step in each if not step.type.startswith(_APART))


def _moved(before: Mapping[str, Declared], after: Mapping[str, Declared]) -> dict[str, Declared]:
    """Give what was before under the URNs that it has after: another component makes no other resource of it.

    A program says so by aliases (podnet's does), which a preview does not show; so the same type and name is the same
    resource.
    """
    new = {(each.type, _name(urn)): urn for urn, each in after.items() if urn not in before}
    return {urn if urn in after else new.get((each.type, _name(urn)), urn): each for urn, each in before.items()}


def _step(old: Declared | None, new: Declared, found: Mapping[str, Step]) -> Step | None:
    """What happens to a resource, when what happens to those before it is known.

    A replaced one has another id, on which triggers hang. One that is only updated keeps its id, but runs its command
    again, and what hangs on its outputs may change.
    """
    if old is None:
        return _made(Action.CREATE, new)
    changes = tuple(_changes(old, new))
    causes = [urn for key in (_TRIGGERS, _REPLACE_WITH) for urn in new.depends.get(key, ())]
    another = [urn for urn in causes if _is_another(found.get(urn))]
    if another or any(_replaces(new, change) for change in changes):
        return _made(Action.REPLACE, new, changes, () if any(_replaces(new, each) for each in changes) else another)
    rest = [urns for key, urns in new.depends.items() if key not in (_TRIGGERS, _REPLACE_WITH)]
    others = [urn for urns in rest for urn in urns if urn in found]
    return _made(Action.UPDATE, new, changes, others) if changes or others else None


def _is_another(step: Step | None) -> bool:
    return step is not None and step.action in (Action.CREATE, Action.REPLACE)


def _made(
    action: Action, resource: Declared, changes: tuple[InputChange, ...] = (), because: Sequence[str] = ()
) -> Step:
    return Step(
        action,
        _name(resource.urn),
        resource.type,
        kind_of(resource.urn),
        _name(resource.parent),
        changes,
        tuple(dict.fromkeys(map(_name, because))),
    )


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]


def _declared(state: Mapping[str, Any]) -> Declared:
    depends = {key: tuple(urns) for key, urns in (state.get("propertyDependencies") or {}).items() if urns}
    inputs: dict[str, str] = {}
    for key, value in (state.get("inputs") or {}).items():
        inputs.update(_flat(value, set(map(_name, depends.get(key, ()))), key))
    if state.get("provider"):
        depends["(provider)"] = (state["provider"].rpartition("::")[0],)
    if state.get("replaceWith"):
        depends[_REPLACE_WITH] = tuple(state["replaceWith"])
    return Declared(state["urn"], state["type"], state.get("parent") or "", inputs, depends)


def _flat(value: object, names: Set[str], path: str) -> Iterator[tuple[str, str]]:
    """Every text, number and truth in a value, with its path. A secret is not entered.

    names: of the resources whose outputs are in the value. One's id in a list is found by that name, wherever in the
    list it is.
    """
    if isinstance(value, Mapping):
        if _SIGNATURE in value:
            yield path, MASKED
            return
        for key, part in value.items():
            yield from _flat(part, names, f"{path}.{key}")
    elif isinstance(value, list):
        for index, part in enumerate(value):
            if not _is_unknown(part):  # whose output it is stands in depends
                yield from _flat(part, names, f"{path}[{_owner(part, names) or index}]")
    elif isinstance(value, str):
        yield path, ITS_ID if _owner(value, names) else LATER if _is_unknown(value) else value
    elif value is not None:
        yield path, json.dumps(value)


def _is_unknown(value: object) -> bool:
    return isinstance(value, str) and bool(_UNKNOWN.fullmatch(value))


def _owner(value: object, names: Set[str]) -> str | None:
    """Whose id a value is. The command provider makes ids up in a preview too, and others in the next."""
    found = _ID.fullmatch(value) if isinstance(value, str) else None
    return found[1] if found and found[1] in names else None


def _changes(old: Declared, new: Declared) -> Iterator[InputChange]:
    for path in dict.fromkeys([*old.inputs, *new.inputs]):
        if old.inputs.get(path) != new.inputs.get(path):
            yield InputChange(path, old.inputs.get(path), new.inputs.get(path))


def _replaces(resource: Declared, change: InputChange) -> bool:
    if resource.type.startswith("kubernetes:"):
        return any(change.path == path or change.path.startswith((f"{path}.", f"{path}[")) for path in _REPLACING)
    return resource.type.startswith("command:") and change.path.startswith(_TRIGGERS)
