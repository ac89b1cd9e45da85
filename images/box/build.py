"""Build the box: mmdebstrap's Debian, the node bundle in it, its container images already unpacked.

A box of the lxc provider is a tar of metadata.json, lxc-config, lxc-template and rootfs.tar.gz, whose members
begin with ./rootfs/ (vagrant-lxc's format 1.0.0).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from images.bundle.build import NODE_PACKAGES, Binary, Bundle, mmdebstrap, recipe_files
from podnet.errors import PodnetError
from podnet.program import give_back, is_root, root_command, run
from podnet.steps import step

_HERE: Final = Path(__file__).parent

_PACKAGES: Final = (
    "systemd", "systemd-sysv", "dbus", "openssh-server", "sudo", "curl", "ca-certificates", "tcpdump", "iperf3", "jq",
    "util-linux-extra", *NODE_PACKAGES,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Box:
    """A built box. name: Vagrant's name for it, which holds the checksum of all it is made from."""

    name: str
    file: Path


def find(cache: Path, bundle: Bundle) -> Box | None:
    """The box for this bundle where it is in the cache."""
    box = _box(cache, bundle)
    return box if box.file.exists() else None


def _box(cache: Path, bundle: Bundle) -> Box:
    digest = hashlib.sha256(bundle.checksum.encode())
    for path in recipe_files(_HERE):
        digest.update(str(path.relative_to(_HERE)).encode() + b"\0" + path.read_bytes())
    name = f"podnet-{digest.hexdigest()[:16]}"
    return Box(name, cache / f"{name}.box")


def build(cache: Path, bundle: Bundle, binary: Binary) -> Box:
    """The box for this bundle: the one in the cache, or a new one. A user who is not root is asked through sudo."""
    box = _box(cache, bundle)
    if box.file.exists():
        return box
    if is_root():
        _build_as_root(cache, bundle, binary)
    else:
        # Devices, owners and chroot: the whole of it is root's work, so this one program is.
        programs = [str(binary(name)) for name in ("containerd", "ctr")]
        environ = [f"PYTHONPATH={_HERE.parents[1]}", "PYTHONDONTWRITEBYTECODE=1"]
        what = [str(cache), str(bundle.folder), str(bundle.tar), bundle.checksum, *programs]
        done = subprocess.run(
            [*root_command(), "env", *environ, sys.executable, "-m", "images.box.build", *what], check=False
        )
        if done.returncode:
            raise PodnetError("the box could not be built; what went wrong stands above")
        give_back(box.file)
    return box


def _build_as_root(cache: Path, bundle: Bundle, binary: Binary) -> None:
    box = _box(cache, bundle)
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="box-work-") as folder:
        _build(Path(folder), bundle, binary, box)
    for older in cache.glob("podnet-*.box"):
        if older != box.file:
            older.unlink()


def _build(work: Path, bundle: Bundle, binary: Binary, box: Box) -> None:
    rootfs = work / "rootfs"
    with step("box: Debian root"):
        mmdebstrap(work / "root.tar", _PACKAGES)
        rootfs.mkdir()
        # With file capabilities: ping has one.
        attributes = ["--numeric-owner", "--xattrs", "--xattrs-include=*"]
        run(["tar", "--extract", "--file", str(work / "root.tar"), "--directory", str(rootfs), *attributes])
        (work / "root.tar").unlink()
    with step("box: node bundle"):
        run(["cp", "--archive", "--no-target-directory", f"{bundle.folder}/root", str(rootfs)])
        run(["cp", "--recursive", "--no-target-directory", str(_HERE / "root"), str(rootfs)])
        run(["chown", "--recursive", "root:root", *(str(rootfs / part) for part in ("usr/local", "opt/cni", "etc"))])
        _make_vagrant_user(rootfs)
        _finish(rootfs, bundle)
    with step("box: container images"):
        _import_images(work, rootfs, bundle, binary)
    with step("box: packing"):
        _pack(work, box)


def _chroot(rootfs: Path, script: str) -> None:
    run(["chroot", str(rootfs), "/bin/sh", "-euc", script])


