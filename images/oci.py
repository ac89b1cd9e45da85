"""Write an OCI image layout (https://github.com/opencontainers/image-spec/blob/main/image-layout.md).

One archive holds every image, so a layer that several share is stored, sent and unpacked once.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_INDEX = "application/vnd.oci.image.index.v1+json"


@dataclass(frozen=True, slots=True)
class Layer:
    """A stored layer. digest: of the compressed blob. diff_id: of the tar inside. size: bytes, compressed."""

    digest: str
    diff_id: str
    size: int


@dataclass(frozen=True, slots=True)
class Image:
    """One image: its reference, its layers from the bottom up, and how a container of it starts."""

    reference: str
    layers: Sequence[Layer]
    entrypoint: Sequence[str]
    command: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    user: str = ""


class Layout:
    """An image layout in a folder that is being written."""

    def __init__(self, folder: Path) -> None:
        self._blobs = folder / "blobs" / "sha256"
        self._folder = folder
        self._blobs.mkdir(parents=True)
        self._manifests: list[dict[str, object]] = []

    def layer_of_tar(self, tar: Path) -> Layer:
        """Store a tar file as a layer."""
        diff = hashlib.sha256()
        pending = self._folder / "layer.pending"
        # Level 1: the layers are read once, on this machine; mtime 0 keeps the digest reproducible.
        with (
            tar.open("rb") as source,
            pending.open("wb") as raw,
            gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=1, mtime=0) as target,
        ):
            while chunk := source.read(1 << 20):
                diff.update(chunk)
                target.write(chunk)
        with pending.open("rb") as blob:
            digest = hashlib.file_digest(blob, "sha256").hexdigest()
        size = pending.stat().st_size
        pending.rename(self._blobs / digest)
        return Layer(f"sha256:{digest}", f"sha256:{diff.hexdigest()}", size)

    def layer_of_files(self, files: Mapping[str, Path | bytes], modes: Mapping[str, int] | None = None) -> Layer:
        """Store files (path in the image to content) as a layer, owned by root, executable unless modes say else."""
        pending = self._folder / "files.pending"
        with tarfile.open(pending, "w") as tar:
            for name, content in sorted(files.items()):
                _add(tar, name.lstrip("/"), content, (modes or {}).get(name, 0o755))
        try:
            return self.layer_of_tar(pending)
        finally:
            pending.unlink()

    def add(self, image: Image) -> None:
        """Add an image whose layers are stored."""
        config = {
            "architecture": "amd64",
            "os": "linux",
            "config": {
                "Entrypoint": list(image.entrypoint),
                "Cmd": list(image.command),
                "Env": [f"{key}={value}" for key, value in sorted(image.env.items())],
                "User": image.user,
            },
            "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in image.layers]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": self._blob(config, _CONFIG),
            "layers": [{"mediaType": _LAYER, "digest": layer.digest, "size": layer.size} for layer in image.layers],
        }
        self._manifests.append(
            self._blob(manifest, _MANIFEST)
            | {
                "platform": {"architecture": "amd64", "os": "linux"},
                "annotations": {"io.containerd.image.name": image.reference},
            }
        )

    def finish(self, archive: Path) -> None:
        """Write the index and pack the layout as a tar; the folder is removed."""
        (self._folder / "oci-layout").write_text(json.dumps({"imageLayoutVersion": "1.0.0"}))
        index = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": self._manifests}
        (self._folder / "index.json").write_text(json.dumps(index))
        with tarfile.open(archive, "w") as tar:
            for path in _files(self._folder):
                _add(tar, str(path.relative_to(self._folder)), path, 0o644)
        shutil.rmtree(self._folder)

    def _blob(self, document: object, media_type: str) -> dict[str, object]:
        data = json.dumps(document, sort_keys=True).encode()
        digest = hashlib.sha256(data).hexdigest()
        (self._blobs / digest).write_bytes(data)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}


def _files(folder: Path) -> Iterable[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _add(tar: tarfile.TarFile, name: str, content: Path | bytes, mode: int) -> None:
    info = tarfile.TarInfo(name)
    info.mode = mode
    if isinstance(content, bytes):
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
        return
    info.size = content.stat().st_size
    with content.open("rb") as source:
        tar.addfile(info, source)
