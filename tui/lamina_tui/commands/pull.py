"""``lamina pull``: what a pull will cost, and then the pull itself, by the engine."""

from __future__ import annotations

import argparse
import sys

from lamina_tui.commands.options import OK, Parser, output_path, workspace_of

_EPILOG = """\
examples
  lamina pull debian:12                   what it will fetch; then asks
  lamina pull debian:12 --yes             pulls without asking
  lamina pull debian:12 --json | jq '.fetched'

Where nobody can be asked, nothing is pulled without --yes. A pull is the one thing that lamina changes on an engine.
"""


def parser() -> Parser:
    """The command's arguments."""
    made = Parser(
        "lamina pull",
        usage="lamina pull NAME [--yes] [--json | --markdown] [-o FILE] [--host URL]",
        description="Tell which layers of an image come from its registry, which are here; then let the engine pull.",
        epilog=_EPILOG,
    )
    made.add_argument("name", metavar="NAME", help="an image in a registry, docker:// before it or not")
    made.add_argument("--yes", action="store_true", help="pull without asking")
    made.add_common()
    made.add_form("lamina.pull/1")
    return made


def run(options: argparse.Namespace) -> int:
    """Tell the cost; pull where that is wanted.

    Raises:
        LaminaError: registry or engine can't be used, or refuse.
        Cancelled: it was interrupted.
        UsageError: the output's folder is not there.
    """
    output = output_path(options)
    from lamina.reports import pull as report
    from lamina_tui.commands.output import emit_document
    from lamina_tui.commands.progress_line import ProgressLine

    workspace = workspace_of(options)
    with ProgressLine(sys.stderr) as line:
        pull = workspace.pull(options.name, cancel=line.cancel, progress=line.progress)
    emit_document(
        report.build(pull.plan, pull.engine), options, output, text=report.to_text, markdown=report.to_markdown
    )
    if not (options.yes or _wanted()):
        ProgressLine(sys.stderr).remark("nothing was pulled: --yes does it without asking")
        return OK
    with ProgressLine(sys.stderr) as line:
        pull.run(line.cancel, line.progress)
        line.remark(f"pulled {pull.reference}")
    return OK


def _wanted() -> bool:
    """Ask whoever sits at the terminal; nobody there is a no."""
    if not (sys.stdin.isatty() and sys.stderr.isatty() and sys.stdout.isatty()):
        return False
    sys.stderr.write("pull it? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
