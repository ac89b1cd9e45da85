"""What a command wrote: kept for the outputs and for an error, and cut into lines for the log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outputs:
    """The outputs of a command's last run."""

    stdout: str = ""
    stderr: str = ""


class Capture:
    """Takes the bytes of both streams as they come."""

    def __init__(self, logged: frozenset[str], log: Callable[[str], None]) -> None:
        """Send the lines of the streams named in `logged` to `log`."""
        self._log = log
        self._streams = {"stdout": bytearray(), "stderr": bytearray()}
        self._both = bytearray()
        self._unfinished = {stream: bytearray() for stream in logged}

    def feed(self, stream: str, data: bytes) -> None:
        """Take some bytes of a stream."""
        self._streams[stream] += data
        self._both += data
        if stream in self._unfinished:
            *lines, rest = (self._unfinished[stream] + data).split(b"\n")
            self._unfinished[stream] = rest
            for line in lines:
                self._log(_text(line))

    def finish(self) -> None:
        """Log the last lines, which had no end."""
        for rest in self._unfinished.values():
            if rest:
                self._log(_text(rest))

    def outputs(self) -> Outputs:
        """Give the outputs; one newline at the end is no part of them."""
        return Outputs(**{stream: _text(data).removesuffix("\n") for stream, data in self._streams.items()})

    def both(self) -> str:
        """Both streams in the order in which they came."""
        return _text(self._both)


def _text(data: bytes | bytearray) -> str:
    return data.decode("utf-8", errors="replace")
