"""Where a command's text goes: standard output, or a file that is written whole or not at all."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable
    from pathlib import Path

    from lamina.reports.json_text import Json


def emit(pieces: Iterable[str], output: Path | None) -> None:
    """Print a text, or write it to a file.

    Args:
        pieces: of the text.
        output: the file; None: standard output.

    Raises:
        OSError: it can't be written.
    """
    if output is None:
        print_text(pieces)
    else:
        write_whole(output, pieces)


def emit_document(
    document: Json,
    options: Namespace,
    output: Path | None,
    *,
    text: Callable[[Json], str],
    markdown: Callable[[Json], str],
) -> None:
    """Print a report in the form that was asked for, or write it to a file.

    Args:
        document: the report.
        options: with ``json`` and ``markdown``.
        output: the file; None: standard output.
        text: makes the report's text.
        markdown: makes its Markdown.

    Raises:
        OSError: it can't be written.
    """
    from lamina.reports.json_text import json_pieces

    if options.json:
        emit(json_pieces(document), output)
    else:
        emit([markdown(document) if options.markdown else text(document)], output)


def print_text(pieces: Iterable[str]) -> None:
    """Write to stdout, whatever its encoding: what it can't hold becomes a visible escape.

    Raises:
        OSError: nothing can be written there; it names the place.
    """
    stream = sys.stdout
    with _named("standard output"):
        stream.flush()
        for text in _whole_lines(pieces):
            stream.buffer.write(text.encode(stream.encoding or "utf-8", "backslashreplace"))
        stream.buffer.flush()


@contextmanager
def _named(place: str) -> Iterator[None]:
    """Errors of what is done inside tell where: those of a write don't."""
    try:
        yield
    except BrokenPipeError:
        raise  # nobody reads any more, which is no error
    except OSError as error:
        raise OSError(error.errno, error.strerror, place) from None


def _whole_lines(pieces: Iterable[str]) -> Iterator[str]:
    """The pieces, with a line end behind the last where it has none."""
    last = ""
    for last in pieces:
        yield last
    if not last.endswith("\n"):
        yield "\n"


def write_whole(path: Path, pieces: Iterable[str]) -> None:
    """Write a file whole or not at all: a temporary file beside it takes its name at the end."""
    if path.exists() and not path.is_file():
        # A device or a pipe, /dev/stdout for one: nothing there can be renamed over.
        with _named(str(path)), path.open("w", encoding="utf-8") as file:
            file.writelines(_whole_lines(pieces))
        return
    import tempfile
    from pathlib import Path

    with _named(str(path)):
        handle, name = tempfile.mkstemp(prefix=".lamina.", dir=path.parent)
    temporary = Path(name)
    try:
        with _named(str(path)), os.fdopen(handle, "w", encoding="utf-8") as file:
            file.writelines(_whole_lines(pieces))
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(path.stat().st_mode & 0o7777 if path.exists() else 0o666 & ~mask)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
