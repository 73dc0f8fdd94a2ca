"""An engine's own disk: each layer's tar-split record and unpacked files, read-only, instead of an export.

Only for an engine on this host, and only where this user may read its store (root, or a rootless engine's own user).
Everything read is held against a digest that the engine's API gave, so a store that belongs to another engine, or has
a shape that is not known here, is not used: the answer is then None, and the export is read.

Docker keeps layers by chain_id (``image/overlay2/layerdb``), configs by image ID (``imagedb``); containers-storage
(Podman) keeps tables in JSON (``overlay-layers/layers.json``, ``overlay-images/images.json``).
"""

from __future__ import annotations

import base64
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lamina import limits
from lamina.dataclass import dataclass
from lamina.model import LaminaError, LayerInfo
from lamina.sources.engine.answers import storage_root
from lamina.sources.json_checks import is_digest, parse_json, sha256


@dataclass(frozen=True, slots=True)
class StoredLayer:
    """One layer in a store."""

    tar_split: Path
    """The record of all its headers."""
    files: Path
    """The folder its files are unpacked in."""


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image whose every layer is in a store."""

    config: bytes
    """The config, whose digest is the image's ID."""
    layers: tuple[StoredLayer, ...]


def find_image(engine_info: Mapping[str, Any], image_id: str, layers: tuple[LayerInfo, ...]) -> StoredImage | None:
    """An image in the store of the engine, where this process can read it.

    Args:
        engine_info: the engine's answer to ``/info``.
        image_id: the image's ID, the digest of its config.
        layers: what the engine says of the image's layers.

    Returns:
        None where the store can't be read, is of another kind, or doesn't hold the image whole.
    """
    root, driver = storage_root(engine_info), engine_info.get("Driver")
    if root is None or not is_digest(image_id):
        return None
    stores: list[Callable[[Path, str, tuple[LayerInfo, ...]], StoredImage | None]] = []
    if driver == "overlay2":
        stores.append(_in_docker)
    elif driver == "overlay":  # Podman's service tells its storage's root here
        stores.append(_in_containers_storage)
    for store in stores:
        try:
            image = store(Path(root), image_id, layers)
        except (LaminaError, OSError, ValueError, KeyError, TypeError):
            continue
        if image is not None and sha256(image.config) == image_id:
            return image
    return None


def _small(path: Path) -> bytes:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode) or status.st_size > limits.DOCUMENT:  # a pipe would keep us waiting
        raise ValueError("no document")
    return path.read_bytes()


def _complete(layers: list[StoredLayer], config: bytes) -> StoredImage | None:
    for layer in layers:
        if not layer.tar_split.is_file() or not layer.files.is_dir():
            return None
        with layer.tar_split.open("rb"):  # may we?
            pass
    return StoredImage(config, tuple(layers))


def _in_docker(root: Path, image_id: str, layers: tuple[LayerInfo, ...]) -> StoredImage | None:
    metadata = root / "image" / "overlay2"
    found = []
    for layer in layers:
        if not is_digest(layer.chain_id):
            return None
        record = metadata / "layerdb" / "sha256" / layer.chain_id.removeprefix("sha256:")
        if _small(record / "diff").decode() != layer.diff_id:
            return None
        cache_id = _small(record / "cache-id").decode()
        if not cache_id.isalnum():
            return None
        found.append(StoredLayer(record / "tar-split.json.gz", root / "overlay2" / cache_id / "diff"))
    config = _small(metadata / "imagedb" / "content" / "sha256" / image_id.removeprefix("sha256:"))
    return _complete(found, config)


def _in_containers_storage(root: Path, image_id: str, layers: tuple[LayerInfo, ...]) -> StoredImage | None:
    name = image_id.removeprefix("sha256:")
    images = {image["id"]: image for image in parse_json(_small(root / "overlay-images" / "images.json"), "")}
    table = {layer["id"]: layer for layer in parse_json(_small(root / "overlay-layers" / "layers.json"), "")}
    chain: list[dict[str, Any]] = []
    layer_id = images[name].get("layer", "")
    while layer_id and len(chain) <= len(layers):  # a damaged table may go in a circle
        chain.append(table[layer_id])
        layer_id = table[layer_id].get("parent", "")
    chain.reverse()
    if [layer.get("diff-digest") for layer in chain] != [layer.diff_id for layer in layers]:
        return None
    found = []
    for layer in chain:
        if not str(layer["id"]).isalnum():
            return None
        found.append(
            StoredLayer(
                root / "overlay-layers" / f"{layer['id']}.tar-split.gz", root / "overlay" / layer["id"] / "diff"
            )
        )
    big_data = base64.b64encode(image_id.encode()).decode()
    config = _small(root / "overlay-images" / name / f"={big_data}")
    return _complete(found, config)
