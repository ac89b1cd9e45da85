"""The one Vagrantfile, validated by Vagrant itself for each provider that may be chosen."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from podnet import config, scripts
from podnet.commands import vagrant
from podnet.model import MachineProvider

ROOT = Path(__file__).parents[2]

PROVIDERS = [MachineProvider.LXC, MachineProvider.VIRTUALBOX, MachineProvider.LIBVIRT]


@pytest.fixture(params=PROVIDERS)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Lay out a stack's folder as podnet-host does, for a provider."""
    if shutil.which("vagrant") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("there is no vagrant, and in CI its tests are not skipped")
        pytest.skip("there is no vagrant")
    cluster = replace(config.from_stack_file(ROOT / "Pulumi.dev.yaml"), provider=request.param)
    (tmp_path / "machines.json").write_text(vagrant.machines(cluster).replace("@BOX@", "podnet-box"))
    (tmp_path / "Vagrantfile").write_text(scripts.text("Vagrantfile"))
    (tmp_path / "id_ed25519").touch()
    for node in cluster.nodes:
        (tmp_path / "machines" / node.name).mkdir(parents=True)
    # Vagrant wants to see VirtualBox, which cannot be installed here, before it reads what is said of it.
    program = tmp_path / "bin" / "VBoxManage"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 7.0.20r163906\n")
    program.chmod(0o755)
    return tmp_path


def validate(folder: Path) -> subprocess.CompletedProcess[str]:
    provider = vagrant_provider(folder)
    environ = {
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "HOME": str(folder),
        "VAGRANT_HOME": str(folder / "home"),
        "VAGRANT_CWD": str(folder),
        "VAGRANT_DEFAULT_PROVIDER": provider,
    }
    return subprocess.run(["vagrant", "validate"], env=environ, text=True, capture_output=True, check=False)


def vagrant_provider(folder: Path) -> str:
    text = (folder / "machines.json").read_text()
    return next(provider for provider in PROVIDERS if f'"provider": "{provider}"' in text)


def test_vagrant_takes_it(folder: Path) -> None:
    done = validate(folder)
    assert done.returncode == 0, done.stderr
    assert "validated successfully" in done.stdout


def test_vagrant_would_say_what_is_wrong(folder: Path) -> None:
    """The validation reads the part of the chosen provider: a setting that it does not have is refused."""
    file = folder / "Vagrantfile"
    provider = vagrant_provider(folder)
    setting = {"lxc": "container_name", "virtualbox": "memory", "libvirt": "memory"}[provider]
    assert file.read_text().count(f"{provider}.{setting} =") == 1
    file.write_text(file.read_text().replace(f"{provider}.{setting} =", f"{provider}.{setting}z ="))
    done = validate(folder)
    assert done.returncode != 0
    assert f"{setting}z" in done.stderr + done.stdout
