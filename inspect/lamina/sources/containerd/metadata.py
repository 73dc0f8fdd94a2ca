"""The names of a containerd's images (containerd, ``metadata/buckets.go``: ``v1/<namespace>/images/<name>/target``)."""

from __future__ import annotations

from pathlib import Path

from lamina.dataclass import dataclass
from lamina.model import LaminaError
from lamina.names import display_name
from lamina.sources.containerd.bolt import Bolt, Broken, Bucket
from lamina.sources.json_checks import is_digest

METADATA = "io.containerd.metadata.v1.bolt/meta.db"
_LARGEST = 1 << 30
"""Bytes of the database: a node with a thousand images has some megabytes."""
_TRIES = 3


@dataclass(frozen=True, slots=True)
class NamedImage:
    """One name of an image. All of it is untrusted."""

    namespace: str
    name: str
    digest: str
    """Of its manifest, or of the index of its platforms."""
    media_type: str


def named_images(root: str) -> list[NamedImage]:
    """All names of images in all namespaces.

    Args:
        root: containerd's folder.

    Raises:
        LaminaError: its database can't be read.
    """
    path = Path(root, METADATA)
    fault: Broken | None = None
    for _ in range(_TRIES):  # it may be written meanwhile
        try:
            return _images(Bolt(_data(path)))
        except Broken as error:
            fault = error
    raise LaminaError(f"{display_name(str(path))} can't be read: {fault}")


def _data(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        what = "you may not: it takes root" if isinstance(error, PermissionError) else error.strerror
        raise LaminaError(f"{display_name(str(path))} can't be read: {what}") from None
    if len(data) > _LARGEST:
        raise LaminaError(f"{display_name(str(path))} is larger than {_LARGEST >> 20} MiB")
    return data


def _images(bolt: Bolt) -> list[NamedImage]:
    found: list[NamedImage] = []
    version = bolt.root.bucket(b"v1")
    for namespace, content in () if version is None else version.items():
        images = content.bucket(b"images") if isinstance(content, Bucket) else None
        for name, image in () if images is None else images.items():
            target = image.bucket(b"target") if isinstance(image, Bucket) else None
            told = {} if target is None else dict(target.items())
            digest, media_type = _text(told.get(b"digest")), _text(told.get(b"mediatype"))
            if is_digest(digest):
                found.append(NamedImage(_text(namespace), _text(name), digest, media_type))
    return found


def _text(value: bytes | Bucket | None) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""
