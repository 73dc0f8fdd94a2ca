"""``lamina ls``: the names in a folder of an image."""

from __future__ import annotations

import argparse
import sys

from lamina_tui.commands.image_files import add_layers, read_target, scope_of_options
from lamina_tui.commands.options import OK, Parser

TYPE_CHECKING = False  # as typing has it, which takes a tenth of the start to load
if TYPE_CHECKING:
    from collections.abc import Iterator

    from lamina.contents.image_files import ImageFiles
    from lamina.contents.listing import Listing

_EPILOG = """\
examples
  lamina ls web:2 etc                         names, as ls has them
  lamina ls web.tar usr/lib -l                mode, owner, size, time and layer of each; of a folder: all below it
  lamina ls web.tar --layer 3 -R              what layer 3 carries, and with - what it removes
  lamina ls web.tar -R -0 | xargs -0 ...      names as the bytes they are
  lamina ls web.tar -R --ncdu | ncdu -f-      to be walked in ncdu

+ added  M modified  m metadata only  - removed: by the layer asked for, or by the last that counts
Of what is removed -l tells the bytes that go, with a minus.
"""


def parser() -> Parser:
    """The command's arguments."""
    made = Parser(
        "lamina ls",
        usage="lamina ls TARGET [PATH] [-l] [-R] [-0 | --json | --ncdu] [--layer N | --up-to N]",
        description="List what is in a folder of an image. Control characters in names are made visible, unless -0.",
        epilog=_EPILOG,
    )
    made.add_argument("target", metavar="TARGET", help="an image; see lamina --help")
    made.add_argument("path", metavar="PATH", nargs="?", default="", help="a folder or file in it; else all of it")
    made.add_argument("-l", "--long", action="store_true", help="change, mode, owner, bytes, time, layer of each")
    made.add_argument("-R", "--recursive", action="store_true", help="all that is below, a path a line")
    add_layers(made)
    form = made.add_mutually_exclusive_group()
    form.add_argument("-0", "--null", action="store_true", help="names as they are, each ended by a NUL; nothing else")
    form.add_argument("--json", action="store_true", help="one JSON object, schema lamina.files/1")
    form.add_argument("--ncdu", action="store_true", help="all that is below as an export for ncdu -f")
    made.add_common()
    return made


def run(options: argparse.Namespace) -> int:
    """Print the list.

    Raises:
        LaminaError: the image can't be read, or nothing is at the path.
        Cancelled: it was interrupted.
    """
    from lamina_tui.commands.output import print_bytes, print_text
    from lamina_tui.commands.progress_line import ProgressLine

    with ProgressLine(sys.stderr) as line:
        files = read_target(options, line)
        listing = _listing(files, options)
    if options.null:
        print_bytes(name + b"\0" for name in _names(listing, options))
    elif options.ncdu:
        import lamina
        from lamina.reports.ncdu import ncdu_below

        export = ncdu_below(listing.view, listing.there, listing.top, files.name, lamina.__version__)
        print_bytes(text.encode("utf-8", "surrogateescape") for text in export)
    else:
        print_text(_text(listing, options))
    return OK


def _listing(files: ImageFiles, options: argparse.Namespace) -> Listing:
    from lamina.contents.listing import list_place

    # As ls does: a link to a folder is that folder, unless what is asked for are the facts about the link.
    follows = not options.long or options.path.endswith("/")
    return list_place(files, options.path, scope_of_options(files, options), last_link=follows)


def _names(listing: Listing, options: argparse.Namespace) -> list[bytes]:
    paths = listing.view.union.paths
    rows = listing.paths(whole=options.recursive)
    if options.recursive or not listing.is_folder:
        return paths.texts(rows)
    return [paths.name(row) for row in rows.tolist()]


def _text(listing: Listing, options: argparse.Namespace) -> Iterator[str]:
    from lamina.reports.file_lines import long_lines, short_lines
    from lamina.reports.files import rows_json

    rows = listing.rows(whole=options.recursive)
    if options.json:
        return rows_json(listing.view.title, [rows])
    if options.long:
        return long_lines(rows, _names(listing, options))
    return short_lines(rows, _names(listing, options), marks=listing.alone)
