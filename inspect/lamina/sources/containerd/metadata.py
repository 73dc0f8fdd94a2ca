"""The names of a containerd's images (containerd, ``metadata/buckets.go``: ``v1/<namespace>/images/<name>/target``)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lamina.model import LaminaError
from lamina.names import display_name
from lamina.sources.containerd.bolt import Bolt, Broken
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
    found = []
    for namespace, is_value in bolt.bucket(b"v1"):
        if is_value is not None:
            continue
        for name, value in bolt.bucket(b"v1", namespace, b"images"):
            if value is not None:
                continue
            target = dict(bolt.bucket(b"v1", namespace, b"images", name, b"target"))
            digest = _text(target.get(b"digest"))
            if is_digest(digest):
                found.append(NamedImage(_text(namespace), _text(name), digest, _text(target.get(b"mediatype"))))
    return found


def _text(value: bytes | None) -> str:
    return (value or b"").decode("utf-8", "replace")
