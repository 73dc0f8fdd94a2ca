"""``lamina diff``: what the step from one image to another costs."""

from __future__ import annotations

import argparse
import sys

from lamina_tui.commands.options import OK, Parser, output_path, workspace_of

_EPILOG = """\
examples
  lamina diff web:1 web:2                 a screen; text where standard output is no terminal
  lamina diff web:1 web:2 --json | jq '.pull'
  lamina diff docker://web:1 docker://web:2 --manifests    what an update costs; no layer is read
  lamina diff old.tar new.tar --markdown >> "$GITHUB_STEP_SUMMARY"

pull     bytes of the layers that B has and A has not: compressed where the source knows
disk     bytes that an engine which has A stores more for B
"""


def parser() -> Parser:
    """The command's arguments."""
    made = Parser(
        "lamina diff",
        usage="lamina diff A B [--json | --markdown] [-o FILE] [--host URL]",
        description="Compare two images: what pulling B costs where A is there, and which files changed.",
        epilog=_EPILOG,
    )
    made.add_argument("targets", metavar="TARGET", nargs=2, help="the older and the newer image; see lamina --help")
    made.add_screen()
    made.add_common()
    made.add_manifests()
    made.add_form("lamina.diff/1")
    return made


def run(options: argparse.Namespace) -> int:
    """Open the comparison on a screen; print it where there is none, or where a form or file was asked for.

    Raises:
        LaminaError: an image can't be read.
        Cancelled: it was interrupted.
        UsageError: the output's folder is not there.
    """
    if not (options.json or options.markdown or options.output or options.manifests) and sys.stdout.isatty():
        from lamina_tui.commands.screen import open_screen

        return open_screen(options, options.targets, diff=True)
    output = output_path(options)
    from lamina.figures.compare import compare
    from lamina.figures.image import load
    from lamina.packages.find_packages import find_packages, records_at_hand
    from lamina.reports import diff as report
    from lamina.reports.diff_packages import ComparedPackages
    from lamina_tui.commands.output import emit_document
    from lamina_tui.commands.progress_line import ProgressLine

    workspace = workspace_of(options)
    if options.manifests:
        with ProgressLine(sys.stderr) as line:
            a, b = (workspace.known(name, cancel=line.cancel, progress=line.progress)[0] for name in options.targets)
        emit_document(report.build_unread(a, b), options, output, text=report.to_text, markdown=report.to_markdown)
        return OK
    with ProgressLine(sys.stderr) as line:
        images = []
        for target in options.targets:
            source, name = workspace.resolve(target)
            images.append(load(source, name, line, line.cancel))
            line.check()
        found = compare(images[0], images[1], line.cancel)
        packages = (
            ComparedPackages(*(find_packages(image, line.cancel) for image in images))
            if all(map(records_at_hand, images))
            else None
        )
        built = report.build(found, packages)
    emit_document(built, options, output, text=report.to_text, markdown=report.to_markdown)
    return OK
