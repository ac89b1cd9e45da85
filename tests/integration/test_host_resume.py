"""After a reboot of the host: what podnet.host finds gone or stopped, and brings back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from .host import BRIDGE, GATEWAY, UP, Host, User, a_host

MACHINES = {"provider": "lxc", "bridge": BRIDGE, "gateway": GATEWAY, "prefix_length": 24, "machines": []}


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with a_host(tmp_path) as made:
        made.program("vagrant", f'echo "$@" >> {tmp_path}/called; [ "$4" != broken ]')
        yield made


@pytest.fixture
def user(host: Host) -> User:
    """Somebody whose two boxes were made, and of a third only its keys; LXC says that they are stopped."""
    user = host.user("alice")
    user("folder-up", "unit", "1", stdin=json.dumps(MACHINES))
    for node in ("node1", "node2", "half"):
        kept = user.stacks / "unit/machines" / node
        kept.mkdir(parents=True)
        (kept / "machine.json").write_text(json.dumps({"name": node, "container": f"podnet-unit-{node}"}))
    for node in ("node1", "node2"):
        made(user, node)
    return user


def made(user: User, node: str) -> None:
    number = user.stacks / f"unit/.vagrant/machines/{node}/lxc/id"
    number.parent.mkdir(parents=True)
    number.write_text(user.container(node))


def called(host: Host) -> list[str]:
    file = host.folder / "called"
    return sorted(file.read_text().splitlines()) if file.exists() else []


def test_what_stands_still_is_named(host: Host, user: User) -> None:
    assert user("stopped", "unit").stdout.split() == ["node1", "node2"]
    host.sh("rm -r /var/lib/lxc/podnet-unit-node2")  # lost, which starting does not help
    assert user("stopped", "unit").stdout.split() == ["node1"]
    assert user("stopped", "other").stdout == ""
    assert [path.name for path in user.stacks.iterdir()] == ["unit"]


def test_network_and_machines_come_back(host: Host, user: User) -> None:
    user(*UP)
    before = host.sh(f"ip -oneline -4 address show dev {BRIDGE}").split(maxsplit=1)[1]
    host.sh(f"ip link delete {BRIDGE}; rm -r /run/podnet-host; echo 128 > /proc/sys/fs/inotify/max_user_instances")
    user("resume", "unit", "node1", "node2")
    assert host.sh(f"ip -oneline -4 address show dev {BRIDGE}").split(maxsplit=1)[1] == before
    assert host.setting("fs/inotify/max_user_instances") == "4096"
    assert called(host) == ["up --provider lxc node1", "up --provider lxc node2"]


def test_a_machine_that_does_not_start_is_named(host: Host, user: User) -> None:
    made(user, "broken")
    done = user("resume", "unit", "node1", "broken", check=False)
    assert done.returncode == 1
    assert "the machine of broken does not start; make up REPLACE=broken recreates it" in done.stderr
    assert "up --provider lxc node1" in called(host)


def test_where_nothing_was_made_nothing_is_brought_back(host: Host, user: User) -> None:
    user("resume", "other")
    assert host.sh("ip -brief link show type bridge") == ""


def test_halt_stops_what_runs_and_is_ones_own(host: Host, user: User) -> None:
    host.program("lxc-info", "echo RUNNING")
    host.program("lxc-stop", f'echo stop "$@" >> {host.folder}/called')
    user("halt", "unit")
    assert called(host) == ["stop --name podnet-unit-node1", "stop --name podnet-unit-node2"]
    bob = host.user("bob")
    bob("folder-up", "unit", "1", stdin=json.dumps(MACHINES))
    number = bob.stacks / "unit/.vagrant/machines/node1/lxc/id"
    number.parent.mkdir(parents=True)
    number.write_text("podnet-unit-node1")
    done = bob("halt", "unit", check=False)
    assert done.returncode == 1
    assert str(user.stacks) in done.stderr
    assert len(called(host)) == 2
