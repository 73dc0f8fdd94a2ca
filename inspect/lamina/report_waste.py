"""The waste rows of a report: there may be hundreds of thousands, so each is made when it is asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import overload

from lamina.json_text import Json, path_fields
from lamina.model import Cause
from lamina.waste import WasteTable

_WORDS = tuple(cause.word for cause in Cause)
_CHUNK = 2000  # rows of one piece of text

_quoted = json.encoder.encode_basestring_ascii


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
        columns = self._columns()
        before = "["
        while rows := list(islice(columns, _CHUNK)):
            yield before + ", ".join([_row_text(*row) for row in rows])
            before = ", "
        yield "]" if before == ", " else "[]"

    def _columns(self) -> Iterator[tuple[bytes, int, int, int, int]]:
        table = self._table
        return zip(
            table.paths(), table.size.tolist(), table.cause.tolist(), table.layer.tolist(), table.hidden_by.tolist(),
            strict=True,
        )  # fmt: skip


def _row(path: bytes, size: int, cause: int, layer: int, hidden_by: int) -> Json:
    return {**path_fields(path), "bytes": size, "cause": _WORDS[cause], "layer": layer, "hidden_by": hidden_by}


def _row_text(path: bytes, size: int, cause: int, layer: int, hidden_by: int) -> str:
    try:
        text = path.decode()
    except UnicodeDecodeError:
        return json.dumps(_row(path, size, cause, layer, hidden_by))
    return (
        f'{{"path": {_quoted(text)}, "bytes": {size}, "cause": "{_WORDS[cause]}", '
        f'"layer": {layer}, "hidden_by": {hidden_by}}}'
    )
