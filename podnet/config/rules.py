"""What the types of values are made of: pydantic's validators, which raise RefusedError with what a user is told.

A rule is for what is to be made. What stands already is read without rules: another version of podnet may have had
other ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final, TypeVar

from netaddr import IPNetwork
from pydantic import AfterValidator, ValidateAs, ValidationInfo

from podnet import addressing
from podnet.addressing import Family
from podnet.config.problems import shown
from podnet.errors import RefusedError

_T = TypeVar("_T")

WITHOUT_RULES: Final = "without rules"
"""The context of a validation that applies no rule."""


def one_of(members: type[StrEnum], noun: str, expected: str) -> ValidateAs:
    """Text that is one of an enumeration's values."""

    def read(text: str) -> StrEnum:
        if text not in set(members):
            raise RefusedError(f"{shown(text)} is not {noun}", expected)
        return members(text)

    return ValidateAs(str, read)


def rule(apply: Callable[[_T], _T]) -> AfterValidator:
    """A rule that gives what it takes, or raises RefusedError."""

    def validate(value: _T, info: ValidationInfo) -> _T:
        return value if info.context == WITHOUT_RULES else apply(value)

    return AfterValidator(validate)


def matching(pattern: str, noun: str, expected: str) -> AfterValidator:
    """The whole text matches a pattern."""
    return _holds(lambda text: re.fullmatch(pattern, text) is not None, f"is not {noun}", expected)


def never(pattern: str, verdict: str, expected: str) -> AfterValidator:
    """The whole text does not match a pattern. verdict: what is said of one that does."""
    return _holds(lambda text: re.fullmatch(pattern, text) is None, verdict, expected)


def between(least: int, most: int, verdict: str) -> AfterValidator:
    """A number within bounds, which count. verdict: what is said of one that is not."""
    return _holds(lambda number: least <= number <= most, verdict, f"a number from {least} to {most}")


def _holds(condition: Callable[[Any], bool], verdict: str, expected: str) -> AfterValidator:
    def apply(value: _T) -> _T:
        if not condition(value):
            raise RefusedError(f"{shown(value)} {verdict}", expected)
        return value

    return rule(apply)


def prefix_length(bounds: Mapping[Family, tuple[int, int]]) -> AfterValidator:
    """A network whose prefix length lies within its family's bounds, which count."""

    def apply(network: IPNetwork) -> IPNetwork:
        widest, narrowest = bounds[addressing.family_of(network)]
        if not widest <= network.prefixlen <= narrowest:
            size = "large" if network.prefixlen < widest else "small"
            raise RefusedError(f"{network} is too {size}", f"a prefix length from /{widest} to /{narrowest}")
        return network

    return rule(apply)
