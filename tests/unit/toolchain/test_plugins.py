"""Where Pulumi's plugins are put, and which command provider is chosen."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from podnet.errors import PodnetError
from toolchain import catalog as catalogs
from toolchain.catalog import Catalog
from toolchain.plugins import Plugins, install_plugins
from toolchain.settings import Settings
from toolchain.store import Store

COMMAND = "plugins/resource-command-v1.2.1/pulumi-resource-command"
KUBERNETES = "plugins/resource-kubernetes-v4.25.0/pulumi-resource-kubernetes"


class Setup:
    """A store with what a test puts there, a user's home, and a Pulumi home to lay out."""

    def __init__(self, folder: Path) -> None:
        self.user = folder / "user"
        self.pulumi_home = folder / "pulumi home"
        self.settings = Settings(folder / "cache", {"HOME": str(self.user)})
        self.catalog: Catalog = catalogs.default(self.settings)

    def ready(self, artifact: str, source: str = "official") -> Path:
        entry, store = self.catalog.artifacts[artifact], Store(self.settings.toolchain)
        place = self.catalog.places(entry, store, self.settings)[source]
        store.root.mkdir(parents=True, exist_ok=True)
        with store.work() as work:
            program = work / "made" / "bin" / entry.binaries[0]
            program.parent.mkdir(parents=True)
            program.write_text(f"{artifact} {source}")
            store.publish(work / "made", place, {"source": source})
        return place / "bin" / entry.binaries[0]

    def users_own(self, home: Path) -> Path:
        path = home / COMMAND
        path.parent.mkdir(parents=True)
        path.write_text("the user's")
        path.chmod(0o755)
        return path

    def install(self) -> Plugins:
        return install_plugins(self.pulumi_home, settings=self.settings, catalog=self.catalog)


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    made = Setup(tmp_path)
    made.ready("pulumi-kubernetes", "build")
    made.ready("pulumi-command", "build")
    return made


@contextmanager
def unchanged(folder: Path) -> Iterator[None]:
    before = {path: path.lstat().st_ino for path in folder.rglob("*")}
    yield
    assert {path: path.lstat().st_ino for path in folder.rglob("*")} == before


def test_the_kubernetes_plugin_lies_where_the_engine_looks(setup: Setup) -> None:
    plugins = setup.install()
    assert plugins.kubernetes == setup.pulumi_home / KUBERNETES
    assert plugins.kubernetes.read_text() == "pulumi-kubernetes build"


@pytest.mark.parametrize("there", ["pulumi-kubernetes", "pulumi-command"])
def test_without_one_of_the_plugins_the_error_says_how_to_get_it(tmp_path: Path, there: str) -> None:
    setup = Setup(tmp_path)
    setup.ready(there, "build")
    with pytest.raises(PodnetError, match=r"is not there yet: python -m lab\.toolchain"):
        setup.install()


def test_the_official_command_plugin_comes_first(setup: Setup) -> None:
    setup.ready("pulumi-command")
    setup.users_own(setup.user / ".pulumi")
    plugins = setup.install()
    assert (plugins.command_source, plugins.command.read_text()) == ("official", "pulumi-command official")


@pytest.mark.parametrize("variable", ["HOME", "PULUMI_HOME"])
def test_then_the_one_that_the_user_has_installed(setup: Setup, variable: str, tmp_path: Path) -> None:
    home = setup.user / ".pulumi"
    if variable == "PULUMI_HOME":
        home = tmp_path / "elsewhere"
        setup.settings = Settings(setup.settings.cache, {**setup.settings.environ, "PULUMI_HOME": str(home)})
    setup.users_own(home)
    plugins = setup.install()
    assert (plugins.command_source, plugins.command.read_text()) == ("user", "the user's")
    assert "installed in your Pulumi home" in plugins.describe()


def test_a_plugin_that_cannot_be_executed_is_no_finding(setup: Setup) -> None:
    setup.users_own(setup.user / ".pulumi").chmod(0o644)
    assert setup.install().command_source == "stand-in"


def test_else_the_stand_in(setup: Setup) -> None:
    plugins = setup.install()
    assert (plugins.command_source, plugins.command.read_text()) == ("stand-in", "pulumi-command build")
    assert "podnet's own stand-in" in plugins.describe()
    assert not plugins.is_somebodys


def test_a_launcher_that_an_earlier_podnet_wrote_makes_way(setup: Setup) -> None:
    launcher = setup.pulumi_home / COMMAND
    launcher.parent.mkdir(parents=True)
    launcher.write_text("#!/bin/sh\n# podnet's stand-in for Pulumi's command provider; lab/toolchain wrote this.\n")
    launcher.chmod(0o755)
    plugins = setup.install()
    assert (plugins.command_source, plugins.command.read_text()) == ("stand-in", "pulumi-command build")


def test_our_own_stand_in_is_never_taken_for_the_users_plugin(setup: Setup) -> None:
    setup.install()
    setup.settings = Settings(setup.settings.cache, {"HOME": "/nowhere", "PULUMI_HOME": str(setup.pulumi_home)})
    assert setup.install().command_source == "stand-in"
    other = Setup(setup.user.parent)
    other.settings, other.pulumi_home = setup.settings, setup.pulumi_home.with_name("another")
    assert other.install().command_source == "stand-in"


def test_doing_it_again_changes_nothing(setup: Setup) -> None:
    setup.install()
    with unchanged(setup.pulumi_home):
        setup.install()


def test_the_official_plugin_takes_the_place_of_the_stand_in_and_back(setup: Setup) -> None:
    setup.install()
    official = setup.ready("pulumi-command")
    assert setup.install().command.read_text() == "pulumi-command official"
    shutil.rmtree(official.parents[1])
    plugins = setup.install()
    assert (plugins.command_source, plugins.command.read_text()) == ("stand-in", "pulumi-command build")


BINARY = b"\x7fELF\x02\x01\x01\x00\xff\xfe\x80" + bytes(range(256))


def placed(setup: Setup) -> Path:
    """Put a binary where `pulumi plugin install` puts the official plugin, in a shell that has podnet's Pulumi home."""
    path = setup.pulumi_home / COMMAND
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_bytes(BINARY)
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("after", ["nothing", "the stand-in", "the user's"])
def test_a_binary_in_podnets_own_home_is_used_and_stays(setup: Setup, after: str) -> None:
    if after == "the user's":
        setup.users_own(setup.user / ".pulumi")
    if after != "nothing":
        setup.install()
    path = placed(setup)
    for _ in range(2):
        plugins = setup.install()
        assert (plugins.command, plugins.command_source) == (path, "placed")
        assert path.read_bytes() == BINARY
        assert "put into podnet's own Pulumi home" in plugins.describe()
        assert plugins.is_somebodys


def test_a_binary_in_podnets_own_home_makes_way_for_the_pinned_release(setup: Setup) -> None:
    placed(setup)
    setup.ready("pulumi-command")
    plugins = setup.install()
    assert (plugins.command_source, plugins.command.read_text()) == ("official", "pulumi-command official")
    assert not plugins.is_somebodys


def test_a_file_that_cannot_be_executed_there_is_replaced_by_the_stand_in(setup: Setup) -> None:
    placed(setup).chmod(0o644)
    plugins = setup.install()
    assert (plugins.command_source, plugins.command.read_text()) == ("stand-in", "pulumi-command build")
    assert not plugins.is_somebodys
