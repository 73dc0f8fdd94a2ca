"""Taking one file out of a large image, beside the plainest way to the same bytes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from inputs import Image
from processes import Command, output, shell
from works import Contest, Work, decompressor, lamina

_PLAIN_LIMIT = 2.0
_PACKED_LIMIT = 1.0
_MORE = 3


def content_contests(image: Image, cache: Path, wanted: Callable[[str], bool]) -> Iterator[Contest]:
    """The last file of the largest layer: of an archive that was opened before, and of a layout with gzip layers.

    Args:
        image: what is read.
        cache: an empty folder.
        wanted: whether a work of this name is asked for.
    """
    if not wanted("file"):
        return
    name, tool = decompressor("gzip")
    blob = max(image.blobs("gzip"), key=lambda path: path.stat().st_size)
    listed, _ = output(shell(f'{tool} "$1" | tar -t | grep -v "/$" | tail -n 1', blob))
    path = listed.decode().strip()
    environment = {"LAMINA_CACHE": str(cache)}
    plain = lamina("cat", image.archive, path, **environment)
    yield Contest(
        "python's import of numpy",
        Command([sys.executable, "-c", "import numpy"], {}),
        [Work("file", "a file of a plain archive, opened before", plain, _PLAIN_LIMIT, primed=True)],
        more=_MORE,
    )
    packed = lamina("cat", f"oci:{image.layout('gzip')}", path, **environment)
    yield Contest(
        f"{name}, tar -xO",
        shell(f'{tool} "$1" | tar -xO "$2" >/dev/null', blob, path),
        [Work("file", "the last file of a gzip layer, the second time", packed, _PACKED_LIMIT, primed=True)],
    )
