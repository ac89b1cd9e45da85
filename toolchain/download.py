"""Fetching a pinned file: bounded in time, checked by its SHA-256, and never left half-written under its name."""

from __future__ import annotations

import hashlib
import http.client
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from podnet.errors import PodnetError

_CHUNK: Final = 1 << 20
_HEADERS: Final = {"User-Agent": "podnet-toolchain"}


@dataclass(frozen=True, slots=True)
class Limits:
    """How long things may take, in seconds: one probe, one silence of a server, one whole download."""

    probe: float = 3.0
    stall: float = 20.0
    total: float = 1800.0


class DownloadError(PodnetError):
    """A file could not be had, or is not the one that was pinned."""


def answering(hosts: Iterable[str], limits: Limits) -> frozenset[str]:
    """Which of these hosts (``https://name``) answer at all. All are asked at the same time.

    A whole probe is bounded, not just each of its reads: a host that sends a byte now and then counts as silent.
    """
    found: dict[str, bool] = {}
    # Daemons: one that hangs keeps neither this function nor the end of the program waiting.
    threads = [
        threading.Thread(
            target=lambda host: found.update({host: _answers(host, limits.probe)}), args=(host,), daemon=True
        )
        for host in hosts
    ]
    deadline = time.monotonic() + limits.probe
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return frozenset(host for host, answers in found.copy().items() if answers)


def host_of(url: str) -> str:
    """Return the host of an address, with its scheme."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def fetch(url: str, target: Path, sha256: str, limits: Limits) -> None:
    """Download into target. Anything but the pinned content is an error, and leaves no file."""
    try:
        compare(url, sha256_of_download(url, target, limits), sha256)
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def compare(url: str, found: str, expected: str) -> None:
    """Raise DownloadError for a file that is not the pinned one."""
    if found != expected:
        raise DownloadError(f"{url} is not the file that was pinned: its SHA-256 is {found}, expected {expected}")


def sha256_of_download(url: str, target: Path, limits: Limits) -> str:
    """Download into target, trusting nothing, and return the checksum."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise DownloadError(f"{url} cannot be downloaded: only http and https can")
    request = urllib.request.Request(url, headers=_HEADERS)  # noqa: S310 - the scheme was checked
    try:
        with urllib.request.urlopen(request, timeout=limits.stall) as response:  # noqa: S310
            return _copy(url, response, target, time.monotonic() + limits.total)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DownloadError(f"{url} cannot be downloaded: {_reason(error)}") from error


def _copy(url: str, response: http.client.HTTPResponse, target: Path, deadline: float) -> str:
    digest, size = hashlib.sha256(), 0
    with target.open("wb") as sink:
        # read1: what has come so far, so that a trickle cannot hide from the deadline inside one long read.
        while chunk := response.read1(_CHUNK):
            digest.update(chunk)
            sink.write(chunk)
            size += len(chunk)
            if time.monotonic() > deadline:
                raise DownloadError(f"{url} cannot be downloaded: too slow, {size} bytes so far")
    length = response.headers.get("Content-Length")
    if length is not None and size != int(length):
        raise DownloadError(f"{url} cannot be downloaded: it ended after {size} of {length} bytes")
    return digest.hexdigest()


def _answers(host: str, timeout: float) -> bool:
    request = urllib.request.Request(f"{host}/", method="HEAD", headers=_HEADERS)  # noqa: S310 - http or https
    try:
        with urllib.request.urlopen(request, timeout=timeout):  # noqa: S310
            return True
    except urllib.error.HTTPError:
        return True  # An error page is an answer: the file itself may be there all the same.
    except (OSError, http.client.HTTPException, ValueError):
        return False


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"the server says {error.code} {error.reason}"
    reason = getattr(error, "reason", error)
    return "the server stopped answering" if isinstance(reason, TimeoutError) else str(reason) or type(error).__name__
