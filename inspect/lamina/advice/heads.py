"""The first bytes of files, of whatever layers, each layer opened once."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from lamina import limits
from lamina.contents.image_files import ImageFiles
from lamina.contents.layer_turns import layers_in_turn
from lamina.model import Cancelled, LaminaError


def read_heads(image: ImageFiles, inodes: NDArray[np.int32], cancel: threading.Event) -> dict[int, bytes]:
    """The first :data:`lamina.limits.ADVISED_HEAD` bytes of some files, by inode, as far as they can be read.

    Args:
        image: the image.
        inodes: events that carry files' bytes, each once.
        cancel: looked at between files.

    Raises:
        Cancelled: ``cancel`` was set.
    """
    union = image.union
    heads = dict.fromkeys(inodes[union.size[inodes] == 0].tolist(), b"")
    left = inodes[union.size[inodes] > 0]
    left = left[np.lexsort((union.offset[left], union.born[left]))]
    layers = union.born[left]
    try:
        for layer, reader in layers_in_turn(image, np.unique(layers).tolist(), cancel):
            for inode in left[layers == layer].tolist():
                if cancel.is_set():
                    raise Cancelled
                heads[inode] = reader.read(image.file_ref(inode), 0, limits.ADVISED_HEAD)
    except LaminaError:
        pass  # what was not read is told by its name alone
    return heads
