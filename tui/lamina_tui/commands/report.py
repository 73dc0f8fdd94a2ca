"""``lamina report``: an image's figures, as text, Markdown, HTML or JSON."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from lamina.errors import LaminaError
from lamina_tui.commands.options import OK, Parser, output_path, workspace_of

if TYPE_CHECKING:
    from lamina.figures.image import LoadedImage
    from lamina.reports.json_text import Json
    from lamina.sources.base import Source
    from lamina.workspace import Workspace
    from lamina_tui.commands.progress_line import ProgressLine

_EPILOG = """\
examples
  lamina report nginx:1.27
  lamina report a.tar b.tar --json | jq '.images[].wasted'
  lamina report web.tar --markdown >> "$GITHUB_STEP_SUMMARY"
  lamina report nginx:1.26 nginx:1.27 --html -o nginx.html
  docker save web | lamina report - --json -o web.json
"""


def parser() -> Parser:
    """The command's arguments."""
    made = Parser(
        "lamina report", description="Print an image's figures: layers, waste and its causes.", epilog=_EPILOG
    )
    made.add_argument("targets", metavar="TARGET", nargs="+", help="what to report on; see lamina --help")
    made.add_common()
    forms = made.add_form("lamina.report/1")
    forms.add_argument("--html", action="store_true", help="one HTML file, for a browser, a phone or paper")
    made.add_base()
    made.add_ask_base()
    made.add_argument("--verify", action="store_true", help="check every layer against its digests")
    return made


def run(options: argparse.Namespace) -> int:
    """Print the report of all targets.

    Raises:
        LaminaError: an image can't be read.
        Cancelled: it was interrupted.
        UsageError: the output's folder is not there.
    """
    output = output_path(options)
    from lamina_tui.commands.progress_line import ProgressLine

    workspace = workspace_of(options, meanwhile=_load_what_figures_need)
    with ProgressLine(sys.stderr) as line:
        images = read_all(workspace, options.targets, line, verify=options.verify, base=options.base)
        if options.ask_base:
            ask_for_updates(workspace, images, line)
        from lamina.reports import image as report
        from lamina.reports import text

        built = report.build(images, line.cancel, own=options.own)
        page = _page(built, images) if options.html else None
    from lamina_tui.commands.output import emit, emit_document

    if page is not None:
        emit([page], output)
        return OK
    emit_document(built, options, output, text=text.to_text, markdown=text.to_markdown)
    return OK


def _page(built: Json, images: list[LoadedImage]) -> str:
    from lamina.reports.html import to_html

    return to_html(built, images)


def read_all(
    workspace: Workspace, targets: list[str], line: ProgressLine, *, verify: bool = False, base: str | None = None
) -> list[LoadedImage]:
    """Every image that the targets name; of a target that holds several and names none, all.

    Args:
        workspace: of the command.
        targets: as the user wrote them.
        line: notified of how far it has come.
        verify: whether every layer is checked against its digests.
        base: what they are built on, as the user says.

    Raises:
        LaminaError: one of them can't be read.
        Cancelled: it was interrupted.
    """
    images: list[LoadedImage] = []
    sources: list[Source] = []
    for target in targets:
        source, name = (workspace.demo(), None) if targets == ["demo"] else workspace.resolve(target)
        if source not in sources:
            sources.append(source)
        loaded = workspace.load_all(source, name, line, line.cancel, verify=verify)
        line.remark(source.remark)
        for image in loaded:
            if image.fetched is not None:
                line.remark(f"{image.info.target}: read {image.read_from}")
        images += loaded
    workspace.find_bases(images, sources, base, cancel=line.cancel, progress=line.progress)
    return images


def ask_for_updates(workspace: Workspace, images: list[LoadedImage], line: ProgressLine) -> None:
    """Ask whether the images' bases have moved on; what can't be asked is told, and hinders nothing.

    Raises:
        Cancelled: it was interrupted.
    """
    for image in images:
        if image.base is None or image.base.name is None:
            line.remark(f"{image.info.target}: nobody tells the name of its base (--base NAME does)")
            continue
        try:
            workspace.ask_for_update(image, cancel=line.cancel, progress=line.progress)
        except LaminaError as error:
            line.remark(f"the base of {image.info.target} can't be asked for: {error}")


def _load_what_figures_need() -> None:
    import lamina.figures.image
    import lamina.reports.image
    import lamina.reports.text  # noqa: F401
