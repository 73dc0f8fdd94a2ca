"""containerd's content store: laid out by hand as Docker 26 lays it out, and filled by a real containerd."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from builders import (
    OCI,
    Compression,
    Image,
    Members,
    Watcher,
    blob,
    contents,
    oci,
    pack,
    put_image,
    sample_image,
    sha256,
    shape,
    write_layout,
)
from builders import read as read_source
from lamina.cache.cache import Cache
from lamina.model import ImageInfo
from lamina.sources.base import ReadImage
from lamina.sources.blobs import BlobReader
from lamina.sources.engine.address import Address
from lamina.sources.engine.content_store import find_blobs
from lamina.sources.engine.source import EngineSource
from lamina.workers.pool import Pool
from needs import tool, unavailable
from opening import resolve

IMAGE = sample_image()
CONTENT = "io.containerd.content.v1.content"


def in_store(root: Path, how: Compression = "gzip") -> tuple[str, Path]:
    """The sample image in the store of a dockerd whose root this is: (its manifest's digest, the content folder)."""
    members: Members = {}
    manifest = put_image(members, IMAGE, how=how)["digest"]
    return manifest, write_layout(root / "containerd" / "daemon" / CONTENT, members)


def told(image_id: str) -> ImageInfo:
    """What an engine says of the sample image."""
    (image,) = [row for row in [IMAGE] if row.tags]
    layers = tuple(dataclasses.replace(layer, digest=None) for layer in as_archive(image).info.layers)
    return ImageInfo(target="app:1", id=image_id, layers=layers, tags=("app:1",))


def as_archive(image: Image) -> ReadImage:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "image.tar")
        path.write_bytes(pack(oci(image)))
        return read_source(resolve(str(path))[0])


def read(root: Path, image_id: str) -> ReadImage | None:
    image = find_blobs({"DockerRootDir": str(root)}, told(image_id))
    if image is None:
        return None
    found, folder = image
    reader = BlobReader(folder.where, folder.locate, Cache(), Pool())
    return reader.read(found, Watcher(), threading.Event(), verify=False)


@pytest.mark.parametrize("how", ["none", "gzip", "zstd"])
def test_an_image_is_found_by_the_digest_of_its_manifest(how: Compression, tmp_path: Path) -> None:
    manifest, _ = in_store(tmp_path, how)

    found = read(tmp_path, manifest)

    archive = as_archive(IMAGE)
    assert found is not None
    assert shape(found) == shape(archive)
    assert contents(found) == contents(archive)
    assert [layer.instruction for layer in found.info.layers] == [layer.instruction for layer in archive.info.layers]
    assert all(layer.digest and layer.blob_size for layer in found.info.layers)


def test_an_image_is_found_by_the_digest_of_an_index(tmp_path: Path) -> None:
    """Of which only one platform's blobs are there, as after a pull."""
    manifest, folder = in_store(tmp_path)
    data = (folder / blob(manifest)).read_bytes()
    here = {"mediaType": f"{OCI}.manifest.v1+json", "digest": manifest, "size": len(data)}
    rows = [
        {**here, "digest": "sha256:" + "1" * 64, "platform": {"os": "linux", "architecture": "s390x"}},
        {**here, "platform": {"os": "linux", "architecture": "amd64"}},
    ]
    index = json.dumps({"schemaVersion": 2, "mediaType": f"{OCI}.index.v1+json", "manifests": rows}).encode()
    (folder / blob(sha256(index))).write_bytes(index)

    found = read(tmp_path, sha256(index))

    assert found is not None
    assert contents(found) == contents(as_archive(IMAGE))


def lose_a_layer(folder: Path, manifest: str) -> None:
    layers = json.loads((folder / blob(manifest)).read_bytes())["layers"]
    (folder / blob(layers[1]["digest"])).unlink()


def cut_a_layer(folder: Path, manifest: str) -> None:
    layers = json.loads((folder / blob(manifest)).read_bytes())["layers"]
    path = folder / blob(layers[1]["digest"])
    path.write_bytes(path.read_bytes()[:-1])


def change_the_manifest(folder: Path, manifest: str) -> None:
    path = folder / blob(manifest)
    path.write_bytes(path.read_bytes() + b" ")


def change_to_rubbish(folder: Path, manifest: str) -> None:
    (folder / blob(manifest)).write_bytes(b"[[[")


def nest_too_deep(folder: Path, manifest: str) -> None:
    (folder / blob(manifest)).write_bytes(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}")


def lose_all(folder: Path, manifest: str) -> None:
    del manifest
    shutil.rmtree(folder)


