"""Build the node bundle: binaries, their configuration, container images and the Debian packages they need.

The bundle is a folder, and a tar of it for nodes that are no boxes of podnet's own. Its checksum covers all that
it is made from, and names it; a node keeps the checksum of what it has in /var/lib/podnet/bundle.
"""

from __future__ import annotations

import hashlib
import shutil
import tarfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from images import recipes
from podnet import versions
from podnet.errors import PodnetError
from podnet.program import give_back, root_command, run
from podnet.steps import step

_HERE: Final = Path(__file__).parent
_IMAGES: Final = _HERE.parent

NODE_BINARIES: Final = ("kubeadm", "kubelet", "kubectl", "containerd", "containerd-shim-runc-v2", "ctr")
CNI_BINARIES: Final = ("bridge", "host-local", "loopback", "portmap", "ptp")
IMAGE_BINARIES: Final = (
    "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "etcd", "etcdctl", "coredns",
    "agnhost",
)  # fmt: skip

NODE_PACKAGES: Final = (
    "runc", "iptables", "nftables", "conntrack", "ethtool", "python3-minimal", "libpython3-stdlib",
    "iproute2", "iputils-ping", "kmod", "procps",
)  # fmt: skip
"""Debian packages that a node needs beside the binaries; the box holds them, other nodes get them as files."""

SUITE: Final = "bookworm"

Binary = Callable[[str], Path]


@dataclass(frozen=True, slots=True)
class Bundle:
    """A built bundle. folder: unpacked. tar: the same in one file. checksum: of everything it was made from."""

    folder: Path
    tar: Path
    checksum: str


def checksum(binary: Binary) -> str:
    """What the bundle would be called: SHA-256 over the recipe and the names of what the toolchain made.

    The toolchain's folders are named by version and recipe and never change, so a gigabyte need not be read for it.
    """
    digest = hashlib.sha256()
    containers = (_IMAGES / "oci.py", _IMAGES / "recipes.py")
    for path in (*recipe_files(_HERE / "root", _HERE / "install"), *containers, Path(__file__)):
        digest.update(str(path.relative_to(_IMAGES)).encode() + b"\0" + path.read_bytes())
    for name in (*NODE_BINARIES, *CNI_BINARIES, *IMAGE_BINARIES):
        made = binary(name)
        digest.update("/".join(made.parts[-3:]).encode() + b"\0")
    # What stands in no program's name: the tags of the images.
    for tag in (versions.PAUSE, versions.NGINX, versions.PROBE, versions.AGNHOST, versions.DNS_TESTING):
        digest.update(tag.encode() + b"\0")
    return digest.hexdigest()


def recipe_files(*roots: Path) -> list[Path]:
    """Every file under some folders (or the file itself), in a stable order, without what Python leaves behind."""
    found = [path for root in roots for path in ([root] if root.is_file() else root.rglob("*"))]
    return sorted(path for path in found if path.is_file() and path.suffix != ".pyc")


def find(cache: Path, binary: Binary) -> Bundle | None:
    """The bundle for these binaries where it is in the cache."""
    bundle = _bundle(cache, checksum(binary))
    return bundle if bundle.tar.exists() else None


def _bundle(cache: Path, name: str) -> Bundle:
    return Bundle(cache / f"bundle-{name[:16]}", cache / f"bundle-{name[:16]}.tar", name)


def build(cache: Path, binary: Binary) -> Bundle:
    """The bundle for these binaries: the one in the cache, or a new one. Needs root for the Debian layer."""
    if found := find(cache, binary):
        return found
    name = checksum(binary)
    bundle = _bundle(cache, name)
    cache.mkdir(parents=True, exist_ok=True)
    pending = cache / "bundle.pending"
    shutil.rmtree(pending, ignore_errors=True)
    pending.mkdir()
    _fill(pending, binary, name)
    with step("node bundle: packing"):
        part = cache / "bundle.tar.pending"
        with tarfile.open(part, "w") as tar:
            tar.add(pending, arcname=".")
        shutil.rmtree(bundle.folder, ignore_errors=True)
        pending.rename(bundle.folder)
        part.rename(bundle.tar)  # last: its presence says that all of it is there
    _drop_older(cache, bundle)
    return bundle


def _fill(folder: Path, binary: Binary, name: str) -> None:
    root = folder / "root"
    shutil.copytree(_HERE / "root", root)
    config = root / "etc/containerd/config.toml"
    config.write_text(config.read_text().replace("@PAUSE@", versions.PAUSE))
    _copy(root / "usr/local/bin", NODE_BINARIES, binary)
    _copy(root / "opt/cni/bin", CNI_BINARIES, binary)
    shutil.copy2(_HERE / "install", folder / "install")
    (folder / "checksum").write_text(name + "\n")
    with step("node bundle: Debian layer of the container images"):
        # A copy has no file capabilities: with them ping cannot be run by a container that may not gain privileges,
        # and without them it needs none (the runtime lets every group send echoes).
        plain_ping = '--customize-hook=cp "$1/bin/ping" "$1/bin/ping.new" && mv "$1/bin/ping.new" "$1/bin/ping"'
        mmdebstrap(folder / "debian.tar", recipes.DEBIAN_PACKAGES, plain_ping)
    with step("node bundle: container images"):
        recipes.write_archive(folder / "images.tar", folder / "debian.tar", binary)
        (folder / "debian.tar").unlink()
    with step("node bundle: Debian packages for nodes that are no boxes of podnet's"):
        _download_packages(folder / "debs")


def _copy(folder: Path, names: Iterable[str], binary: Binary) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        shutil.copy(binary(name), folder / name)


def mmdebstrap(target: Path, packages: Iterable[str], *options: str) -> None:
    """Make a minimal Debian root as a tar, without documentation and translations.

    Raises PodnetError with mmdebstrap's last words where it fails.
    """
    exclude = [f"--dpkgopt=path-exclude=/usr/share/{part}/*" for part in ("doc", "man", "locale", "info")]
    what = ["--variant=minbase", f"--include={','.join(packages)}", *exclude, *options]
    run([*root_command(), "mmdebstrap", *what, SUITE, str(target)])
    if target.is_file():
        give_back(target)


def _download_packages(folder: Path) -> None:
    """Fetch NODE_PACKAGES and what they need beyond an essential Debian, as .deb files."""
    folder.mkdir()
    hooks = ["--customize-hook=copy-out /var/cache/apt/archives " + str(folder), "--skip=essential/unlink,cleanup/apt"]
    mmdebstrap(Path("/dev/null"), NODE_PACKAGES, "--format=null", *hooks)
    archives = folder / "archives"
    give_back(archives)
    for deb in archives.glob("*.deb"):
        deb.rename(folder / deb.name)
    shutil.rmtree(archives)
    if not any(folder.glob("runc_*.deb")):
        raise PodnetError("the Debian packages for the node bundle did not arrive: runc is not among them")


def _drop_older(cache: Path, bundle: Bundle) -> None:
    for path in cache.glob("bundle-*"):
        if path not in (bundle.folder, bundle.tar):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
