"""Image archives: every digest is that of what it names, and a shared layer is there once."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from images.oci import Image, Layout


@pytest.fixture
def archive(tmp_path: Path) -> dict[str, bytes]:
    """Write two images that share a layer; the archive's members."""
    layout = Layout(tmp_path / "layout")
    shared = layout.layer_of_files({"/bin/tool": b"#!/bin/sh\n", "/etc/conf": b"a\n"}, {"/etc/conf": 0o644})
    own = layout.layer_of_files({"/bin/other": b"x"})
    layout.add(Image("podnet.local/one:1", [shared], ["/bin/tool"], env={"B": "2", "A": "1"}, user="33:33"))
    layout.add(Image("podnet.local/two:1", [shared, own], ["/bin/other"], ["-v"]))
    layout.finish(tmp_path / "images.tar")
    with tarfile.open(tmp_path / "images.tar") as tar:
        return {member.name: _content(tar, member) for member in tar}


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = tar.extractfile(member)
    assert stream is not None
    return stream.read()


def _blob(archive: dict[str, bytes], digest: str) -> bytes:
    return archive[f"blobs/sha256/{digest.removeprefix('sha256:')}"]


def _images(archive: dict[str, bytes]) -> dict[str, dict[str, Any]]:
    index = json.loads(archive["index.json"])
    return {
        entry["annotations"]["io.containerd.image.name"]: json.loads(_blob(archive, entry["digest"]))
        for entry in index["manifests"]
    }


def test_every_blob_is_named_by_its_content(archive: dict[str, bytes]) -> None:
    blobs = {name: data for name, data in archive.items() if name.startswith("blobs/")}
    assert len(blobs) == 2 + 2 * 2  # two layers; a config and a manifest for each image
    for name, data in blobs.items():
        assert name == f"blobs/sha256/{hashlib.sha256(data).hexdigest()}"


def test_layers_are_what_the_config_says(archive: dict[str, bytes]) -> None:
    for manifest in _images(archive).values():
        config = json.loads(_blob(archive, manifest["config"]["digest"]))
        for layer, diff_id in zip(manifest["layers"], config["rootfs"]["diff_ids"], strict=True):
            packed = _blob(archive, layer["digest"])
            assert layer["size"] == len(packed)
            assert diff_id == f"sha256:{hashlib.sha256(gzip.decompress(packed)).hexdigest()}"


def test_a_shared_layer_is_stored_once(archive: dict[str, bytes]) -> None:
    one, two = (_images(archive)[f"podnet.local/{name}:1"] for name in ("one", "two"))
    assert one["layers"][0] == two["layers"][0]


def test_files_keep_their_modes_and_belong_to_root(archive: dict[str, bytes]) -> None:
    layer = _images(archive)["podnet.local/one:1"]["layers"][0]
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(_blob(archive, layer["digest"])))) as tar:
        modes = {member.name: (member.mode, member.uid, member.gid) for member in tar}
    assert modes == {"bin/tool": (0o755, 0, 0), "etc/conf": (0o644, 0, 0)}


def test_how_a_container_starts(archive: dict[str, bytes]) -> None:
    config = json.loads(_blob(archive, _images(archive)["podnet.local/one:1"]["config"]["digest"]))["config"]
    assert config == {"Entrypoint": ["/bin/tool"], "Cmd": [], "Env": ["A=1", "B=2"], "User": "33:33"}
