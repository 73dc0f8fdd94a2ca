"""Files as lines of text: names alone, or with all that ``ls -l`` tells, and what became of each version."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Sequence

import numpy as np

from lamina.contents.file_rows import NOBODY, FileRows
from lamina.model import Change, Kind
from lamina.names import display_name

TYPE_BITS: dict[int, int] = {
    Kind.FILE: stat.S_IFREG,
    Kind.HARDLINK: stat.S_IFREG,
    Kind.SYMLINK: stat.S_IFLNK,
    Kind.CHAR: stat.S_IFCHR,
    Kind.BLOCK: stat.S_IFBLK,
    Kind.DIR: stat.S_IFDIR,
    Kind.FIFO: stat.S_IFIFO,
}
_UNKNOWN = "?"
_NO_LAYER = "-"


def short_lines(rows: FileRows, names: Sequence[bytes], *, marks: bool = False) -> Iterator[str]:
    """A line each: with ``marks`` the change, the name; of versions in all layers, layer and fate, too."""
    changes = rows.change.tolist()
    layers = rows.layer.tolist()
    for row, name in enumerate(names):
        shown = display_name(name)
        if rows.hidden_by is not None:
            yield f"{_layer(layers[row]):>3} {Change(changes[row]).mark} {shown}{fate(rows, row)}\n"
        else:
            yield f"{Change(changes[row]).mark} {shown}\n" if marks else f"{shown}\n"


def long_lines(rows: FileRows, names: Sequence[bytes]) -> Iterator[str]:
    """A line each: change, mode, owner, bytes at or below it, time (UTC), the layer that ships it, name and target.

    Bytes that are removed have a minus. Columns are as wide as these rows need. What no layer lists has no mode, owner
    and time: ``?``.
    """
    union, carrier = rows.union, rows.carrier
    listed = rows.listed.tolist()
    kinds, changes, layers = rows.kind.tolist(), rows.change.tolist(), rows.layer.tolist()
    modes, uids, gids = (column[carrier].tolist() for column in (union.mode, union.uid, union.gid))
    times = np.datetime_as_string(union.mtime[carrier].astype("datetime64[ns]"), unit="s").tolist()
    owners = [f"{uid}:{gid}" if known else _UNKNOWN for uid, gid, known in zip(uids, gids, listed, strict=True)]
    sizes = [
        display_name(device) if device else str(size if changes[row] != Change.REMOVED else -size)
        for row, (device, size) in enumerate(zip(rows.devices(), rows.weight.tolist(), strict=True))
    ]
    targets = [f" -> {display_name(target)}" if target else "" for target in rows.links()]
    owner_width, size_width = max(map(len, owners), default=0), max(map(len, sizes), default=0)
    layer_width = len(str(union.layer_count - 1))
    marks = [change.mark for change in Change]
    words: dict[tuple[int, int], str] = {}
    for row, name in enumerate(names):
        kind, known = kinds[row], listed[row]
        what = kind, modes[row]
        if what not in words:
            words[what] = stat.filemode(TYPE_BITS[kind] | modes[row])
        yield (
            f"{marks[changes[row]]} {words[what] if known else words[what][0] + _UNKNOWN * 9}"
            f" {owners[row]:<{owner_width}} {sizes[row]:>{size_width}}"
            f" {times[row] + 'Z' if known else _UNKNOWN:<20} {_layer(layers[row]):>{layer_width}} {display_name(name)}"
            f"{targets[row]}{'' if rows.hidden_by is None else fate(rows, row)}\n"
        )


def fate(rows: FileRows, row: int) -> str:
    """What became of a version, to be said after its name; nothing of one that is there in the end."""
    if rows.hidden_by is None or rows.replaced is None or rows.hidden_by[row] == NOBODY:
        return ""
    how = "replaced" if rows.replaced[row] else "removed"
    return f"  ({how} by layer {rows.hidden_by[row]})"


def _layer(number: int) -> str:
    return _NO_LAYER if number == NOBODY else str(number)
