"""The images of a containerd without an engine before it, as a Kubernetes node has them."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from lamina.cache.cache import Cache
from lamina.model import ImageSummary, KnownImage, LaminaError, Progress
from lamina.names import display_name
from lamina.sources.base import Observer, ReadImage
from lamina.sources.blobs import BlobReader
from lamina.sources.choose import StoreImages
from lamina.sources.containerd.metadata import METADATA, NamedImage, named_images
from lamina.sources.folder import Folder
from lamina.workers.pool import Pool

ROOTS = (
    "/var/lib/containerd",
    "/var/lib/rancher/k3s/agent/containerd",
    "/var/lib/rancher/rke2/agent/containerd",
    "/var/snap/microk8s/common/var/lib/containerd",
    "/var/lib/docker/containerd/daemon",
)
"""Where a containerd keeps what it has: its own default, those of Kubernetes distributions, Docker's own."""
VARIABLE = "LAMINA_CONTAINERD"
"""Names another root."""

_CONTENT = "io.containerd.content.v1.content"
_USUAL = ("k8s.io", "default", "moby")
"""Namespaces, the most usual first."""
_NAME = "io.containerd.image.name"


class ContainerdSource:
    """The images that a containerd's content store still holds.

    Args:
        cache: what was read before; None: nothing.
        pool: where the work of reading is done; None: on threads.
        platform: see :class:`lamina.sources.choose.StoreImages`.

    Raises:
        LaminaError: there is no containerd, or its metadata can't be read.
    """

    def __init__(self, cache: Cache | None = None, pool: Pool | None = None, platform: str = "") -> None:
        self._root = containerd_root()
        self.label = f"containerd {display_name(self._root)}"
        self._store = _ContentStore(self._root, self.label)
        self._images: StoreImages | None = None
        self._platform = platform
        self._reader = BlobReader(self.label, self._store.locate, cache or Cache(), pool or Pool())

    def list(
        self,
        cancel: threading.Event | None = None,  # noqa: ARG002  # headers only: it takes no time worth cancelling
        progress: Callable[[Progress], None] | None = None,  # noqa: ARG002
    ) -> list[ImageSummary]:
        """See :meth:`lamina.sources.base.Source.list`."""
        return self._open().summaries()

    @property
    def remark(self) -> str:
        """See :attr:`lamina.sources.base.Source.remark`."""
        return "" if self._images is None else self._images.remark

    @property
    def knows_sizes(self) -> bool:
        """A content store tells sizes of blobs, not of files."""
        return False

    def known_images(
        self,
        cancel: threading.Event | None = None,  # noqa: ARG002  # headers only, too
        progress: Callable[[Progress], None] | None = None,  # noqa: ARG002
    ) -> Sequence[KnownImage]:
        """See :meth:`lamina.sources.base.Source.known_images`."""
        return self._open().known_images()

    def read(
        self, target: str | None, observer: Observer, cancel: threading.Event, *, verify: bool = False
    ) -> ReadImage:
        """See :meth:`lamina.sources.base.Source.read`."""
        return self._reader.read(self._open().choose(target), observer, cancel, verify=verify)

    def _open(self) -> StoreImages:
        if self._images is None:
            self._images = StoreImages(self._store, "oci", self._platform)
        return self._images


def containerd_root() -> str:
    """The folder of the containerd on this machine.

    Raises:
        LaminaError: there is none.
    """
    named = os.environ.get(VARIABLE)
    looked = (named,) if named else ROOTS
    for root in looked:
        try:
            Path(root, METADATA).stat()
        except PermissionError:
            raise LaminaError(f"containerd's {display_name(root)} may not be looked into: it takes root") from None
        except (OSError, ValueError):
            continue
        return root
    raise LaminaError(
        f"no containerd found at {', '.join(display_name(root) for root in looked)}: {VARIABLE} names another root"
    )


class _ContentStore(Folder):
    """A content store under the names that containerd's metadata has for it."""

    absence = ": containerd has discarded it after it was unpacked (discard_unpacked_layers), and holds its files alone"

    def __init__(self, root: str, where: str) -> None:
        super().__init__(str(Path(root, _CONTENT)), where)
        self.name = "containerd"
        self._root = root

    def document(self, name: str) -> bytes | None:
        """See :meth:`lamina.sources.store.Store.document`; the index is made from the names."""
        return _index(named_images(self._root)) if name == "index.json" else super().document(name)


def _index(images: Sequence[NamedImage]) -> bytes:
    """An ``index.json`` of all names, each image once in each namespace."""
    if not images:
        raise LaminaError("containerd has no image")
    order = {namespace: number for number, namespace in enumerate(_USUAL)}
    rows = sorted(images, key=lambda image: (order.get(image.namespace, len(order)), image.namespace))
    # Kubernetes adds the config's digest, and the name with the manifest's, to every name.
    plain = {(row.namespace, row.digest) for row in rows if _is_plain(row.name)}
    kept = [row for row in rows if _is_plain(row.name) or (row.namespace, row.digest) not in plain]
    spaces = {row.namespace for row in kept}
    namesakes: dict[str, set[str]] = {}
    for row in kept:
        namesakes.setdefault(row.name, set()).add(row.digest)
    manifests = []
    for row in kept:
        # One name may be another image in another namespace.
        apart = len(spaces) > 1 and len(namesakes[row.name]) > 1
        name = f"{row.name} ({row.namespace})" if apart else row.name
        manifests.append({"mediaType": row.media_type, "digest": row.digest, "annotations": {_NAME: name}})
    unique = {(row["digest"], str(row["annotations"])): row for row in manifests}
    return json.dumps({"schemaVersion": 2, "manifests": list(unique.values())}).encode()


def _is_plain(name: str) -> bool:
    return "@" not in name and not name.startswith("sha256:")