SPOILT = [lose_a_layer, cut_a_layer, change_the_manifest, change_to_rubbish, nest_too_deep, lose_all]


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda spoil: spoil.__name__)
def test_a_store_that_is_not_whole_is_not_used(spoil: Any, tmp_path: Path) -> None:
    manifest, folder = in_store(tmp_path)
    spoil(folder, manifest)

    assert read(tmp_path, manifest) is None


def test_an_image_of_other_layers_than_the_engine_says_is_not_used(tmp_path: Path) -> None:
    manifest, _ = in_store(tmp_path)
    info = told(manifest)
    other = dataclasses.replace(info, layers=info.layers[:-1])

    assert find_blobs({"DockerRootDir": str(tmp_path)}, other) is None


@pytest.mark.parametrize("root", [None, 7, "relative", "/nowhere"])
def test_an_engine_that_tells_no_root_has_no_store(root: object) -> None:
    assert find_blobs({"DockerRootDir": root}, told("sha256:" + "2" * 64)) is None


# -- through the engine's API ------------------------------------------------------------------------------------------


class Answers:
    """What Docker 26 answers, containerd's store in use; an export would be an AttributeError."""

    def __init__(self, root: Path, image_id: str) -> None:
        self._root = root
        self._id = image_id

    def image(self, name: str) -> dict[str, Any]:
        assert name == "app:1"
        layers = {"Type": "layers", "Layers": IMAGE.diff_ids}
        return {"Id": self._id, "RepoTags": ["app:1"], "RootFS": layers, "Os": "linux", "Architecture": "amd64"}

    def history(self, name: str) -> list[dict[str, Any]]:
        assert name == self._id
        return []

    def info(self) -> dict[str, Any]:
        kind = [["driver-type", "io.containerd.snapshotter.v1"]]
        return {"DockerRootDir": str(self._root), "Driver": "overlayfs", "DriverStatus": kind}


def test_an_engine_with_such_a_store_is_not_asked_for_an_export(tmp_path: Path) -> None:
    manifest, _ = in_store(tmp_path)
    source = EngineSource("unix:///nowhere")
    client: Any = Answers(tmp_path, manifest)
    client.address = Address("unix:///nowhere", "test")
    source.connection._client = client

    found = read_source(source, "app:1")

    assert found.read_from == "from the engine's store"
    assert (found.info.id, found.info.tags) == (manifest, ("app:1",))
    assert contents(found) == contents(as_archive(IMAGE))


# -- a store that containerd filled ------------------------------------------------------------------------------------


@contextlib.contextmanager
def containerd() -> Iterator[tuple[Path, list[str]]]:
    """A real containerd of its own: (the root of a dockerd that would have started it, the client's command)."""
    program, client = tool("containerd"), tool("ctr")
    if os.geteuid():
        unavailable("containerd needs root")
    with tempfile.TemporaryDirectory(prefix="lamina-containerd-") as name:
        root, socket = Path(name), f"{name}/sock"
        config = root / "config.toml"
        config.write_text(
            f'version = 2\nroot = "{root}/containerd/daemon"\nstate = "{root}/state"\n'
            f'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\naddress = "{socket}"\n'
        )
        with (root / "log").open("wb") as log:
            daemon = subprocess.Popen([program, "--config", str(config)], stdout=log, stderr=log)
        try:
            for _ in range(200):
                if subprocess.run([client, "-a", socket, "version"], capture_output=True, check=False).returncode == 0:
                    break
                if daemon.poll() is not None:
                    unavailable(f"containerd ended: {(root / 'log').read_text()[-500:]}")
                time.sleep(0.05)
            yield root, [client, "-a", socket]
        finally:
            daemon.terminate()
            daemon.wait(20)


@pytest.mark.parametrize("how", ["gzip", "zstd"])
def test_what_containerd_stored_reads_as_the_archive_it_came_from(how: Compression, tmp_path: Path) -> None:
    path = tmp_path / "image.tar"
    image = dataclasses.replace(IMAGE, tags=("docker.io/library/app:1",))
    path.write_bytes(pack(oci(image, how=how)))
    with containerd() as (root, client):
        subprocess.run([*client, "image", "import", "--no-unpack", str(path)], capture_output=True, check=True)
        listed = subprocess.run([*client, "image", "ls"], capture_output=True, check=True, text=True).stdout
        (image_id,) = [word for word in listed.split() if word.startswith("sha256:")]

        found = read(root, image_id)

    assert found is not None
    assert contents(found) == contents(as_archive(IMAGE))
