"""What podnet needs, and how each of it is built from Go modules.

Each group under toolchain/go is one Go module whose go.mod names the packages to build and whose go.sum pins everything
that goes into them. The official releases of the same programs stand in releases.toml.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from podnet import versions


@dataclass(frozen=True, slots=True)
class GoBuild:
    """Build commands of a group. output names the one binary, where Go would name it otherwise."""

    group: str
    packages: tuple[str, ...]
    ldflags: str = ""
    output: str = ""
    tags: str = ""
    test: bool = False


@dataclass(frozen=True, slots=True)
class ModuleFiles:
    """Copy files out of a module, as (path in the module, path in the artifact)."""

    group: str
    module: str
    files: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class VersionedJson:
    """Put a JSON file of a module beside the group's main.go, with its version set."""

    group: str
    module: str
    path: str
    target: str
    version: str


Step = GoBuild | ModuleFiles | VersionedJson


@dataclass(frozen=True, slots=True)
class Artifact:
    """What is made, kept and replaced as one.

    binaries: what lies in its bin/. extras: other files. on_path: which binaries go into the folder for PATH.
    cold_gb: the disk that a build with empty caches takes, caches included.
    on_request: made only when it is asked for. Without steps it cannot be built, and only the release will do.
    """

    name: str
    version: str
    binaries: tuple[str, ...]
    steps: tuple[Step, ...] = ()
    extras: tuple[str, ...] = ()
    on_path: tuple[str, ...] = ()
    cold_gb: float = 0.0
    on_request: bool = False

    @property
    def title(self) -> str:
        """How the artifact is called in front of a person."""
        return f"{self.name} {self.version}"

    @property
    def groups(self) -> tuple[str, ...]:
        """The Go modules under toolchain/go that it is built from."""
        return tuple(dict.fromkeys(step.group for step in self.steps))


_STRIP: Final = "-s -w"
"""Without symbol tables: a third smaller, and nobody debugs these here."""

_PULUMI_SDK: Final = "github.com/pulumi/pulumi/sdk/v3"
_PULUMI_BINARIES: Final = (
    "pulumi",
    "pulumi-language-python",
    "pulumi-language-python-exec",
    "pulumi-resource-pulumi-python",
    "pulumi-analyzer-policy-python",
)
_NODE: Final = (
    "kubeadm", "kubelet", "kubectl", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy",
)  # fmt: skip
_CONTAINERD: Final = ("containerd", "containerd-shim-runc-v2", "ctr")
_CNI: Final = ("main/bridge", "main/loopback", "main/ptp", "ipam/host-local", "meta/portmap")
_CERTIFICATES: Final = ("localhost.crt", "localhost.key")


def _kubernetes_ldflags() -> str:
    # Without these kubeadm calls itself v0.0.0 and asks for images of that version.
    major, minor, _ = versions.KUBERNETES.split(".")
    values = {
        "gitVersion": f"v{versions.KUBERNETES}",
        "gitMajor": major,
        "gitMinor": minor,
        "gitTreeState": "clean",
    }
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return " ".join([_STRIP, *(f"-X {package}.{key}={value}" for package in packages for key, value in values.items())])


def _pulumi() -> Artifact:
    version_flag = f"{_STRIP} -X {_PULUMI_SDK}/go/common/version.Version=v{versions.PULUMI}"
    host = "github.com/pulumi/pulumi/sdk/python/cmd/pulumi-language-python/v3"
    return Artifact(
        name="pulumi",
        version=versions.PULUMI,
        binaries=_PULUMI_BINARIES,
        # The engine finds the other four beside the real file of `pulumi`, so they need no place on PATH;
        # the ones that it finds on PATH it warns about.
        on_path=("pulumi",),
        cold_gb=3.0,
        steps=(
            GoBuild("pulumi", ("github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",), version_flag),
            GoBuild("pulumi-language-python", (host,), _STRIP, output="pulumi-language-python"),
            ModuleFiles(
                "pulumi",
                _PULUMI_SDK,
                (
                    ("python/cmd/pulumi-language-python-exec", "bin/pulumi-language-python-exec"),
                    ("python/dist/pulumi-resource-pulumi-python", "bin/pulumi-resource-pulumi-python"),
                ),
            ),
            # Newer versions of the module no longer hold this one; the group of the language host has an older.
            ModuleFiles(
                "pulumi-language-python",
                _PULUMI_SDK,
                (("python/dist/pulumi-analyzer-policy-python", "bin/pulumi-analyzer-policy-python"),),
            ),
        ),
    )


def _pulumi_command() -> Artifact:
    return Artifact(
        name="pulumi-command",
        version=versions.PULUMI_COMMAND,
        binaries=("pulumi-resource-command",),
        # With the engine before it, which is made of the same packages, next to nothing.
        cold_gb=0.9,
        # The official plugin's own module is on no proxy: what is built is podnet's stand-in for it.
        steps=(GoBuild("pulumi-command", (".",), _STRIP, output="pulumi-resource-command"),),
    )


