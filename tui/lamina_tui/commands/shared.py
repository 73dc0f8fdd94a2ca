"""``lamina shared``: what images share, each alone and by pairs."""

from __future__ import annotations

import argparse
import sys

from lamina_tui.commands.options import OK, Parser, hosts_of, output_path, workspace_of

_EPILOG = """\
examples
  lamina shared                           all of the engine's images; no layer is read
  lamina shared web:1 web:2 worker.tar    engine and archives mixed; their layers are read
  lamina shared docker://a:1 docker://a:2 --manifests    in registries, without reading a layer
  lamina shared --host ssh://a --host ssh://b     what two servers have in common
  lamina shared --json | jq '.sharing.images | max_by(.frees)'

unique   bytes of layers that no other image of the set has     shared   the rest
frees    bytes of an engine's disk that removing the image frees
"""


def parser() -> Parser:
    """The command's arguments."""
    made = Parser(
        "lamina shared",
        usage="lamina shared [TARGET...] [--json | --markdown] [-o FILE] [--host URL]",
        description="Tell what images share, each alone and by pairs.",
        epilog=_EPILOG,
    )
    made.add_argument(
        "targets", metavar="TARGET", nargs="*", help="see lamina --help; without one: the engine's images"
    )
    made.add_common()
    made.add_manifests()
    made.add_form("lamina.report/1, heads and sharing only")
    return made


def run(options: argparse.Namespace) -> int:
    """Print what the targets share; without one, what all of the engine's images share.

    Raises:
        LaminaError: an image can't be read.
        Cancelled: it was interrupted.
        UsageError: the output's folder is not there.
    """
    output = output_path(options)
    from lamina.reports import shared as report
    from lamina.reports.sharing_text import sharing_markdown, sharing_text
    from lamina_tui.commands.output import emit_document
    from lamina_tui.commands.progress_line import ProgressLine
    from lamina_tui.commands.report import read_all

    hosts = hosts_of(options)
    several = len(hosts) > 1 and not options.targets
    if several:
        options.host = []
    workspace = workspace_of(options)
    with ProgressLine(sys.stderr) as line:
        if options.targets and options.manifests:
            known = [workspace.known(target, cancel=line.cancel, progress=line.progress) for target in options.targets]
            built = report.build_unread([image for images in known for image in images])
        elif options.targets:
            built = report.build(read_all(workspace, options.targets, line))
        elif several:
            engines = [workspace.at(host).engine() for host in hosts]
            told = [engine.known_images(line.cancel, line.progress) for engine in engines]
            built = report.build_engines([(engine.label, own) for engine, own in zip(engines, told, strict=True)])
        else:
            built = report.build_known(workspace.engine().known_images(line.cancel, line.progress))
    emit_document(built, options, output, text=sharing_text, markdown=sharing_markdown)
    return OK
