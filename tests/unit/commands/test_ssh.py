"""The stack's ssh_config: golden files, and what ssh(1) itself makes of them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from podnet import config
from podnet.commands import ssh
from tests.conftest import Golden

ROOT = Path(__file__).parents[3]
MADE = config.from_stack_file(ROOT / "Pulumi.dev.yaml")
EXISTING = config.from_stack_file(ROOT / "examples" / "Pulumi.existing.yaml")


def test_machines_of_podnets(golden: Golden) -> None:
    golden("ssh/made.conf", ssh.config(MADE))


def test_existing_hosts(golden: Golden) -> None:
    golden("ssh/existing.conf", ssh.config(EXISTING))
    golden("ssh/known_hosts", ssh.pinned(EXISTING))


def settings(file: Path, host: str) -> dict[str, str]:
    """Give what ssh would do for a host."""
    done = subprocess.run(["ssh", "-F", str(file), "-G", host], text=True, capture_output=True, check=True)
    return dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "ssh_config"
    path.write_text(ssh.config(EXISTING).replace(ssh.FOLDER, str(tmp_path)))
    (tmp_path / "known_hosts").write_text(ssh.pinned(EXISTING))
    return path


def test_ssh_trusts_the_pinned_key_alone(file: Path) -> None:
    for host in ("master", "node1", "node1.bastion"):
        found = settings(file, host)
        assert found["stricthostkeychecking"] == "true"
        assert found["userknownhostsfile"] == str(file.parent / "known_hosts")
        assert found["globalknownhostsfile"] == "none"
        assert found["hostkeyalias"] == host
        assert found["hostkeyalgorithms"] == "ssh-ed25519"
        command = ["ssh-keygen", "-F", host, "-f", str(file.parent / "known_hosts")]
        assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_ssh_uses_the_key_file_or_the_agent_but_not_both(file: Path) -> None:
    by_file, by_agent = settings(file, "master"), settings(file, "node1")
    assert by_file["identityfile"].endswith("/.ssh/id_ed25519")
    assert (by_file["identitiesonly"], by_file["identityagent"]) == ("yes", "none")
    assert (by_agent["identityfile"], by_agent["identitiesonly"]) == ("none", "no")
    assert by_agent.get("identityagent") is None


def test_ssh_goes_through_the_bastion(file: Path) -> None:
    found = settings(file, "node1")
    assert (found["hostname"], found["port"], found["user"]) == ("node1.internal", "2222", "admin")
    assert found["proxyjump"] == "node1.bastion"
    assert settings(file, "node1.bastion")["hostname"] == "bastion.example.org"
    assert "proxyjump" not in settings(file, "master")
