"""``lamina search``: repositories by words, by the engine or by a registry itself."""

from __future__ import annotations

import argparse
import sys

from lamina_tui.commands.options import OK, Parser, output_path, workspace_of

_EPILOG = """\
examples
  lamina search postgres                 as the engine searches; without one the default registry is asked
  lamina search localhost:5000/web       in the catalogue of one registry
  lamina search localhost:5000           all of it

`lamina tags NAME` then lists what there is of one, `lamina pull NAME` tells what it costs.
"""


def parser() -> Parser:
    """The command's arguments."""
    made = Parser(
        "lamina search",
        usage="lamina search TERM [--limit N] [--json | --markdown] [-o FILE] [--host URL]",
        description="Find repositories by words: name, stars, whether it is official, description.",
        epilog=_EPILOG,
    )
    made.add_argument("term", metavar="TERM", help="words; HOST/WORDS asks that registry itself")
    made.add_argument(
        "--limit", metavar="N", type=_limit, default=25, help="of how many repositories (25; 100 at most)"
    )
    made.add_common()
    made.add_form("lamina.search/1")
    return made


def _limit(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text[:9]) <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 100")
    return int(text)


def run(options: argparse.Namespace) -> int:
    """Print what was found.

    Raises:
        LaminaError: nobody can be asked, or refuses.
        Cancelled: it was interrupted.
        UsageError: the output's folder is not there.
    """
    output = output_path(options)
    from lamina.reports import search as report
    from lamina_tui.commands.output import emit_document
    from lamina_tui.commands.progress_line import ProgressLine

    workspace = workspace_of(options)
    with ProgressLine(sys.stderr) as line:
        found = workspace.search(options.term, options.limit, cancel=line.cancel, progress=line.progress)
    emit_document(report.build(found), options, output, text=report.to_text, markdown=report.to_markdown)
    return OK