def _pulumi_kubernetes() -> Artifact:
    version = versions.PULUMI_KUBERNETES
    provider = "github.com/pulumi/pulumi-kubernetes/provider/v4"
    ldflags = f"{_STRIP} -X main.version={version} -X {provider}/pkg/version.Version={version}"
    return Artifact(
        name="pulumi-kubernetes",
        version=version,
        binaries=("pulumi-resource-kubernetes",),
        cold_gb=5.0,
        steps=(
            VersionedJson(
                "pulumi-kubernetes",
                provider,
                "cmd/pulumi-resource-kubernetes/schema.json",
                "schema.json",
                version,
            ),
            GoBuild("pulumi-kubernetes", (".",), ldflags, output="pulumi-resource-kubernetes"),
        ),
    )


def _kubernetes() -> tuple[Artifact, Artifact, Artifact]:
    version, ldflags = versions.KUBERNETES, _kubernetes_ldflags()
    node = Artifact(
        name="kubernetes",
        version=version,
        binaries=_NODE,
        on_path=("kubeadm", "kubectl"),
        cold_gb=5.0,
        steps=(GoBuild("kubernetes", tuple(f"k8s.io/kubernetes/cmd/{name}" for name in _NODE), ldflags),),
    )
    certificates = tuple((f"test/images/agnhost/porter/{name}", f"share/{name}") for name in _CERTIFICATES)
    agnhost = Artifact(
        name="agnhost",
        version=version,
        binaries=("agnhost",),
        extras=tuple(f"share/{name}" for name in _CERTIFICATES),
        cold_gb=0.5,
        steps=(
            GoBuild("kubernetes", ("k8s.io/kubernetes/test/images/agnhost",), ldflags),
            # The test of the API server's proxy has agnhost serve TLS with these two, from its own image.
            ModuleFiles("kubernetes", "k8s.io/kubernetes", certificates),
        ),
    )
    e2e = Artifact(
        name="e2e",
        version=version,
        binaries=("e2e.test",),
        on_path=("e2e.test",),
        cold_gb=2.0,
        on_request=True,
        steps=(GoBuild("kubernetes", ("k8s.io/kubernetes/test/e2e",), ldflags, output="e2e.test", test=True),),
    )
    return node, agnhost, e2e


def _etcd() -> Artifact:
    return Artifact(
        name="etcd",
        version=versions.ETCD,
        binaries=("etcd", "etcdctl"),
        on_path=("etcdctl",),
        cold_gb=1.0,
        steps=(
            GoBuild("etcd", ("go.etcd.io/etcd/server/v3",), _STRIP, output="etcd"),
            GoBuild("etcd", ("go.etcd.io/etcd/etcdctl/v3",), _STRIP),
        ),
    )


def _containerd() -> Artifact:
    module = "github.com/containerd/containerd/v2"
    return Artifact(
        name="containerd",
        version=versions.CONTAINERD,
        binaries=_CONTAINERD,
        cold_gb=1.0,
        steps=(
            GoBuild(
                "containerd",
                tuple(f"{module}/cmd/{name}" for name in _CONTAINERD),
                f"{_STRIP} -X {module}/version.Version=v{versions.CONTAINERD}",
                # Snapshotters that need C libraries, and that no box uses.
                tags="no_btrfs,no_zfs,no_devmapper",
            ),
        ),
    )


def _cni() -> Artifact:
    module = "github.com/containernetworking/plugins"
    return Artifact(
        name="cni",
        version=versions.CNI_PLUGINS,
        # None is for PATH: `bridge` there would hide the one of iproute2.
        binaries=tuple(name.split("/")[1] for name in _CNI),
        cold_gb=0.5,
        steps=(
            GoBuild(
                "cni",
                tuple(f"{module}/plugins/{name}" for name in _CNI),
                f"{_STRIP} -X {module}/pkg/utils/buildversion.BuildVersion=v{versions.CNI_PLUGINS}",
            ),
        ),
    )


def artifacts() -> dict[str, Artifact]:
    """Everything, by name, in the order in which it is made: what a person waits for least comes first."""
    node, agnhost, e2e = _kubernetes()
    coredns = Artifact(
        name="coredns",
        version=versions.COREDNS,
        binaries=("coredns",),
        cold_gb=2.0,
        steps=(GoBuild("coredns", ("github.com/coredns/coredns",), _STRIP),),
    )
    actionlint = Artifact(
        name="actionlint",
        version=versions.ACTIONLINT,
        binaries=("actionlint",),
        cold_gb=0.5,
        on_request=True,
        steps=(GoBuild("actionlint", ("github.com/rhysd/actionlint/cmd/actionlint",), _STRIP),),
    )
    everything = (
        _cni(), _containerd(), _etcd(), node, agnhost, coredns, _pulumi(), _pulumi_command(),
        _pulumi_kubernetes(), e2e, actionlint,
    )  # fmt: skip
    return {artifact.name: artifact for artifact in everything}
