"""``lamina shared`` and ``lamina diff``: what images share, and what the step from one to another costs."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from lamina.figures.image import LoadedImage
    from lamina_tui.commands.progress_line import Narrator

_SHARED = """\
examples
  lamina shared                           all of the engine's images; no layer is read
  lamina shared web:1 web:2 worker.tar    engine and archives mixed; their layers are read
  lamina shared --json | jq '.sharing.images | max_by(.frees)'

unique   bytes of layers that no other image of the set has     shared   the rest
frees    bytes of an engine's disk that removing the image frees
"""

_DIFF = """\
examples
  lamina diff web:1 web:2                 a screen; text where standard output is no terminal
  lamina diff web:1 web:2 --json | jq '.pull'
  lamina diff old.tar new.tar --markdown >> "$GITHUB_STEP_SUMMARY"

pull     bytes of the layers that B has and A has not: compressed where the source knows
disk     bytes that an engine which has A stores more for B
"""


def parser(name: str, make: type[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """A subcommand's arguments.

    Args:
        name: ``shared`` or ``diff``.
        make: the parser's class.
    """
    shared = name == "shared"
    made = make(
        prog=f"lamina {name}",
        usage=f"lamina {name} {'[TARGET...]' if shared else 'A B'} [--json | --markdown] [-o FILE] [--host URL]",
        description="Tell what images share, each alone and by pairs."
        if shared
        else "Compare two images: what pulling B costs where A is there, and which files changed.",
        epilog=_SHARED if shared else _DIFF,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    if shared:
        made.add_argument(
            "targets", metavar="TARGET", nargs="*", help="see lamina --help; without one: the engine's images"
        )
        made.set_defaults(verify=False)
    else:
        made.add_argument("targets", metavar="TARGET", nargs=2, help="the older and the newer image; see lamina --help")
        made.add_argument("--ascii", action="store_true", help="draw with ASCII signs only")
    made.add_argument("--host", metavar="URL", help="the engine's address, as DOCKER_HOST has it")
    made.add_argument("--no-cache", action="store_true", help="read everything anew and keep nothing")
    form = made.add_mutually_exclusive_group()
    schema = "lamina.report/1, heads and sharing only" if shared else "lamina.diff/1"
    form.add_argument("--json", action="store_true", help=f"one JSON object, schema {schema}")
    form.add_argument("--markdown", action="store_true", help="Markdown, for a summary or a comment")
    made.add_argument("-o", "--output", metavar="FILE", help="write to FILE, whole or not at all")
    return made


def shared(options: argparse.Namespace, narrator: Narrator, load_all: Callable[[], Sequence[LoadedImage]]) -> str:
    """The text of ``lamina shared``.

    Raises:
        LaminaError: an image can't be read.
        Cancelled: it was interrupted.
    """
    from lamina.reports import shared as report_shared
    from lamina.reports.json_text import to_json

    if options.targets:
        built = report_shared.build(load_all())
    else:
        from lamina.cache.cache import default_cache
        from lamina.sources.engine.source import EngineSource

        engine = EngineSource(options.host, default_cache())
        built = report_shared.build_known(engine.known_images(narrator.cancel, narrator.progress))
    if options.json:
        return to_json(built)
    return report_shared.to_markdown(built) if options.markdown else report_shared.to_text(built)


def diff(options: argparse.Namespace, narrator: Narrator, stdin_for: Callable[[str], BinaryIO | None]) -> str:
    """The text of ``lamina diff``.

    Raises:
        LaminaError: an image can't be read.
        Cancelled: it was interrupted.
    """
    from lamina import sources
    from lamina.cache.cache import default_cache
    from lamina.figures.compare import compare
    from lamina.figures.image import load
    from lamina.reports import diff as report_diff
    from lamina.reports.json_text import to_json

    cache = default_cache()
    images = []
    for target in options.targets:
        source, name = sources.resolve(target, host=options.host, stdin=stdin_for(target), cache=cache)
        images.append(load(source, name, narrator, narrator.cancel))
        narrator.check()
    built = report_diff.build(compare(images[0], images[1], narrator.cancel))
    if options.json:
        return to_json(built)
    return report_diff.to_markdown(built) if options.markdown else report_diff.to_text(built)
