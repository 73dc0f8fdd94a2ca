"""Images made by hand, opened for their files."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path

import builders
from lamina.contents.content import open_content
from lamina.contents.image_files import ImageFiles, read_files
from lamina.contents.place import find_place, scope_of
from lamina.sources.base import NullObserver
from tars import Member, layer_tar


def image(folder: Path, *layers: Iterable[Member] | bytes) -> ImageFiles:
    """An image of these layers in a docker-archive, each given by its members or its tar."""
    tars = [layer if isinstance(layer, bytes) else layer_tar(*layer) for layer in layers]
    source = builders.archive(folder, builders.old_docker(builders.Image(tars)))
    return read_files(source, None, NullObserver(), threading.Event())


def content(files: ImageFiles, path: str, layer: int | None = None, up_to: int | None = None) -> bytes:
    """What a path's file has, links followed."""
    with open_content(files, find_place(files, path, scope_of(files, layer, up_to)).event) as opened:
        return b"".join(opened.pieces())
