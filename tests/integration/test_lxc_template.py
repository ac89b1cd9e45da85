"""What vagrant-lxc runs to make a container of the box: images are linked where they can be, and copied where not."""

from __future__ import annotations

import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

TEMPLATE = Path(__file__).parents[2] / "images/box/lxc-template"


@pytest.fixture(params=["the same file system", "another file system"])
def box(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """Give a box's folder, on the file system of the containers or on one of its own."""
    memory = Path("/dev/shm")  # noqa: S108  # a file system of its own, which every Linux has
    if request.param == "another file system" and memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.fail("there is no second file system here to try this on")
    with tempfile.TemporaryDirectory(dir=memory if request.param == "another file system" else tmp_path) as folder:
        yield Path(folder)


def test_a_container_has_its_images_and_databases_of_its_own(box: Path, tmp_path: Path) -> None:
    images = tmp_path / "rootfs/var/lib/containerd/content"
    images.mkdir(parents=True)
    (images / "layer").write_text("a layer")
    (images / "meta.db").write_text("a database")
    with tarfile.open(box / "rootfs.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "rootfs", "./rootfs")
    container = tmp_path / "container"
    container.mkdir()
    (container / "config").write_text("lxc.rootfs.path = dir:/nowhere\nlxc.net.0.type = veth\n")
    (tmp_path / "extra").write_text("lxc.cap.drop =\n")
    words = ["--name", "it", "--path", str(container), "--rootfs", str(container / "rootfs")]
    words += ["--tarball", str(box / "rootfs.tar.gz"), "--config", str(tmp_path / "extra")]
    subprocess.run(["sh", str(TEMPLATE), *words], check=True)
    kept = container / "containerd/content"
    assert (kept / "layer").read_text() == "a layer"
    linked = box.stat().st_dev == container.stat().st_dev
    assert ((kept / "layer").stat().st_nlink > 1) == linked
    assert (kept / "meta.db").stat().st_nlink == 1
    assert (box / "base/complete").exists()
    assert "lxc.rootfs.path = overlay:" in (container / "config").read_text()
