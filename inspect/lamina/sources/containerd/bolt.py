"""Reads a bolt database: containerd keeps the names of its images in one.

The format is bbolt's (go.etcd.io/bbolt, ``page.go``, ``bucket.go``): a B+tree of pages, a bucket being a tree of its
own. The file may be written meanwhile: pages are not changed in place, and of its two roots the newer counts whose
checksum is good.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from lamina.model import LaminaError

_MAGIC, _VERSION = 0xED0CDAED, 2
_PAGE = struct.Struct("<QHHI")  # id, flags, count, overflow
_META = struct.Struct("<IIIIQQQQQ")
"""Magic, version, size of a page, flags, root, sequence, free pages, high water, transaction."""
_CHECKSUM = struct.Struct("<Q")
_BRANCH = struct.Struct("<IIQ")  # position, key size, page
_LEAF = struct.Struct("<IIII")  # flags, position, key size, value size
_BUCKET = struct.Struct("<QQ")  # root page, sequence
_IS_BRANCH, _IS_LEAF = 1, 2
_LEAF_IS_BUCKET = 1
_DEEPEST = 64
_MOST = 4_000_000
"""Entries of all that is read of one database."""


class Broken(LaminaError):
    """It is no bolt database, or was written while it was read."""


class Bolt:
    """The buckets of a database.

    Args:
        data: of its file.

    Raises:
        Broken: it is none.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._left = _MOST
        newest = max(filter(None, (self._meta(at) for at in (0, *self._second()))), default=None)
        if newest is None:
            raise Broken("it is no bolt database")
        _, self._size, self._root = newest

    def bucket(self, *path: bytes) -> Iterator[tuple[bytes, bytes | None]]:
        """The entries of a bucket, by key: (key, value), None for what is a bucket itself; none where it is not there.

        Raises:
            Broken: a page is none.
        """
        found: bytes | int = self._root
        for name in path:
            value = next((v for key, v, nested in self._entries(found) if nested and key == name), None)
            if value is None:
                return
            found = self._tree(value)
        for key, value, nested in self._entries(found):
            yield key, None if nested else value

    def _second(self) -> list[int]:
        """Where the second root may stand: after a page, whose size only the roots tell."""
        return [1 << bits for bits in range(9, 17)]

    def _meta(self, at: int) -> tuple[int, int, int] | None:
        """(transaction, size of a page, root page) of a root that is whole."""
        begin = at + _PAGE.size
        body = self._data[begin : begin + _META.size]
        if len(body) < _META.size:
            return None
        magic, version, size, _, root, _, _, _, transaction = _META.unpack(body)
        told = self._data[begin + _META.size : begin + _META.size + _CHECKSUM.size]
        if (magic, version) != (_MAGIC, _VERSION) or size < 512 or size & (size - 1):
            return None
        if at not in (0, size) or told != _CHECKSUM.pack(_fnv(body)):
            return None
        return transaction, size, root

    def _tree(self, value: bytes) -> bytes | int:
        """Where a bucket's tree is: on a page, or in the value itself."""
        if len(value) < _BUCKET.size:
            raise Broken("a bucket is cut")
        root, _ = _BUCKET.unpack_from(value)
        return root or value[_BUCKET.size :]

    def _entries(self, tree: bytes | int) -> Iterator[tuple[bytes, bytes, bool]]:
        """(key, value, whether it is a bucket) of a tree, by key."""
        pages: list[tuple[bytes | int, int]] = [(tree, 0)]
        while pages:
            where, depth = pages.pop()
            page = self._page(where) if isinstance(where, int) else where
            if len(page) < _PAGE.size or depth > _DEEPEST:
                raise Broken("a page is cut, or they lead in circles")
            _, flags, count, _ = _PAGE.unpack_from(page)
            self._left -= count
            if self._left < 0:
                raise Broken(f"it has more than {_MOST:,} entries")
            if flags & _IS_BRANCH:
                children = [_BRANCH.unpack(element)[2] for element in self._elements(page, count, _BRANCH.size)]
                pages += [(child, depth + 1) for child in reversed(children)]
            elif flags & _IS_LEAF:
                for number, element in enumerate(self._elements(page, count, _LEAF.size)):
                    kind, position, key_size, value_size = _LEAF.unpack(element)
                    # Positions count from their own element.
                    start = _PAGE.size + number * _LEAF.size + position
                    end = start + key_size + value_size
                    if end > len(page):
                        raise Broken("an entry is cut")
                    yield page[start : start + key_size], page[start + key_size : end], bool(kind & _LEAF_IS_BUCKET)
            else:
                raise Broken("a page is of no known kind")

    @staticmethod
    def _elements(page: bytes, count: int, size: int) -> Iterator[bytes]:
        if _PAGE.size + count * size > len(page):
            raise Broken("a page is cut")
        for number in range(count):
            start = _PAGE.size + number * size
            yield page[start : start + size]

    def _page(self, number: int) -> bytes:
        start = number * self._size
        head = self._data[start : start + _PAGE.size]
        if number < 2 or len(head) < _PAGE.size:
            raise Broken("a page is not there")
        told, _, _, overflow = _PAGE.unpack(head)
        if told != number:
            raise Broken("a page is another than it says")
        return self._data[start : start + (1 + overflow) * self._size]


def _fnv(data: bytes) -> int:
    """FNV-1a, 64 bits."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value
