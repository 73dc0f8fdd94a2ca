"""Writing a file that is there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@contextmanager
def named(place: str) -> Iterator[None]:
    """Errors of what is done inside tell where: those of a write don't."""
    try:
        yield
    except BrokenPipeError:
        raise  # nobody reads any more, which is no error
    except OSError as error:
        raise OSError(error.errno, error.strerror, place) from None


def whole_lines(pieces: Iterable[str]) -> Iterator[str]:
    """The pieces, with a line end behind the last where it has none; of nothing, nothing."""
    last = "\n"
    for piece in pieces:
        yield piece
        last = piece or last
    if not last.endswith("\n"):
        yield "\n"


def write_whole(path: Path, pieces: Iterable[str]) -> None:
    """Write a file whole or not at all: a temporary file beside it takes its name at the end.

    Args:
        path: where; what is there is written over, a device or a pipe written to.
        pieces: the text; lone surrogates stand for bytes that are no UTF-8.

    Raises:
        OSError: it can't be written there; it names the place.
    """
    if path.exists() and not path.is_file():
        # A device or a pipe, /dev/stdout for one: nothing there can be renamed over.
        with named(str(path)), path.open("w", encoding="utf-8", errors="surrogateescape") as file:
            file.writelines(whole_lines(pieces))
        return
    import tempfile
    from pathlib import Path

    with named(str(path)):
        handle, name = tempfile.mkstemp(prefix=".lamina.", dir=path.parent)
    temporary = Path(name)
    try:
        with named(str(path)), os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.writelines(whole_lines(pieces))
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(path.stat().st_mode & 0o7777 if path.exists() else 0o666 & ~mask)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
