"""The waste rows of a report: there may be hundreds of thousands, so each is made when it is asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

from lamina.model import Cause
from lamina.reports.json_text import Json, path_fields
from lamina.stack.waste import WasteTable

_WORDS = tuple(cause.word for cause in Cause)
_CHUNK = 2000  # rows of one piece of text

_ODD = re.compile(rb"[^\0 -!#-\[\]-~]")
"""What JSON writes otherwise than it stands, or an ASCII text doesn't hold."""


class WasteRows(Sequence[Json]):
    """What ``waste`` of ``lamina.report/1`` lists, most bytes first."""

    def __init__(self, table: WasteTable) -> None:
        self._table = table

    def __len__(self) -> int:
        return len(self._table)

    @overload
    def __getitem__(self, index: int) -> Json: ...
    @overload
    def __getitem__(self, index: slice) -> list[Json]: ...
    def __getitem__(self, index: int | slice) -> Json | list[Json]:
        if isinstance(index, slice):
            return [self[row] for row in range(*index.indices(len(self)))]
        row = self._table[index]
        return _row(row.path, row.bytes, row.cause, row.layer, row.hidden_by)

    def __iter__(self) -> Iterator[Json]:
        return (_row(*row) for row in self._columns())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # as a list has none

    def json_pieces(self) -> Iterator[str]:
        """JSON text of all rows, straight from the columns."""
        table = self._table
        paths = table.paths()
        ends: dict[tuple[int, int, int], str] = {}
        before = "["
        for start in range(0, len(paths), _CHUNK):
            part = slice(start, start + _CHUNK)
            rows = []
            whys = zip(
                table.cause[part].tolist(), table.layer[part].tolist(), table.hidden_by[part].tolist(), strict=True
            )
            for path, size, why in zip(_path_members(paths[part]), table.size[part].tolist(), whys, strict=True):
                end = ends.get(why)
                if end is None:
                    end = ends[why] = _end(*why)
                rows.append(f'{{{path}, "bytes": {size}{end}')
            yield before + ", ".join(rows)
            before = ", "
        yield "]" if paths else "[]"

    def _columns(self) -> Iterator[tuple[bytes, int, int, int, int]]:
        table = self._table
        return zip(
            table.paths(), table.size.tolist(), table.cause.tolist(), table.layer.tolist(), table.hidden_by.tolist(),
            strict=True,
        )  # fmt: skip


def _path_members(paths: list[bytes]) -> Iterable[str]:
    """What JSON says of each path, as :func:`~lamina.reports.json_text.path_fields` has it."""
    joined = b"\0".join(paths)
    if not _ODD.search(joined):
        return [f'"path": "{path}"' for path in joined.decode("ascii").split("\0")]
    return (json.dumps(path_fields(path))[1:-1] for path in paths)


def _end(cause: int, layer: int, hidden_by: int) -> str:
    return f', "cause": "{_WORDS[cause]}", "layer": {layer}, "hidden_by": {hidden_by}}}'


def _row(path: bytes, size: int, cause: int, layer: int, hidden_by: int) -> Json:
    return {**path_fields(path), "bytes": size, "cause": _WORDS[cause], "layer": layer, "hidden_by": hidden_by}
