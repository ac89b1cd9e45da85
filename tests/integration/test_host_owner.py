"""Two state folders, one host: what belongs to one is never touched by the other."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from .host import BRIDGE, CONFIG, DOWN, PODNET_HOST, ROOT, UP, Host, User, a_host

MACHINES = {"provider": "lxc", "bridge": BRIDGE, "gateway": "10.213.7.1", "prefix_length": 24, "machines": []}
MACHINE_UP = ("machine-up", "unit", "node1")
MACHINE_DOWN = ("machine-down", "unit", "node1", "lxc", "podnet-unit-node1")


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with a_host(tmp_path) as made:
        made.program("vagrant", f'echo "$@" >> {tmp_path}/vagrant')
        yield made


@pytest.fixture
def alice(host: Host) -> User:
    """Somebody whose stack is up, in a folder that a link leads to."""
    user = host.user("alice")
    (user.stacks.parent / "link").symlink_to(user.stacks)
    user("folder-up", "unit", "1", stdin=json.dumps(MACHINES))
    user(*UP)
    user.container("node1")
    return user


@pytest.fixture
def bob(host: Host, alice: User) -> User:  # noqa: ARG001  # she was there first
    """Somebody who chose the same name for a stack."""
    user = host.user("bob")
    user("folder-up", "unit", "1", stdin=json.dumps(MACHINES))
    return user


def described(node: str, address: str) -> str:
    """A machine of the stack unit."""
    return json.dumps({"name": node, "container": f"podnet-unit-{node}", "address": address})


def there(host: Host) -> str:
    return host.sh(f"cat /var/lib/lxc/podnet-unit-node1/config; ip -oneline address show dev {BRIDGE}")


def vagrant(host: Host) -> str:
    file = host.folder / "vagrant"
    return file.read_text() if file.exists() else ""


@pytest.mark.parametrize("marked", [True, False], ids=["marked", "from before there were marks"])
@pytest.mark.parametrize("words", [("check", BRIDGE), UP, MACHINE_UP], ids=["check", "network-up", "machine-up"])
def test_what_another_has_is_refused_with_whose_it_is(
    host: Host, alice: User, bob: User, words: tuple[str, ...], marked: bool
) -> None:
    if not marked:
        host.sh("rm -r /var/lib/podnet-host")
    before = there(host)
    done = bob(*words, check=False, stdin=described("node1", "10.213.7.2"))
    assert done.returncode == 1
    assert f"belongs to root, whose stacks are in {alice.stacks}" in done.stderr or (
        words is MACHINE_UP and f"was made for another stack, in {alice.stacks}/unit" in done.stderr
    )
    assert there(host) == before
    assert vagrant(host) == ""


def test_a_down_takes_only_what_is_ones_own(host: Host, alice: User, bob: User) -> None:
    before = there(host)
    for words in (MACHINE_DOWN, DOWN, ("folder-down", "unit")):
        assert str(alice.stacks) in bob(*words).stderr
        assert there(host) == before
    assert vagrant(host) == ""
    assert not list((bob.stacks / "unit").iterdir())
    # And its owner's takes it all away.
    for words in (MACHINE_DOWN, DOWN, ("folder-down", "unit")):
        alice(*words)
    assert host.sh("ls -d /var/lib/* /var/lib/lxc/*; ip -brief link show type bridge", check=False) == "/var/lib/lxc\n"


def test_a_link_to_the_same_folder_is_the_same_owner(host: Host, alice: User) -> None:
    before = there(host)
    environ = alice.environ | {"PODNET_STACKS": str(alice.stacks.parent / "link")}
    host.run(*PODNET_HOST, *UP, environ=environ)
    assert there(host) == before


def test_another_stacks_container_of_the_same_name_stays(host: Host, alice: User) -> None:
    """The node b-node1 of a stack, and the node node1 of the stack unit-b: podnet-unit-b-node1."""
    alice.container("node1", "unit-b")
    done = alice("machine-up", "unit", "b-node1", check=False, stdin=described("b-node1", "10.213.7.3"))
    assert done.returncode == 1
    assert f"was made for another stack, in {alice.stacks}/unit-b" in done.stderr
    assert host.sh("ls /var/lib/lxc").split() == ["podnet-unit-b-node1", "podnet-unit-node1"]


def test_a_container_that_was_started_again_is_still_ones_own(host: Host, alice: User) -> None:
    """Vagrant writes its settings once more at every start, and takes none away."""
    text = CONFIG.format(name="podnet-unit-node1", bridge=BRIDGE, folder=alice.stacks / "unit", node="node1")
    host.container("podnet-unit-node1", text * 3)
    alice(*MACHINE_DOWN)
    assert host.sh("ls /var/lib/lxc") == ""


def test_what_a_killed_run_left_is_ones_own(host: Host, alice: User) -> None:
    """A container that never started says nothing of whom it was made for."""
    host.container("podnet-unit-node1", "lxc.uts.name = podnet-unit-node1\n")
    alice(*MACHINE_DOWN)
    assert host.sh("ls /var/lib/lxc") == ""


def machines(*names: str) -> str:
    listed = [{"name": name} for name in names]
    return json.dumps({**MACHINES, "machines": listed}, indent=2)


def up(user: User, node: str, address: str, *, check: bool = True) -> str:
    user("key-up", "unit")
    return user("machine-up", "unit", node, check=check, stdin=described(node, address)).stderr


def test_an_address_that_another_machine_has_is_refused(host: Host, alice: User) -> None:
    up(alice, "node2", "10.213.7.12")
    before = vagrant(host)
    said = up(alice, "node9", "10.213.7.12", check=False)
    assert said.strip().splitlines()[-1].startswith("10.213.7.12 is still the address of node2")
    assert vagrant(host) == before
    assert not (alice.stacks / "unit/machines/node9").exists()
    up(alice, "node9", "10.213.7.1")
    up(alice, "node2", "10.213.7.12")


def test_what_failed_goes_when_it_is_not_to_be_any_more(host: Host, alice: User) -> None:
    """It is in no state, so nobody else takes it away; what was finished is the engine's to delete."""
    up(alice, "node2", "10.213.7.12")
    host.program("vagrant", "exit 1")
    up(alice, "node9", "10.213.7.19", check=False)
    host.container("podnet-unit-node9", "lxc.uts.name = podnet-unit-node9\n")
    host.program("vagrant", f'echo "$@" >> {host.folder}/vagrant')
    alice("folder-up", "unit", "1", stdin=machines("node2", "node9"))
    assert (alice.stacks / "unit/machines/node9").exists()
    alice("folder-up", "unit", "1", stdin=machines("node1"))
    assert [path.name for path in (alice.stacks / "unit/machines").iterdir() if path.is_dir()] == ["node2"]
    assert "podnet-unit-node9" not in host.sh("ls /var/lib/lxc")


