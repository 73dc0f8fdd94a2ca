"""The packages of an ``rpmdb.sqlite``; loaded where there is one."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lamina import limits
from lamina.packages.manager import Found, Record, Tell, text
from lamina.packages.rpm_header import read_header

_STEPS = 200_000_000
"""Instructions of sqlite's machine at the most: a database of 20,000 packages takes a thousandth of it."""


def read_database(record: Record, log: bytes, tell: Tell) -> Iterator[Found]:
    """Its packages.

    Args:
        record: the database.
        log: its write-ahead log; empty where it has none.
        tell: what can't be read.
    """
    steps = 0

    def too_long() -> bool:
        nonlocal steps
        steps += 100_000
        return steps > _STEPS

    # sqlite reads a log only beside a file.
    with tempfile.TemporaryDirectory(prefix="lamina-") as folder:
        path = Path(folder, "rpmdb.sqlite")
        try:
            path.write_bytes(record.data)
            if log:
                Path(folder, "rpmdb.sqlite-wal").write_bytes(log)
        except OSError as error:
            tell(record.row, f"no temporary file can be written: {error.strerror or error}")
            return
        connection = sqlite3.connect(path)
        try:
            connection.text_factory = bytes  # what claims to be text need be none
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, limits.PACKAGE_RECORD)
            connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
            connection.set_progress_handler(too_long, 100_000)
            for setting in ("trusted_schema = OFF", "cell_size_check = ON", "mmap_size = 0", "query_only = ON"):
                connection.execute(f"PRAGMA {setting}")
            table = connection.execute("SELECT type FROM sqlite_master WHERE name = 'Packages'").fetchone()
            if table != (b"table",):
                tell(record.row, "it has no table of packages")
                return
            broken = 0
            for (blob,) in connection.execute("SELECT blob FROM Packages"):
                package = read_header(blob) if isinstance(blob, bytes) else None
                if package is None:
                    broken += 1
                    continue
                yield Found(text(package.name), text(package.version), claims=package.files)
            if broken:
                tell(record.row, f"{broken} of its packages can't be read")
        except (sqlite3.Error, UnicodeDecodeError) as error:  # its errors quote the file, which need be no text
            tell(record.row, "it is too large to go through" if steps > _STEPS else f"it is damaged ({_word(error)})")
        finally:
            connection.close()


def _word(error: Exception) -> str:
    """What sqlite itself calls an error, which holds nothing of the file."""
    return getattr(error, "sqlite_errorname", None) or type(error).__name__
