"""What must hold of a node, what was seen of it, and what makes it hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Unseen(Exception):  # noqa: N818  # no error of the program: a part of the node cannot be seen
    """Why something could not be seen."""


@dataclass(frozen=True, slots=True)
class Repair:
    """One command that makes a check hold.

    does: in words, as in ``set the route 10.22.3.0/24 via 10.100.198.202``.
    stdin: what the command reads.
    removes: it runs after everything that is missing has been set.
    foreign: it changes what somebody else has made; only an update does that, and never the service.
    gone: what the command says of something that has gone by itself; that is no failure.
    """

    does: str
    command: tuple[str, ...]
    stdin: str = ""
    removes: bool = False
    foreign: bool = False
    gone: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of one thing. hint: what to look at where it does not hold."""

    text: str
    holds: bool
    hint: str = ""
    repairs: tuple[Repair, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold of a node. peer: the other node, where it is about one. unseen: it could not be seen."""

    name: str
    expected: str
    seen: Seen
    peer: str = ""
    unseen: bool = False


class Once(Generic[_T]):
    """A look that is taken when it is needed, and once: also one that shows nothing."""

    def __init__(self, look: Callable[[], _T]) -> None:
        self._look = look
        self._seen: list[_T] = []
        self._why: Unseen | None = None

    def __call__(self) -> _T:
        """Give what was seen. Raises Unseen."""
        if self._why is None and not self._seen:
            try:
                self._seen.append(self._look())
            except Unseen as why:
                self._why = why
        if self._why is not None:
            raise self._why
        return self._seen[0]


def check(name: str, expected: str, look: Callable[[], Seen], peer: str = "") -> Check:
    """Look at one thing; what cannot be seen does not hold."""
    try:
        return Check(name, expected, look(), peer)
    except Unseen as why:
        return Check(name, expected, Seen(f"nothing: {why}", holds=False), peer, unseen=True)
