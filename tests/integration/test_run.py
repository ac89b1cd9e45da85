"""toolchain/run: the real script, in a checkout of its own, with a package that the test makes and no index at all."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]


class Checkout:
    """A checkout with toolchain/run, a lock and a folder of wheels. uv is the one that these tests run with."""

    def __init__(self, folder: Path) -> None:
        self.root, self.wheels = folder / "checkout", folder / "wheels"
        (self.root / "toolchain").mkdir(parents=True)
        self.wheels.mkdir()
        for name in ("run", "uv.lock"):
            shutil.copy(ROOT / "toolchain" / name, self.root / "toolchain" / name)
        self._environ = {
            **os.environ,
            "PODNET_CACHE": str(folder / "cache"),
            "UV_NO_INDEX": "1",
            "UV_FIND_LINKS": str(self.wheels),
        }

    def wheel(self, name: str, needs: str = "") -> str:
        """Make a package; the SHA-256 of its file."""
        path = self.wheels / f"{name}-1.0-py3-none-any.whl"
        told = f"{name}-1.0.dist-info"
        with ZipFile(path, "w") as file:
            file.writestr(f"{name}.py", f"print('{name} is here')\n")
            file.writestr(f"{told}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{needs}")
            file.writestr(f"{told}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            file.writestr(f"{told}/RECORD", "")
        return hashlib.sha256(path.read_bytes()).hexdigest()

    def lock(self, text: str, name: str = "requirements.lock") -> None:
        (self.root / name).write_text(text)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [str(self.root / "toolchain" / "run"), *words]
        return subprocess.run(command, env=self._environ, text=True, capture_output=True, check=False)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_what_is_locked_is_installed_and_another_lock_makes_another_environment(checkout: Checkout) -> None:
    locked = f"one==1.0 --hash=sha256:{checkout.wheel('one')}\n"
    checkout.lock(locked)
    checkout.lock(f"# for the tests\n{locked}", "requirements-dev.lock")
    done = checkout.run("python", "-m", "one")
    assert (done.returncode, done.stdout) == (0, "one is here\n"), done.stderr
    assert checkout.run("python", "-m", "one").stderr == ""
    assert "Python packages" in checkout.run("--dev", "python", "-m", "one").stderr
    checkout.lock("# nothing is locked\n")
    done = checkout.run("python", "-m", "one")
    assert (done.returncode, "No module named one" in done.stderr) == (1, True), done.stderr


def test_a_file_with_other_bytes_is_refused(checkout: Checkout) -> None:
    checkout.wheel("one")
    checkout.lock(f"one==1.0 --hash=sha256:{'0' * 64}\n")
    done = checkout.run("python", "-m", "one")
    assert done.returncode
    assert "Hash mismatch for `one==1.0`" in done.stderr


def test_a_package_without_a_checksum_is_refused(checkout: Checkout) -> None:
    checkout.wheel("one")
    checkout.lock("one==1.0\n")
    done = checkout.run("python", "-m", "one")
    assert done.returncode
    said = " ".join(done.stderr.split())  # uv breaks its lines for the terminal
    assert "all requirements must have a hash, but none were provided for: one==1.0" in said


def test_a_package_that_another_one_brings_along_is_refused(checkout: Checkout) -> None:
    checksum = checkout.wheel("one", "Requires-Dist: two\n")
    checkout.wheel("two")
    checkout.lock(f"one==1.0 --hash=sha256:{checksum}\n")
    done = checkout.run("python", "-m", "one")
    assert done.returncode
    assert "no trusted hash was provided for: `two`" in done.stderr
