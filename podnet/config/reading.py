"""Reads the config into shapes, as far as it can be read, and notes every problem on the way.

pydantic holds the types, rules and defaults. It reads a mapping whole or not at all, so each value is given to it
alone here: the checks of values against each other need what is right beside what is not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

from podnet.config.problems import NAMESPACE, Path, kind, place, shown
from podnet.config.rules import WITHOUT_RULES
from podnet.errors import Problem

_P = ParamSpec("_P")
_S = TypeVar("_S", bound="Shape")


class UnknownError(AttributeError):
    """A value is asked for that is missing or refused: its own problem is noted, and what follows cannot be said.

    It is an AttributeError, so that ``getattr`` with a default gives that instead.
    """


@dataclass(frozen=True, slots=True)
class Needed:
    """What is said of a required key that is not written."""

    expected: str
    found: str = "missing"


class Shape(BaseModel):
    """A mapping of the config, as far as it could be read.

    A value that is missing or refused raises UnknownError when it is asked for, so a check is written as if all values
    were right.
    """

    model_config = ConfigDict(strict=True, alias_generator=to_camel)

    _path: Path = ()

    @property
    def label(self) -> str:
        """Name the mapping in a sentence: ``nodes[1]``."""
        return place(self._path).removeprefix(NAMESPACE)

    def values(self) -> dict[str, Any]:
        """Give every value by the field's name."""
        return {name: getattr(self, name) for name in type(self).model_fields}

    def problem(self, name: str, found: str, expected: str) -> Problem:
        """Say what is wrong with one of the values. name: the field's."""
        return Problem(place((*self._path, key_of(name))), found, expected)

    def refuse(self, name: str, found: str, expected: str) -> Problem:
        """Say what is wrong with one of the values. It is unknown from here on: what follows from it is not said."""
        self.__dict__.pop(name, None)
        return self.problem(name, found, expected)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Refuse to give what is not known."""
            try:
                return super().__getattr__(name)
            except AttributeError:
                raise UnknownError(f"{name} is not known") from None


def check(function: Callable[_P, Iterator[Problem]]) -> Callable[_P, Iterator[Problem]]:
    """A check of values against each other: it ends where it asks for one that is unknown."""

    @wraps(function)
    def as_far_as_known(*args: _P.args, **kwargs: _P.kwargs) -> Iterator[Problem]:
        with suppress(UnknownError):
            yield from function(*args, **kwargs)

    return as_far_as_known


def key_of(name: str) -> str:
    """Give the config's key of a field: ``podSubnet`` of ``pod_subnet``."""
    return to_camel(name)


def nested(info: FieldInfo) -> type[Shape] | None:
    """Give the shape of a field that holds a mapping, or a list of mappings."""
    types = (info.annotation, *get_args(info.annotation))
    return next((each for each in types if isinstance(each, type) and issubclass(each, Shape)), None)


_EXPECTED: Final = {
    "string_type": "text, in quotes where YAML reads it as something else",
    "string_unicode": "text",
    "int_type": "a whole number, without quotes",
    "bool_type": "true or false, without quotes",
    "list_type": "a list",
    "model_type": "a mapping of keys to values",
}
"""By pydantic's name of the error."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads shapes, and collects the problems.

    rules: whether every key must be known and every value keep the rules, beside its type.
    """

    rules: bool = True
    problems: list[Problem] = field(default_factory=list)

    def read(self, model: type[_S], raw: object, path: Path = ()) -> _S:
        """Read a mapping, as far as it can be read."""
        shape = model.model_construct()
        shape._path = path
        if not isinstance(raw, Mapping) or (path and _is_encrypted(raw)):
            self.problems.append(Problem(place(path), *_wrong_type(raw, "model_type")))
            shape.__dict__.clear()
            return shape
        misspelt = self._unknown_keys(model, raw, path) if self.rules else set()
        for name, info in model.model_fields.items():
            key = key_of(name)
            needed = next((each for each in info.metadata if isinstance(each, Needed)), None)
            if key in misspelt:
                shape.__dict__.pop(name, None)
            elif needed and raw.get(key) is None:
                self.problems.append(shape.problem(name, needed.found, needed.expected))
            elif key in raw:
                self._read_value(shape, name, raw[key], (*path, key))
        return shape

    def _read_value(self, shape: Shape, name: str, raw: object, path: Path) -> None:
        info = type(shape).model_fields[name]
        if model := nested(info):
            raw = _decoded(raw) if len(path) == 1 else raw
            if get_origin(info.annotation) is not list:
                raw = None if raw is None else self.read(model, raw, path)
            elif isinstance(raw, list):
                raw = [self.read(model, part, (*path, index)) for index, part in enumerate(raw)]
        context = None if self.rules else WITHOUT_RULES
        try:
            type(shape).__pydantic_validator__.validate_assignment(shape, name, raw, context=context)
        except ValidationError as error:
            # There is one: what the value holds is read already.
            [detail] = error.errors(include_url=False, include_input=False)
            refused = detail.get("ctx", {}).get("error")
            said = (refused.found, refused.expected) if refused else _wrong_type(raw, detail["type"])
            self.problems.append(shape.refuse(name, *said))

    def _unknown_keys(self, model: type[Shape], raw: Mapping[object, object], path: Path) -> set[str]:
        """Note every key that there is not; give those that were probably meant, and are not written otherwise."""
        keys = sorted(map(key_of, model.model_fields))
        # Case is the usual slip (podsubnet), and the measure of likeness counts it as any other difference.
        lower = {key.lower(): key for key in keys}
        misspelt = set()
        for key in [key for key in raw if key not in keys]:
            likely = get_close_matches(str(key).lower()[:60], lower, n=1, cutoff=0.75)
            meant = lower[likely[0]] if likely else None
            where = place((*path, key if isinstance(key, int) else str(key)))
            self.problems.append(Problem(where, "there is no such key", meant or f"one of {', '.join(keys)}"))
            if meant and raw.get(meant) is None:
                misspelt.add(meant)
        return misspelt


def _wrong_type(raw: object, error: str) -> tuple[str, str]:
    if _is_encrypted(raw):
        return "is encrypted", "a plain value: podnet's config holds no secrets"
    what, word = kind(raw), shown(raw)
    return what if what == word else f"{word} is {what}", _EXPECTED.get(error, "another kind of value")


def _is_encrypted(raw: object) -> bool:
    """Only the engine can decrypt a value, and podnet's config has nothing to hide."""
    return isinstance(raw, Mapping) and set(raw) == {"secure"}


def _decoded(raw: object) -> object:
    """Read JSON, as which Pulumi hands a structured value over; text that is none is refused by its type later."""
    try:
        decoded: object = json.loads(raw) if isinstance(raw, str) else raw
    except (ValueError, RecursionError):
        return raw
    return decoded
