"""``lamina tags``: the versions of an image in a registry, and what each update costs."""

from __future__ import annotations

import argparse
import sys

from lamina_tui.commands.options import OK, Parser, output_path, workspace_of

_EPILOG = """\
examples
  lamina tags debian                      the last ten by name, the oldest first
  lamina tags localhost:5000/team/app --last 3
  lamina tags team/app --last 0 --json | jq '.tags | max_by(.update)'

size     bytes that pulling it transfers where nothing of it is there
update   the same where the version above it is there
"""


def parser() -> Parser:
    """The command's arguments."""
    made = Parser(
        "lamina tags",
        usage="lamina tags NAME [--last N] [--json | --markdown] [-o FILE]",
        description="List an image's versions in a registry, without an engine and without reading a layer.",
        epilog=_EPILOG,
    )
    made.add_argument("name", metavar="NAME", help="an image in a registry, docker:// before it or not")
    made.add_argument("--last", metavar="N", type=_count, default=10, help="of how many tags (0: of all)")
    made.add_common()
    made.add_form("lamina.tags/1")
    return made


def _count(text: str) -> int:
    if not text.isdecimal() or len(text) > 6:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of tags")
    return int(text)


def run(options: argparse.Namespace) -> int:
    """Print the tags.

    Raises:
        LaminaError: there is no such repository, or the registry can't be used.
        Cancelled: it was interrupted.
        UsageError: the output's folder is not there.
    """
    output = output_path(options)
    from lamina.reports import tags as report
    from lamina_tui.commands.output import emit_document
    from lamina_tui.commands.progress_line import ProgressLine

    workspace = workspace_of(options)
    with ProgressLine(sys.stderr) as line:
        found = workspace.tags(options.name, options.last, cancel=line.cancel, progress=line.progress)
        line.remark(found.remark)
    emit_document(report.build(found), options, output, text=report.to_text, markdown=report.to_markdown)
    return OK
