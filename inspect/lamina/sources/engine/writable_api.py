"""A container's read/write layer through the engine's API: the list of its changes, and an archive of each.

The list (``GET /containers/{id}/changes``) has paths without sizes. Of an added directory one archive tells all that
is in it, unless something is mounted there; of every other change its own archive does. A directory that was only
changed needs no more of its archive than the first header.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from lamina.layers.block import BLOCK, parse_number
from lamina.layers.index import SEPARATOR, LayerIndex
from lamina.layers.paths import path_key
from lamina.layers.rows import LayerRows
from lamina.layers.scan import ALL, NONE, LayerScanner
from lamina.model import Cancelled, Kind, LaminaError
from lamina.sources.blocking import answer
from lamina.sources.engine.answers import Changed
from lamina.sources.engine.client import EngineClient, NotThere
from lamina.sources.engine.faults import connection_error
from lamina.sources.json_checks import quoted
from lamina.sources.progress import Ticker

if TYPE_CHECKING:
    from requests import Response

_CHUNK = 256 << 10
_EXTENSIONS = b"xgLK"


class WritableArchives:
    """Asks for one container's changes.

    Args:
        client: the engine.
        container: its whole ID.
        name: what the user calls it.
        mounts: the keys of the places where something else is mounted in it.
    """

    def __init__(self, client: EngineClient, container: str, name: str, mounts: Sequence[bytes]) -> None:
        self._client = client
        self._container = container
        self._where = f"container {quoted(name)} of the engine at {client.address}"
        self._mounts = mounts

    def scan(self, cancel: threading.Event, ticker: Ticker) -> LayerIndex:
        """The layer's index, every content hashed. What is gone when it is asked for is left out.

        Raises:
            LaminaError: the engine can't be asked, or the container is gone.
            Cancelled: ``cancel`` was set.
        """
        changes = answer(lambda: self._client.changes(self._container), cancel, ticker.tick)
        rows = LayerRows()
        changed = {path_key(path) for path, _ in changes}
        covered: set[bytes] = set()  # directories whose archive told all that is in them
        for number, (path, change) in enumerate(sorted(changes, key=lambda row: path_key(row[0]))):
            key = path_key(path)
            if not key or any(above in covered for above in _parents(key)):
                continue
            ticker.say(f"change {number + 1} of {len(changes)}")
            whole = change == Changed.ADDED and not any(_below(mount, key) for mount in self._mounts)
            try:
                index = self._fetch(path, cancel, ticker, whole=whole)
            except NotThere:
                if change == Changed.DELETED:
                    rows.add(key, Kind.WHITEOUT)
                continue
            is_folder = index.count > 0 and index.kind[0] == Kind.DIR
            if whole and is_folder:
                covered.add(key)
            parent = key.rpartition(SEPARATOR)[0]
            rows.extend(index, parent, changed.__contains__)
            if change == Changed.DELETED and is_folder:
                # It was removed and made anew: nothing of what was below is seen through it.
                rows.add(key, Kind.OPAQUE)
        return rows.index()

    def _fetch(self, path: bytes, cancel: threading.Event, ticker: Ticker, *, whole: bool) -> LayerIndex:
        """The index of a path's archive, or of its first member, where that is a directory."""
        response = answer(lambda: self._client.archive(self._container, path), cancel, ticker.tick)
        try:
            return answer(lambda: self._scan(response, cancel, ticker.advance, whole=whole), cancel, ticker.tick)
        finally:
            response.close()

    def _scan(
        self, response: Response, cancel: threading.Event, advance: Callable[[int], None], *, whole: bool
    ) -> LayerIndex:
        from requests.exceptions import RequestException
        from urllib3.exceptions import HTTPError

        def read(count: int) -> bytes:
            if cancel.is_set():
                raise Cancelled
            data: bytes = response.raw.read(count)
            advance(len(data))
            return data

        try:
            return self._take(read, whole=whole)
        except (HTTPError, RequestException, OSError, ValueError, AttributeError) as error:
            raise connection_error(error, self._client.address) from None

    def _take(self, read: Callable[[int], bytes], *, whole: bool) -> LayerIndex:
        head = read(BLOCK)
        flag = head[156:157]
        blocks = [head]
        while len(head) == BLOCK and flag in _EXTENSIONS and flag:
            size = parse_number(head[124:136])
            if not 0 <= size <= _CHUNK:
                raise LaminaError(f"{self._where}: bad tar header in an answer")
            blocks += [read(size + -size % BLOCK), head := read(BLOCK)]
            flag = head[156:157]
        alone = flag == b"5" and not whole
        scanner = LayerScanner(where=self._where, hash_within=NONE if alone else ALL)
        for block in blocks:
            scanner.feed(block)
        while not alone and (data := read(_CHUNK)):
            scanner.feed(data)
        return scanner.finish()


def _below(key: bytes, above: bytes) -> bool:
    return key == above or key.startswith(above + SEPARATOR)


def _parents(key: bytes) -> list[bytes]:
    parts = key.split(SEPARATOR)
    return [SEPARATOR.join(parts[:count]) for count in range(1, len(parts))]
