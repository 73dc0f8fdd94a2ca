"""``lamina history``: every layer that touched a path."""

from __future__ import annotations

import argparse
import sys

from lamina_tui.commands.image_files import read_target
from lamina_tui.commands.options import OK, Parser

_EPILOG = """\
examples
  lamina history web:2 etc/passwd             who wrote it, who changed it, who removed it
  lamina history web.tar usr/bin/app --json | jq .ships

Links in the folders on the way are followed; a link at the end is what is asked for.
"""


def parser() -> Parser:
    """The command's arguments."""
    made = Parser(
        "lamina history",
        usage="lamina history TARGET PATH [--json]",
        description="Tell of every layer that touched a path: what it did, with which instruction.",
        epilog=_EPILOG,
    )
    made.add_argument("target", metavar="TARGET", help="an image; see lamina --help")
    made.add_argument("path", metavar="PATH", help="a file or folder of any of its layers")
    made.add_argument("--json", action="store_true", help="one JSON object, schema lamina.history/1")
    made.add_common()
    return made


def run(options: argparse.Namespace) -> int:
    """Print the history.

    Raises:
        LaminaError: the image can't be read, or no layer has the path.
        Cancelled: it was interrupted.
    """
    from lamina.contents.whole_history import history_of
    from lamina.reports import history as report
    from lamina.reports.json_text import json_pieces
    from lamina_tui.commands.output import print_text
    from lamina_tui.commands.progress_line import ProgressLine

    with ProgressLine(sys.stderr) as line:
        files = read_target(options, line)
        built = report.build(files, history_of(files, options.path))
    print_text(json_pieces(built) if options.json else [report.to_text(built)])
    return OK
