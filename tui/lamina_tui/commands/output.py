"""Where a command's text goes: standard output, or a file that is written whole or not at all."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from lamina_tui.whole_file import named, whole_lines, write_whole

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
    with named("standard output"):
        stream.flush()
        for text in whole_lines(pieces):
            stream.buffer.write(text.encode(stream.encoding or "utf-8", "backslashreplace"))
        stream.buffer.flush()


def print_bytes(pieces: Iterable[bytes]) -> None:
    """Write bytes to stdout as they are.

    Raises:
        OSError: nothing can be written there; it names the place.
    """
    with named("standard output"):
        sys.stdout.flush()
        sys.stdout.buffer.writelines(pieces)
        sys.stdout.buffer.flush()
