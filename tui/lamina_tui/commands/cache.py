"""``lamina cache``: what is kept of earlier readings, and how to be rid of it."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from lamina_tui.commands.options import OK, Parser

_EPILOG = """\
environment
  LAMINA_CACHE          another folder, or `off` to go without (as --no-cache does)
  LAMINA_CACHE_LIMIT    bytes to keep at most; the least recently used go first
"""


def parser() -> Parser:
    """The command's arguments."""
    made = Parser(
        "lamina cache",
        description="Tell what is kept of earlier readings: layers, images, and nothing of their files' contents.",
        epilog=_EPILOG,
    )
    made.add_argument("--clear", action="store_true", help="remove all of it")
    return made


def run(options: argparse.Namespace) -> int:
    """Print what is kept, or remove it.

    Raises:
        OSError: a file can't be removed.
    """
    from lamina_tui.commands.output import print_text

    print_text([_done(clear=options.clear)])
    return OK


def _done(*, clear: bool) -> str:
    from lamina.amounts import plural, size_bytes
    from lamina.cache.folder import default_cache_folder
    from lamina.names import display_name

    cache = default_cache_folder()
    if cache.path is None:
        return "nothing is kept: the cache is off\n"
    folder = display_name(str(cache.path))
    if clear:
        return f"{size_bytes(cache.clear())} removed from {folder}\n"
    entries = cache.entries()
    if not entries:
        return f"{folder}: empty\n"
    total = sum(entry.size for entry in entries)
    oldest = datetime.fromtimestamp(entries[-1].used, UTC).strftime("%Y-%m-%d %H:%M")
    return (
        f"{folder}: {size_bytes(total)} in {plural(len(entries), 'file')}, "
        f"of {size_bytes(cache.limit)} at most; the least recently used is of {oldest} UTC\n"
    )