def test_a_network_that_failed_goes_with_the_folder(host: Host, alice: User) -> None:
    host.sh("rm -r /var/lib/lxc/*")
    host.program("ip", 'case "$*" in "link add"*) exit 1 ;; *) exec /usr/sbin/ip "$@" ;; esac')
    host.sh(f"/usr/sbin/ip link delete {BRIDGE}")
    assert alice(*UP, check=False).returncode
    alice("folder-down", "unit")
    assert host.sh("ls /var/lib") == "lxc\n"


@pytest.mark.parametrize("marked", [True, False], ids=["marked", "from before there were marks"])
def test_a_stack_whose_folder_is_gone_can_be_cleared(host: Host, alice: User, bob: User, marked: bool) -> None:
    assert "take it down there" in bob("clear", BRIDGE, check=False).stderr
    other = CONFIG.format(name="podnet-x-y", bridge="podnet-x", folder=bob.stacks / "x", node="y")
    host.container("podnet-x-y", other)
    shutil.rmtree(alice.stacks)
    if not marked:
        host.sh("rm -r /var/lib/podnet-host")
    done = bob(*UP, check=False)
    assert done.returncode == 1
    clear = f"{ROOT}/podnet/scripts/podnet-host clear {BRIDGE}"
    assert f"whose folder {alice.stacks} is gone" in done.stderr
    assert f"sudo {clear}" in done.stderr
    host.sh(clear)
    assert host.sh("ls /var/lib/lxc; ip -brief link show type bridge") == "podnet-x-y\n"
    bob(*UP)
