"""``lamina packages``: an image's packages, by their real bytes."""

from __future__ import annotations

import argparse
import sys

from lamina_tui.commands.options import OK, Parser, output_path, workspace_of
from lamina_tui.commands.report import read_all

_EPILOG = """\
examples
  lamina packages nginx:1.27
  lamina packages web.tar --csv -o packages.csv
  lamina packages web:2 --json | jq '.images[].packages[] | select(.wasted > 0)'

Read are the records of dpkg, apk, rpm (sqlite), Python, npm and gem, and what Go's linker writes into programs.
Bytes are those of the files in the layers, never what a database states; with what no package owns their sum is what
is visible. (removed): only lower layers have the package, and still ship it.
"""


def parser() -> Parser:
    """The command's arguments."""
    made = Parser(
        "lamina packages",
        usage="lamina packages TARGET... [--json | --markdown | --csv] [-o FILE]",
        description="List an image's packages: what each weighs, what it wastes, which instruction brought it.",
        epilog=_EPILOG,
    )
    made.add_argument("targets", metavar="TARGET", nargs="+", help="whose packages; see lamina --help")
    made.add_common()
    forms = made.add_form("lamina.packages/1")
    forms.add_argument("--csv", action="store_true", help="one row a package, for a spreadsheet")
    return made


def run(options: argparse.Namespace) -> int:
    """Print the packages of all targets.

    Raises:
        LaminaError: an image can't be read.
        Cancelled: it was interrupted.
        UsageError: the output's folder is not there.
    """
    output = output_path(options)
    from lamina_tui.commands.progress_line import ProgressLine

    workspace = workspace_of(options)
    with ProgressLine(sys.stderr) as line:
        images = read_all(workspace, options.targets, line)
        from lamina.packages.find_packages import find_packages
        from lamina.reports import packages as report

        built = report.build(images, [find_packages(image, line.cancel) for image in images])
    from lamina_tui.commands.output import emit, emit_document

    if options.csv:
        emit(report.to_csv(built), output)
        return OK
    emit_document(built, options, output, text=report.to_text, markdown=report.to_markdown)
    return OK
