"""containerd's content store: where newer Docker engines keep an image's blobs as they came, read-only.

The store is laid out as an OCI layout is, without an index: an image is the digest of its manifest, or of the index of
its platforms' manifests. The engine's API gives that digest as the image's ID, and everything read is held against it:
documents and blobs by their digests, layers by what the engine says of them. So a store that belongs to another engine
can do no harm.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lamina.model import ImageInfo, LaminaError
from lamina.sources.catalogue import catalogue
from lamina.sources.engine.answers import storage_root
from lamina.sources.folder import Folder
from lamina.sources.json_checks import is_digest, parse_object
from lamina.sources.oci_images import blob_name
from lamina.sources.store import Found

_CONTENT = "io.containerd.content.v1.content"
_SYSTEM_ROOT = "/var/lib/containerd"
"""Of a containerd that the engine didn't start itself."""


def find_blobs(engine_info: Mapping[str, Any], info: ImageInfo) -> tuple[Found, Folder] | None:
    """An image in the content store of an engine's containerd, where this process can read it.

    Args:
        engine_info: the engine's answer to ``/info``.
        info: what the engine says of the image.

    Returns:
        The image as its config says, and where its blobs are; None where no such store can be read, or
        none holds the image whole.
    """
    if not is_digest(info.id):
        return None
    root = storage_root(engine_info)
    # A dockerd that starts its own containerd gives it a folder of its own.
    roots = [] if root is None else [f"{root}/containerd/daemon"]
    for candidate in [*roots, _SYSTEM_ROOT]:
        folder = _ContentStore(str(Path(candidate, _CONTENT)), info.id)
        try:
            found = catalogue(folder, "oci").entries[0].open()
        except LaminaError:
            continue
        if [layer.diff_id for layer in found.info.layers] == [layer.diff_id for layer in info.layers]:
            return found, folder
    return None


class _ContentStore(Folder):
    """A content store as if it held one image alone."""

    def __init__(self, path: str, image_id: str) -> None:
        super().__init__(path, "the engine's store")
        self._image_id = image_id

    def document(self, name: str) -> bytes | None:
        """See :meth:`lamina.sources.store.Store.document`; the index is made up."""
        if name != "index.json":
            return super().document(name)
        data = super().document(blob_name(self._image_id))
        if data is None:
            return None
        kind = "index" if "manifests" in parse_object(data, f"the image in {self.where}") else "manifest"
        descriptor = {
            "mediaType": f"application/vnd.oci.image.{kind}.v1+json",
            "digest": self._image_id,
            "size": len(data),
        }
        return json.dumps({"schemaVersion": 2, "manifests": [descriptor]}).encode()
