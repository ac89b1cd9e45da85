"""The toolchain end to end: a server of releases, a Go that the test plays (and the real one), and kills."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from podnet.errors import PodnetError
from toolchain import golang, space
from toolchain.catalog import Catalog
from toolchain.download import Limits
from toolchain.ensure import ensure
from toolchain.pin import pin
from toolchain.recipes import Artifact, GoBuild
from toolchain.releases import Releases, load
from toolchain.settings import Settings
from toolchain.store import damaged_files, manifest
from toolchain.toolchain import Toolchain

CHECKOUT = Path(__file__).resolve().parents[2]
LIMITS = Limits(probe=1.0, stall=1.0, total=2.0)

FAKE_GO = """#!/bin/sh
here=$(dirname "$0")
case "$1" in
  version) echo "go version go$(cat "$here/version") linux/amd64"; exit 0 ;;
  env) echo '{}'; exit 0 ;;
esac
echo "$@" >> "$here/calls"
env > "$here/environment"
while [ $# -gt 0 ]; do
  case "$1" in -o) shift; out=$1 ;; esac
  last=$1; shift
done
case "$out" in */) out=$out$(basename "$last") ;; esac
if [ -f "$here/slow" ]; then
  printf half > "$out"
  sleep 300 & echo $! > "$here/child"
  echo $$ > "$here/started"
  while [ -f "$here/slow" ]; do sleep 0.05; done
fi
[ -f "$here/fails" ] && { echo "main.go:1:1: it does not compile" >&2; exit 1; }
[ -f "$here/unpinned" ] && echo "example.com/new v1.0.0 h1:x=" >> go.sum
printf '#!/bin/sh\\necho built\\n' > "$out"
chmod +x "$out"
"""


@dataclass
class Rig:
    """A cache, a fake Go and a catalog of a test's own."""

    folder: Path
    releases: dict[str, Any] = field(default_factory=dict)
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict)
    source: str = "auto"

    @property
    def go(self) -> Path:
        return self.folder / "go-program"

    @property
    def store(self) -> Path:
        return self.folder / "cache" / "toolchain"

    @property
    def calls(self) -> int:
        calls = self.go / "calls"
        return len(calls.read_text().splitlines()) if calls.exists() else 0

    def settings(self) -> Settings:
        environ = {"PATH": f"{self.go}:/usr/bin:/bin", "HOME": str(self.folder), **self.environ}
        return Settings(self.folder / "cache", environ, source=self.source, keep_go_cache=True)

    def catalog(self) -> Catalog:
        environ = self.settings().environ
        return Catalog(self.artifacts, Releases(self.releases, "amd64", environ), self.folder / "groups")

    def built(self, name: str, *, cold_gb: float = 0.0) -> None:
        """Add an artifact that can be built."""
        group = self.folder / "groups" / name
        group.mkdir(parents=True)
        (group / "go.mod").write_text(f"module example.com/{name}\n\ngo 1.26\n")
        (group / "go.sum").write_text("")
        (group / "main.go").write_text("package main\n\nvar word string\n\nfunc main() { println(word) }\n")
        step = GoBuild(name, (".",), "-s -w -X main.word=real", output=name)
        self.artifacts[name] = Artifact(name, "1.0.0", (name,), (step,), on_path=(name,), cold_gb=cold_gb)

    def released(self, name: str, server: Server, body: bytes | None = None, sha256: str = "") -> str:
        """Add a release of an artifact, which need not be one that can be built. Returns its path on the server."""
        content = archive({f"{name}-1.0.0/{name}": b"#!/bin/sh\necho released\n"}) if body is None else body
        path = f"/{name}/v1.0.0/{name}.tar.gz"
        server.files[path] = content
        self.releases[name] = {
            "base": f"{server.url}/{name}",
            "path": "v{version}/" + name + ".tar.gz",
            "members": [f"{name}-{{version}}/{name}"],
        }
        pins = self.releases.setdefault("sha256", {})
        pins[f"{server.url.removeprefix('http://')}{path}"] = sha256 or hashlib.sha256(content).hexdigest()
        self.artifacts.setdefault(name, Artifact(name, "1.0.0", (name,), on_path=(name,)))
        return path

    def ensure(self, *names: str) -> Toolchain:
        return ensure(names, settings=self.settings(), catalog=self.catalog(), limits=LIMITS)

    def left_over(self) -> list[str]:
        return [path.name for path in self.store.glob(".tmp-*")]

    def places(self, name: str) -> list[Path]:
        return list(self.store.glob(f"{name}-1.0.0-*"))


