"""``lamina cat``: what is in a file of an image."""

from __future__ import annotations

import argparse
import sys

from lamina_tui.commands.image_files import add_layers, read_target, scope_of_options
from lamina_tui.commands.options import OK, Parser

TYPE_CHECKING = False  # as typing has it, which takes a tenth of the start to load
if TYPE_CHECKING:
    import threading

    from lamina.contents.content import FileContent
    from lamina.contents.image_files import ImageFiles

_EPILOG = """\
examples
  lamina cat web:2 etc/os-release             links are followed inside the image
  lamina cat web.tar etc/passwd --layer 3     the file as layer 3 ships it, though later ones hide it
  lamina cat web.tar usr/bin/app > app        bytes as they are
"""


def parser() -> Parser:
    """The command's arguments."""
    made = Parser(
        "lamina cat",
        usage="lamina cat TARGET PATH... [--layer N | --up-to N]",
        description="Print files of an image: to a terminal with their control characters made visible, else as they "
        "are.",
        epilog=_EPILOG,
    )
    made.add_argument("target", metavar="TARGET", help="an image; see lamina --help")
    made.add_argument("paths", metavar="PATH", nargs="+", help="a file in it")
    add_layers(made)
    made.add_common()
    return made


def run(options: argparse.Namespace) -> int:
    """Print the files.

    Raises:
        LaminaError: the image can't be read, or one of them is not there or no file; nothing is printed then.
        Cancelled: it was interrupted.
    """
    from lamina_tui.commands.progress_line import ProgressLine

    with ProgressLine(sys.stderr) as line:
        files = read_target(options, line)
        events = _events(files, options)
        line.hide()
        for event in events:
            _print(files, event, line.cancel)
    return OK


def _events(files: ImageFiles, options: argparse.Namespace) -> list[int]:
    """What each path leads to: all are looked up before one is printed."""
    from lamina.contents.content import check_file
    from lamina.contents.place import find_place

    scope = scope_of_options(files, options)
    events = []
    for path in options.paths:
        place = find_place(files, path, scope)
        check_file(files, place)
        events.append(place.event)
    return events


def _print(files: ImageFiles, event: int, cancel: threading.Event) -> None:
    from lamina.contents.content import open_content

    with open_content(files, event, cancel) as content:
        if sys.stdout.isatty():
            _show(content)
            return
        from lamina_tui.whole_file import named

        with named("standard output"):
            sys.stdout.flush()
            for piece in content.pieces():
                sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()


def _show(content: FileContent) -> None:
    """Text on a terminal: untrusted, so that what would control it is escaped; lines and tabs stay."""
    from lamina.errors import LaminaError
    from lamina_tui.commands.output import print_text

    rest = b""
    for piece in content.pieces():
        if b"\0" in piece:
            raise LaminaError("it is binary: write it into a file or a pipe (`lamina cat TARGET PATH > FILE`)")
        lines = (rest + piece).split(b"\n")
        rest = lines.pop()
        if lines:  # what is left of a line may end in the middle of a character: it waits
            print_text([_safe(line) + "\n" for line in lines])
    if rest:
        print_text([_safe(rest)])


def _safe(line: bytes) -> str:
    from lamina.names import display_name

    return "\t".join(map(display_name, line.split(b"\t")))