def _make_vagrant_user(rootfs: Path) -> None:
    """Vagrant logs in as vagrant and becomes root without a password; the keys come with each machine."""
    _chroot(
        rootfs,
        "useradd --create-home --shell /bin/bash vagrant\n"
        "install -d -o vagrant -g vagrant -m 0700 /home/vagrant/.ssh\n"
        "touch /home/vagrant/.ssh/authorized_keys\n"
        "printf 'vagrant ALL=(ALL) NOPASSWD: ALL\\n' > /etc/sudoers.d/vagrant\n"
        "chmod 0440 /etc/sudoers.d/vagrant\n",
    )


def _finish(rootfs: Path, bundle: Bundle) -> None:
    # mmdebstrap copies the build machine's name and resolver; every box would carry them.
    for left in ("etc/hostname", "etc/resolv.conf", "etc/machine-id"):
        (rootfs / left).unlink(missing_ok=True)
    # Empty files: a machine id is made at the first boot, names and resolver are laid over the others from outside.
    for empty in ("etc/hostname", "etc/hosts", "etc/resolv.conf", "etc/machine-id"):
        (rootfs / empty).touch()
    for key in (rootfs / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    for folder in ("var/cache/apt", "var/lib/apt/lists"):
        shutil.rmtree(rootfs / folder, ignore_errors=True)
    _chroot(
        rootfs,
        "systemctl enable --quiet containerd kubelet ssh podnet-lxc\n"
        # A container has no clock, disks, keyboard or consoles of its own; each of these would cost boot time.
        "systemctl mask --quiet systemd-networkd-wait-online.service systemd-udevd.service "
        "systemd-udev-trigger.service apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer fstrim.timer "
        "getty@.service console-getty.service systemd-logind.service systemd-timesyncd.service\n"
        "systemctl set-default --quiet multi-user.target\n",
    )
    state = rootfs / "var/lib/podnet"
    state.mkdir(parents=True)
    (state / "bundle").write_text(bundle.checksum + "\n")


@contextmanager
def _containerd(work: Path, rootfs: Path, binary: Binary) -> Iterator[list[str]]:
    """A containerd of this machine that keeps its data in the box; yields the ctr command line for it."""
    config = work / "containerd.toml"
    without = "['io.containerd.cri.v1.runtime', 'io.containerd.cri.v1.images']"
    config.write_text(f"version = 3\ndisabled_plugins = {without}\n")
    socket = work / "containerd.sock"
    command = [str(binary("containerd")), "--config", str(config), "--root", str(rootfs / "var/lib/containerd")]
    command += ["--state", str(work / "state"), "--address", str(socket)]
    with (work / "containerd.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait_for(socket, process, work / "containerd.log")
            yield [str(binary("ctr")), "--address", str(socket), "--namespace", "k8s.io"]
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait_for(socket: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while not socket.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise PodnetError(f"containerd did not start for the import of the images:\n{log.read_text()[-2000:]}")
        time.sleep(0.05)


def _import_images(work: Path, rootfs: Path, bundle: Bundle, binary: Binary) -> None:
    with _containerd(work, rootfs, binary) as ctr:
        run([*ctr, "images", "import", "--local", str(bundle.folder / "images.tar")])


def _pack(work: Path, box: Box) -> None:
    gzip = "pigz -1" if shutil.which("pigz") else "gzip -1"
    archive = work / "rootfs.tar.gz"
    attributes = ["--numeric-owner", "--xattrs", "--xattrs-include=*"]
    compress = f"--use-compress-program={gzip}"
    run(["tar", "--create", "--file", str(archive), compress, *attributes, "--directory", str(work), "./rootfs"])
    metadata = work / "metadata.json"
    metadata.write_text(json.dumps({"provider": "lxc", "version": "1.0.0"}))
    pending = box.file.with_suffix(".pending")
    with tarfile.open(pending, "w") as tar:
        for path in (metadata, _HERE / "lxc-config", _HERE / "lxc-template", archive):
            tar.add(path, arcname=path.name)
    with pending.open("rb") as written:
        os.fsync(written.fileno())
    pending.rename(box.file)


def main(arguments: list[str]) -> int:
    """Build a box as root, for a user who is not: CACHE, the bundle's FOLDER, TAR and CHECKSUM, CONTAINERD, CTR."""
    cache, folder, tar, checksum, containerd, ctr = arguments
    programs = {"containerd": Path(containerd), "ctr": Path(ctr)}
    try:
        _build_as_root(Path(cache), Bundle(Path(folder), Path(tar), checksum), programs.__getitem__)
    except PodnetError as error:
        print(f"podnet: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