class Server:
    """Serves releases, and misbehaves on request: behaviours maps a path to what is done in place of serving it."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.behaviours: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}
        self.asked: list[str] = []
        self.done = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self.done.set()
        self._server.shutdown()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                server.asked.append(f"HEAD {self.path}")
                self.send_response(404)
                self.end_headers()

            def do_GET(self) -> None:
                server.asked.append(f"GET {self.path}")
                if self.path in server.behaviours:
                    server.behaviours[self.path](self)
                    return
                body = server.files.get(self.path)
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler


def archive(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def says(program: Path) -> str:
    return subprocess.run([program], capture_output=True, text=True, check=True).stdout.strip()


def wait_for(condition: Callable[[], object], what: str, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@pytest.fixture
def server() -> Iterator[Server]:
    served = Server()
    yield served
    served.close()


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    made = Rig(tmp_path)
    made.go.mkdir()
    (made.go / "go").write_text(FAKE_GO)
    (made.go / "go").chmod(0o755)
    (made.go / "version").write_text("1.26.0")
    return made


# --- releases ---------------------------------------------------------------------------------------------------


def test_a_pinned_release_is_taken_and_nothing_is_built(rig: Rig, server: Server) -> None:
    rig.built("tool")
    rig.released("tool", server)
    toolchain = rig.ensure("tool")
    assert says(toolchain.bin("tool")) == "released"
    assert says(toolchain.path / "tool") == "released"
    assert rig.calls == 0
    about = manifest(toolchain.bin("tool").parents[1])
    assert about
    assert about["source"] == "official"
    assert list(about["files"]) == ["bin/tool"]


def test_a_release_without_a_checksum_is_never_downloaded(rig: Rig, server: Server) -> None:
    rig.built("tool")
    rig.released("tool", server)
    rig.releases["sha256"] = {}
    assert says(rig.ensure("tool").bin("tool")) == "built"
    assert server.asked == []


def test_a_wrong_checksum_is_refused_and_nothing_of_it_is_installed(
    rig: Rig, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    rig.released("tool", server, sha256="0" * 64)
    with pytest.raises(PodnetError, match=r"tool 1\.0\.0: its release is not pinned, or could not be had"):
        rig.ensure("tool")
    assert "not the file that was pinned" in capsys.readouterr().err
    assert rig.places("tool") == []
    assert rig.left_over() == []


def test_after_a_wrong_checksum_what_can_be_built_is_built(rig: Rig, server: Server) -> None:
    rig.built("tool")
    rig.released("tool", server, sha256="0" * 64)
    assert says(rig.ensure("tool").bin("tool")) == "built"


def test_only_the_release_will_do_if_the_user_says_so(rig: Rig, server: Server) -> None:
    rig.built("tool")
    rig.released("tool", server, sha256="0" * 64)
    rig.source = "official"
    with pytest.raises(PodnetError, match="forbids building"):
        rig.ensure("tool")
    assert rig.calls == 0


def _truncated(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    handler.wfile.write(b"half of it")


def _trickle(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    for _ in range(600):
        try:
            handler.wfile.write(b"x")
        except OSError:
            return
        time.sleep(0.1)


def _silent(_: BaseHTTPRequestHandler) -> None:
    time.sleep(30)


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        (_truncated, "it ended after 10 of 100000 bytes"),
        (_trickle, "too slow"),
        (_silent, "the server stopped answering"),
        (lambda handler: handler.send_error(404), "the server says 404"),
    ],
    ids=["truncated", "trickle", "silent", "404"],
)
def test_a_bad_download_costs_seconds_and_leads_to_a_build(
    rig: Rig,
    server: Server,
    behaviour: Callable[[BaseHTTPRequestHandler], None],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rig.built("tool")
    server.behaviours[rig.released("tool", server)] = behaviour
    start = time.monotonic()
    assert says(rig.ensure("tool").bin("tool")) == "built"
    assert time.monotonic() - start < 8
    assert said in capsys.readouterr().err
    assert rig.left_over() == []


def test_an_archive_without_the_binary_is_refused(rig: Rig, server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    rig.released("tool", server, body=archive({"tool-1.0.0/other": b"x", "../tool": b"x"}))
    with pytest.raises(PodnetError, match="cannot be built"):
        rig.ensure("tool")
    assert "lacks tool-1.0.0/tool" in capsys.readouterr().err
    assert rig.places("tool") == []


def test_a_host_that_accepts_and_never_answers_is_given_up_within_seconds(
    rig: Rig, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one", "two"):
        rig.built(name)
        rig.released(name, server)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        rig.environ["PODNET_MIRROR"] = f"http://127.0.0.1:{silent.getsockname()[1]}"
        start = time.monotonic()
        toolchain = rig.ensure("one", "two")
        assert time.monotonic() - start < 3
    assert says(toolchain.bin("two")) == "built"
    assert capsys.readouterr().err.count("does not answer") == 1


def test_a_host_that_sends_a_byte_now_and_then_counts_as_silent(rig: Rig, server: Server) -> None:
    rig.built("tool")
    rig.released("tool", server)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                for byte in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 40:
                    connection.send(bytes([byte]))
                    time.sleep(0.2)

        threading.Thread(target=drip, daemon=True).start()
        rig.environ["PODNET_MIRROR"] = f"http://127.0.0.1:{listener.getsockname()[1]}"
        start = time.monotonic()
        assert says(rig.ensure("tool").bin("tool")) == "built"
        assert time.monotonic() - start < 5


def test_each_host_is_asked_once_in_a_run(rig: Rig, server: Server) -> None:
    for name in ("one", "two"):
        rig.released(name, server)
    rig.ensure("one", "two")
    assert [request.split()[0] for request in server.asked] == ["HEAD", "GET", "GET"]


def test_a_mirror_of_everything_keeps_host_and_path(rig: Rig, server: Server) -> None:
    path = rig.released("tool", server)
    server.files["/mirror/" + server.url.removeprefix("http://") + path] = server.files.pop(path)
    rig.environ["PODNET_MIRROR"] = f"{server.url}/mirror/"
    assert says(rig.ensure("tool").bin("tool")) == "released"


def test_a_mirror_of_one_project_takes_the_place_of_its_base(rig: Rig, server: Server) -> None:
    path = rig.released("tool", server)
    server.files["/elsewhere/v1.0.0/tool.tar.gz"] = server.files.pop(path)
    rig.environ["PODNET_BASE_TOOL"] = f"{server.url}/elsewhere"
    assert says(rig.ensure("tool").bin("tool")) == "released"


# --- builds -----------------------------------------------------------------------------------------------------


def test_the_second_run_makes_nothing_asks_nobody_and_says_nothing(
    rig: Rig, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    rig.built("tool")
    rig.released("other", server)
    first = rig.ensure("tool", "other")
    calls, asked = rig.calls, len(server.asked)
    capsys.readouterr()
    second = rig.ensure("tool", "other")
    assert (rig.calls, len(server.asked), capsys.readouterr().err) == (calls, asked, "")
    assert calls > 0
    assert second == first


def test_a_changed_recipe_is_made_anew(rig: Rig) -> None:
    rig.built("tool")
    first = rig.ensure("tool")
    (rig.folder / "groups/tool/go.sum").write_text("example.com/x v1.0.0 h1:x=\n")
    second = rig.ensure("tool")
    assert first.bin("tool") != second.bin("tool")
    assert first.path != second.path


def test_a_damaged_artifact_is_made_anew(rig: Rig) -> None:
    rig.built("tool")
    rig.ensure("tool").bin("tool").write_text("")
    assert says(rig.ensure("tool").bin("tool")) == "built"


def test_the_users_own_go_settings_do_not_reach_a_build(rig: Rig) -> None:
    rig.built("tool")
    rig.environ |= {"GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "auto", "GOROOT": "/nowhere", "CGO_ENABLED": "1"}
    rig.ensure("tool")
    lines = (rig.go / "environment").read_text().splitlines()
    found = dict(line.split("=", 1) for line in lines if line.startswith(("GO", "CGO")))
    assert "-mod=readonly" in found["GOFLAGS"]
    assert (found["GOTOOLCHAIN"], found["CGO_ENABLED"], found.get("GOROOT")) == ("local", "0", None)
    assert found["GOMODCACHE"].startswith(str(rig.folder / "cache"))


def test_a_failed_build_shows_what_the_compiler_said_and_where_all_of_it_is(rig: Rig) -> None:
    rig.built("tool")
    (rig.go / "fails").touch()
    with pytest.raises(PodnetError, match="it does not compile") as caught:
        rig.ensure("tool")
    log = rig.store / "logs" / "tool-1.0.0.log"
    assert str(log) in str(caught.value)
    assert "it does not compile" in log.read_text()
    assert rig.places("tool") == []
    assert rig.left_over() == []


def test_a_build_that_needs_a_checksum_nobody_committed_is_refused(rig: Rig) -> None:
    rig.built("tool")
    (rig.go / "unpinned").touch()
    with pytest.raises(PodnetError, match=r"go\.sum does not pin all"):
        rig.ensure("tool")
    assert rig.places("tool") == []
    assert (rig.folder / "groups/tool/go.sum").read_text() == ""


def test_too_small_a_disk_is_told_before_anything_is_built(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.built("tool", cold_gb=16.0)
    real = os.statvfs(rig.folder)
    small = os.statvfs_result((*real[:3], real.f_blocks, 3 * space.GB // real.f_frsize, *real[5:]))
    monkeypatch.setattr(os, "statvfs", lambda _: small)
    with pytest.raises(PodnetError, match=r"needs about 16\.0 GB of disk, and .* has 3\.0 GB free"):
        rig.ensure("tool")
    assert rig.calls == 0


def test_what_the_caches_hold_already_is_not_asked_for_again(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.built("tool", cold_gb=16.0)
    monkeypatch.setattr(space, "free_bytes", lambda _: 3 * space.GB)
    monkeypatch.setattr(space, "used_by", lambda _: 14 * space.GB)
    assert says(rig.ensure("tool").bin("tool")) == "built"


def test_the_caches_are_dropped_when_all_is_made_unless_they_are_to_be_kept(rig: Rig) -> None:
    rig.built("one")
    rig.built("two")
    cache = rig.folder / "cache" / "go"
    cache.mkdir(parents=True)
    rig.ensure("one")
    assert cache.exists()
    settings = rig.settings()
    dropping = Settings(settings.cache, settings.environ, keep_go_cache=False)
    (rig.store / "unrelated").touch()
    shutil.rmtree(rig.places("one")[0])
    ensure(["one"], settings=dropping, catalog=rig.catalog(), limits=LIMITS)
    assert cache.exists(), "two is still to be made"
    ensure(["two"], settings=dropping, catalog=rig.catalog(), limits=LIMITS)
    assert not cache.exists()


@pytest.mark.skipif(shutil.which("go") is None, reason="there is no Go on PATH")
def test_the_real_go_builds_a_program(rig: Rig) -> None:
    rig.built("tool")
    real = Path(shutil.which("go") or "").resolve()
    rig.environ["PATH"] = f"{real.parent}:/usr/bin:/bin"
    tool = rig.ensure("tool").bin("tool")
    done = subprocess.run([tool], capture_output=True, text=True, check=True)
    assert done.stderr == "real\n", "ldflags have set the word"
    assert rig.calls == 0


# --- Go itself --------------------------------------------------------------------------------------------------


def test_go_comes_from_its_release_where_the_one_on_path_is_too_old(rig: Rig, server: Server) -> None:
    rig.built("tool")
    (rig.go / "version").write_text("1.19.8")
    program = FAKE_GO.replace('$(cat "$here/version")', golang.OFFICIAL).encode()
    content = archive({"go/bin/go": program})
    server.files["/dl/go.tar.gz"] = content
    rig.releases["go"] = {"base": f"{server.url}/dl", "path": "go.tar.gz", "tree": True}
    rig.releases["sha256"] = {f"{server.url.removeprefix('http://')}/dl/go.tar.gz": hashlib.sha256(content).hexdigest()}
    about = manifest(rig.ensure("tool").bin("tool").parents[1])
    assert about
    assert about["from"] == f"go{golang.OFFICIAL}"
    assert rig.calls == 0


def test_without_any_go_the_wheel_is_installed_once(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.built("one")
    rig.built("two")
    (rig.go / "go").rename(rig.folder / "not-on-path")
    installs: list[list[str]] = []

    def install(argv: list[str], **_: Any) -> None:
        installs.append(argv)
        program = Path(argv[argv.index("--target") + 1]) / "go/bin/go"
        program.parent.mkdir(parents=True)
        program.write_text(FAKE_GO.replace('$(cat "$here/version")', golang.WHEEL))
        program.chmod(0o755)

    monkeypatch.setattr("toolchain.golang.run_logged", install)
    rig.ensure("one")
    rig.ensure("two")
    assert len(installs) == 1
    assert "--require-hashes" in installs[0]


def test_without_any_way_to_go_the_error_says_what_to_do(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.built("tool")
    (rig.go / "version").write_text("1.19.8")
    monkeypatch.setattr(golang, "WHEEL_SHA256", {})
    with pytest.raises(PodnetError, match=r"needs Go 1\.26 or newer: the one on PATH is 1\.19\.8.*install Go"):
        rig.ensure("tool")


# --- kills and locks --------------------------------------------------------------------------------------------

DRIVER = """
import signal, sys
from pathlib import Path
from toolchain.catalog import Catalog
from toolchain.ensure import ensure
from toolchain.recipes import Artifact, GoBuild
from toolchain.releases import Releases
from toolchain.settings import Settings
signal.signal(signal.SIGINT, signal.default_int_handler)  # A background job of a shell begins with it ignored.
folder, path = sys.argv[1:]
step = GoBuild("tool", (".",), "-s -w -X main.word=real", output="tool")
artifact = Artifact("tool", "1.0.0", ("tool",), (step,), on_path=("tool",))
catalog = Catalog({"tool": artifact}, Releases({}, "amd64", {}), Path(folder) / "groups")
settings = Settings(Path(folder) / "cache", {"PATH": path, "HOME": folder}, keep_go_cache=True)
print(ensure(["tool"], settings=settings, catalog=catalog).bin("tool"))
"""


def start_other_run(rig: Rig) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(rig.folder), f"{rig.go}:/usr/bin:/bin"],
        env={"PYTHONPATH": str(CHECKOUT), "PATH": "/usr/bin:/bin", "HOME": str(rig.folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def start_slow_run(rig: Rig) -> subprocess.Popen[str]:
    rig.built("tool")
    (rig.go / "slow").touch()
    run = start_other_run(rig)
    wait_for((rig.go / "started").exists, "the build to begin")
    return run


def sleeper_of(rig: Rig) -> int:
    return int((rig.go / "child").read_text())


def test_after_kill_9_in_the_middle_of_a_build_the_next_run_is_right(rig: Rig) -> None:
    run = start_slow_run(rig)
    sleeper = sleeper_of(rig)
    try:
        run.kill()
        run.communicate()
        compiler = int((rig.go / "started").read_text())
        wait_for(lambda: not is_alive(compiler), "the compiler to end with its parent")
        assert rig.left_over() != [], "the kill must have come in the middle"
        assert rig.places("tool") == []
        (rig.go / "slow").unlink()
        assert says(rig.ensure("tool").bin("tool")) == "built"
        assert rig.left_over() == []
        assert len(rig.places("tool")) == 1
    finally:
        if is_alive(sleeper):
            os.kill(sleeper, signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_what_it_started_and_tidies_up(rig: Rig, number: signal.Signals) -> None:
    run = start_slow_run(rig)
    sleeper = sleeper_of(rig)
    run.send_signal(number)
    run.communicate(timeout=15)
    assert run.returncode != 0
    wait_for(lambda: not is_alive(sleeper), "the whole process group to end")
    assert rig.left_over() == []
    (rig.go / "slow").unlink()
    assert says(rig.ensure("tool").bin("tool")) == "built"


def test_two_runs_at_once_make_a_thing_once(rig: Rig) -> None:
    first = start_slow_run(rig)
    second = start_other_run(rig)
    assert second.stderr
    said = second.stderr.readline()
    assert f"another podnet (process {first.pid}) is making the toolchain; waiting" in said
    os.kill(sleeper_of(rig), signal.SIGKILL)
    (rig.go / "slow").unlink()
    outputs = [each.communicate(timeout=20)[0] for each in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0)
    assert outputs[0] == outputs[1] != ""
    assert rig.calls == 1


# --- pins and the command line ----------------------------------------------------------------------------------


def test_pin_records_what_is_missing_and_compares_what_is_there(rig: Rig, server: Server) -> None:
    server.files["/v1.0.0/tool"] = b"content"
    file = rig.folder / "releases.toml"
    file.write_text(f'[tool]\nbase = "{server.url}"\npath = "v{{version}}/{{file}}"\nfiles = ["tool"]\n\n[sha256]')
    rig.artifacts["tool"] = Artifact("tool", "1.0.0", ("tool",))

    def run() -> list[str]:
        catalog = Catalog(rig.artifacts, load("amd64", {}, file), rig.folder)
        return pin("tool", catalog, LIMITS, file)

    digest = hashlib.sha256(b"content").hexdigest()
    assert len(run()) == 1
    assert load("amd64", {}, file).pinned("tool", "1.0.0")[0].sha256 == digest
    assert run() == []
    server.files["/v1.0.0/tool"] = b"another"
    with pytest.raises(PodnetError, match="is not the file that was pinned"):
        run()
    assert load("amd64", {}, file).pinned("tool", "1.0.0")[0].sha256 == digest


def command(rig: Rig, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": "/usr/bin:/bin", "HOME": str(rig.folder), "PYTHONPATH": str(CHECKOUT), **environ}
    argv = [sys.executable, "-m", "toolchain", *arguments]
    return subprocess.run(argv, capture_output=True, text=True, check=False, env=env, cwd=rig.folder)


def test_a_mistake_on_the_command_line_is_one_sentence(rig: Rig) -> None:
    done = command(rig, "--only", "kubelte")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("podnet: the toolchain has no 'kubelte'; it has cni, containerd,")
    assert done.stderr.count("\n") == 1


def test_a_cache_that_cannot_be_written_is_one_sentence(rig: Rig) -> None:
    (rig.folder / "file").touch()
    done = command(rig, "--only", "cni", PODNET_CACHE=str(rig.folder / "file"))
    assert done.returncode == 2
    assert done.stderr.startswith("podnet: the toolchain cannot be made:")
    assert "Traceback" not in done.stderr


def test_list_names_everything_and_makes_nothing(rig: Rig) -> None:
    done = command(rig, "list")
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()][-3:] == ["pulumi-kubernetes", "e2e", "actionlint"]
    assert not (rig.folder / ".cache").exists()


def test_a_file_changed_behind_our_back_is_found(rig: Rig) -> None:
    rig.built("tool")
    tool = rig.ensure("tool").bin("tool")
    assert damaged_files(rig.places("tool")[0]) == []
    tool.write_text(tool.read_text().replace("built", "wrong"))
    assert damaged_files(rig.places("tool")[0]) == ["bin/tool"]
    assert json.loads((rig.places("tool")[0] / "manifest.json").read_text())["version"] == "1.0.0"
