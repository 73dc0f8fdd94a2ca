"""Where a command's text goes: standard output, or a file that is written whole or not at all."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def emit(text: str, output: Path | None) -> None:
    """Print a text, or write it to a file.

    Raises:
        OSError: it can't be written.
    """
    if not text.endswith("\n"):
        text += "\n"
    if output is None:
        print_text(text)
    else:
        write_whole(output, text)


def print_text(text: str) -> None:
    """Write to stdout, whatever its encoding: what it can't hold becomes a visible escape."""
    stream = sys.stdout
    data = text.encode(stream.encoding or "utf-8", "backslashreplace")
    stream.flush()
    stream.buffer.write(data)
    stream.buffer.flush()


def write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all: a temporary file beside it takes its name at the end."""
    if path.exists() and not path.is_file():
        # A device or a pipe, /dev/stdout for one: nothing there can be renamed over.
        path.write_text(text, encoding="utf-8")
        return
    import tempfile
    from pathlib import Path

    try:
        handle, name = tempfile.mkstemp(prefix=".lamina.", dir=path.parent)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(path.stat().st_mode & 0o7777 if path.exists() else 0o666 & ~mask)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
