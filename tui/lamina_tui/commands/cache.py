"""``lamina cache``: what is kept of earlier readings, and how to be rid of it."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

_EPILOG = """\
environment
  LAMINA_CACHE          another folder, or `off` to go without (as --no-cache does)
  LAMINA_CACHE_LIMIT    bytes to keep at most; the least recently used go first
"""


def parser(make: type[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """The subcommand's arguments."""
    made = make(
        prog="lamina cache",
        description="Tell what is kept of earlier readings: layers, images, and nothing of their files' contents.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("--clear", action="store_true", help="remove all of it")
    return made


def run(options: argparse.Namespace) -> str:
    """Do what was asked.

    Returns:
        What to print.

    Raises:
        OSError: a file can't be removed.
    """
    from lamina.amounts import plural, size_bytes
    from lamina.cache.folder import default_cache_folder
    from lamina.names import display_name

    cache = default_cache_folder()
    if cache.path is None:
        return "nothing is kept: the cache is off\n"
    folder = display_name(str(cache.path))
    if options.clear:
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
