"""What a verification tells while it runs."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Who wants to know."""

    def wait(self, what: str) -> None:
        """It waits for something now, in a few words."""

    def count(self, made: int, total: int) -> None:
        """So many of the probes have been made."""

    def warn(self, what: str) -> None:
        """Something that a user has to know, but that is no verdict."""
