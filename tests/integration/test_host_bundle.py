"""The node bundle on its way: not to a node whose cluster it would leave half changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .host import Host, User, a_host

WORDS = ("bundle", "unit", "node1", "1.37.2")


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with a_host(tmp_path) as made:
        yield made


@pytest.fixture
def user(host: Host) -> User:
    (host.folder / "bundle").mkdir()
    (host.folder / "bundle" / "checksum").write_text("new\n")
    (host.folder / "bundle.tar").touch()
    return host.user("alice")


def node(host: Host, has: str, runs: str) -> Path:
    """A node that has a bundle and runs a kubelet; the file says what reached it beside questions."""
    reached = host.folder / "reached"
    host.program(
        "ssh",
        f"""case "$*" in
            *'cat /var/lib/podnet/bundle'*) echo '{has}' ;;
            *'kubelet --version'*) echo '{runs}' ;;
            *) echo "$*" >> {reached}; cat > /dev/null ;;
        esac""",
    )
    return reached


@pytest.mark.parametrize("runs", ["", "Kubernetes v1.37.2"], ids=["new", "the same version"])
def test_a_node_gets_it(host: Host, user: User, runs: str) -> None:
    reached = node(host, "old", runs)
    assert user(*WORDS).stdout == "new\n"
    assert "tar --extract" in reached.read_text()


def test_a_node_of_a_cluster_of_another_version_stays_as_it_is(host: Host, user: User) -> None:
    reached = node(host, "old", "Kubernetes v1.36.3")
    done = user(*WORDS, check=False)
    assert done.returncode == 1
    assert "node1 is part of a cluster that runs Kubernetes v1.36.3, and this podnet brings 1.37.2" in done.stderr
    assert not reached.exists()


def test_a_node_that_has_it_is_asked_nothing_more(host: Host, user: User) -> None:
    reached = node(host, "new", "Kubernetes v1.36.3")
    assert user(*WORDS).stdout == "new\n"
    assert not reached.exists()
