"""The entry, run as the commands of a deployment run it, in folders of the test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from podnet.commands.shell import on_host
from podnet.errors import PodnetError
from podnet.host import guest
from podnet.host.locks import locked

ROOT = Path(__file__).parents[3]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """What make env says, as far as it is needed."""
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "PODNET_ROOT": str(ROOT),
        "PODNET_PYTHON": sys.executable,
        "PODNET_STACKS": str(tmp_path / "stacks"),
    }


def run(
    environ: dict[str, str], *words: str, stdin: str = "", line: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command line as the engine does, from a folder with a module that is in nobody's way."""
    return subprocess.run(
        ["sh", "-c", line or on_host(*words)],
        env=environ,
        cwd=environ["HOME"],
        text=True,
        input=stdin,
        capture_output=True,
        check=False,
    )


def test_a_key_pair_is_made_once_and_goes_with_the_folder(environ: dict[str, str], tmp_path: Path) -> None:
    first = run(environ, "key-up", "unit")
    assert first.stdout.startswith("-----BEGIN OPENSSH PRIVATE KEY-----")
    assert first.stderr == ""
    assert run(environ, "key-up", "unit").stdout == first.stdout
    folder = tmp_path / "stacks/unit"
    assert {path.name: oct(path.stat().st_mode & 0o077) for path in folder.iterdir()} == {
        "id_ed25519": "0o0",
        "id_ed25519.pub": "0o0",
    }
    assert run(environ, "key-down", "unit").returncode == 0
    assert not folder.exists()


def test_a_file_knows_its_folder_and_goes_with_what_lies_beside_it(environ: dict[str, str], tmp_path: Path) -> None:
    run(environ, "file-up", "unit", "ssh_config", stdin="IdentityFile @FOLDER@/id\n@FOLDER@\n")
    file = tmp_path / "stacks/unit/ssh_config"
    assert file.read_text() == f"IdentityFile {file.parent}/id\n{file.parent}\n"
    (file.parent / "report.json").touch()
    (file.parent / "admin.conf").touch()
    run(environ, "file-down", "unit", "ssh_config", "report.json", "network.svg")
    assert [path.name for path in file.parent.iterdir()] == ["admin.conf"]


def test_a_kubeconfig_is_kept_for_its_user_alone(environ: dict[str, str], tmp_path: Path) -> None:
    done = run(environ, "kubeconfig", "unit", stdin="token: s3cret\n")
    path = tmp_path / "stacks/unit/admin.conf"
    assert (done.stdout, done.stderr) == (f"{path}\n", "")
    assert path.stat().st_mode & 0o777 == 0o600
    run(environ, "kubeconfig-down", "unit")
    assert not path.exists()


def test_a_login_key_is_read_where_the_config_says(environ: dict[str, str], tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "id"], check=True)
    assert run(environ, "login-key", "~/id").stdout == (tmp_path / "id").read_text()


@pytest.mark.parametrize(
    ("name", "passphrase", "error"),
    [
        ("~/none", None, "the key file ~/none cannot be read on this machine\n"),
        ("~/id.pub", "", "the key file ~/id.pub is no private key, or it is encrypted: "),
        ("~/id", "a passphrase", "the key file ~/id is no private key, or it is encrypted: "),
    ],
)
def test_a_login_key_that_opens_nothing_is_refused(
    environ: dict[str, str], tmp_path: Path, name: str, passphrase: str | None, error: str
) -> None:
    if passphrase is not None:
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", tmp_path / "id"], check=True)
    done = run(environ, "login-key", name)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(error)


@pytest.mark.parametrize("name", ["PODNET_ROOT", "PODNET_STACKS"])
def test_a_variable_that_is_not_set_is_named(environ: dict[str, str], name: str) -> None:
    del environ[name]
    done = run(environ, "key-up", "unit")
    assert done.returncode
    assert f"{name}" in done.stderr
    assert "make up" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["fly"], "there is no subcommand 'fly'; there are check, clear, network-up,"),
        (["key-up"], "key-up: missing a required argument: 'stack'"),
        (["key-up", "one", "two"], "key-up: too many positional arguments"),
    ],
)
def test_a_wrong_line_is_said(environ: dict[str, str], words: list[str], error: str) -> None:
    done = run(environ, *words)
    assert done.returncode == 2
    assert done.stderr.startswith(error)


def test_a_full_disk_is_no_traceback(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "stacks").write_text("a file where there should be a folder")
    done = run(environ, "kubeconfig", "unit")
    assert (done.returncode, done.stderr) == (1, f"{tmp_path}/stacks/unit: Not a directory\n")


@pytest.mark.parametrize("python", [sys.executable, None], ids=["with make env", "with nothing"])
def test_the_script_of_earlier_states_still_works(environ: dict[str, str], tmp_path: Path, python: str | None) -> None:
    """A state of before has delete lines that name it, and a person without an environment calls it."""
    run(environ, "kubeconfig", "unit", stdin="x")
    environ.pop("PODNET_PYTHON")
    environ |= {"PODNET_PYTHON": python} if python else {}
    done = run(environ, line='"$PODNET_ROOT"/podnet/scripts/podnet-host kubeconfig-down unit')
    assert (done.returncode, done.stderr) == (0, "")
    assert not (tmp_path / "stacks/unit/admin.conf").exists()


def test_it_starts_without_what_is_not_pythons_own() -> None:
    """So that any Python undoes what was done, and because a deployment starts it some twenty times."""
    text = "import sys; sys.path.append(sys.argv[1]); import podnet.host.__main__; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", text, str(ROOT)], text=True, capture_output=True, check=True
    )
    assert "podnet.host.machines" in done.stdout
    assert not {"asyncio", "logging", "argparse", "importlib.metadata"} & set(done.stdout.split())


def test_a_lock_is_waited_for_and_given_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (
        locked(tmp_path / "lock", seconds=0, busy="busy"),
        pytest.raises(PodnetError, match="busy"),
        locked(tmp_path / "lock", seconds=0.1, busy="busy", waiting="waiting"),
    ):
        pass
    assert capsys.readouterr().err == "waiting\n"
    with locked(tmp_path / "lock", seconds=0, busy="busy"):
        pass


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("search x\nnameserver 127.0.0.53\nnameserver 192.0.2.1\n", ["nameserver 192.0.2.1"]),
        ("nameserver ::1\nnameserver\t127.0.0.1\n# nameserver 192.0.2.1\n", []),
    ],
)
def test_a_machine_is_told_nameservers_that_it_can_reach(tmp_path: Path, text: str, lines: list[str]) -> None:
    (tmp_path / "resolv.conf").write_text(text)
    assert guest.nameservers(tmp_path / "resolv.conf") == lines
    assert guest.nameservers(tmp_path / "none") == []
