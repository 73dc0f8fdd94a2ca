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
"""Pages and entries of all that is read of one database."""
_COPIES = 4
"""How many times its own bytes keys and values may come to: entries of a damaged one may overlap."""


class Broken(LaminaError):
    """It is no bolt database, or was written while it was read."""


class Bolt:
    """A database.

    Args:
        data: of its file.

    Raises:
        Broken: it is none.
    """

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._left = _MOST
        self._bytes = _COPIES * len(data)
        newest = max(filter(None, (self._meta(at) for at in (0, *_SECOND))), default=None)
        if newest is None:
            raise Broken("it is no bolt database")
        _, self._size, root = newest
        self.root = Bucket(self, root)

    def _meta(self, at: int) -> tuple[int, int, int] | None:
        """(transaction, size of a page, root page) of a root that is whole."""
        begin = at + _PAGE.size
        body = bytes(self._data[begin : begin + _META.size])
        if len(body) < _META.size:
            return None
        magic, version, size, _, root, _, _, _, transaction = _META.unpack(body)
        told = self._data[begin + _META.size : begin + _META.size + _CHECKSUM.size]
        if (magic, version) != (_MAGIC, _VERSION) or size < 512 or size & (size - 1):
            return None
        if at not in (0, size) or told != _CHECKSUM.pack(_fnv(body)):
            return None
        return transaction, size, root

    def spend(self, entries: int, size: int = 0) -> None:
        """Count what is read: a small database that leads in circles must not take long."""
        self._left -= entries
        self._bytes -= size
        if self._left < 0 or self._bytes < 0:
            raise Broken("its pages lead in circles, or its entries overlap")

    def page(self, number: int) -> memoryview:
        """A page with those that belong to it.

        Raises:
            Broken: it is none.
        """
        start = number * self._size
        head = self._data[start : start + _PAGE.size]
        if number < 2 or len(head) < _PAGE.size:
            raise Broken("a page is not there")
        told, _, _, overflow = _PAGE.unpack(head)
        if told != number:
            raise Broken("a page is another than it says")
        return self._data[start : start + (1 + overflow) * self._size]


class Bucket:
    """One bucket: a tree on pages of its own, or within the value that it is."""

    def __init__(self, bolt: Bolt, tree: int | memoryview) -> None:
        self._bolt = bolt
        self._tree = tree

    def items(self) -> Iterator[tuple[bytes, bytes | Bucket]]:
        """(key, value) by key; a value may be a bucket itself.

        Raises:
            Broken: a page is none.
        """
        pages: list[tuple[int | memoryview, int]] = [(self._tree, 0)]
        while pages:
            where, depth = pages.pop()
            page = self._bolt.page(where) if isinstance(where, int) else where
            if len(page) < _PAGE.size or depth > _DEEPEST:
                raise Broken("a page is cut, or they lead in circles")
            _, flags, count, _ = _PAGE.unpack_from(page)
            self._bolt.spend(1 + count)
            if flags & _IS_BRANCH:
                children = [_BRANCH.unpack(element)[2] for element in _elements(page, count, _BRANCH.size)]
                pages += [(child, depth + 1) for child in reversed(children)]
            elif flags & _IS_LEAF:
                for number, element in enumerate(_elements(page, count, _LEAF.size)):
                    kind, position, key_size, value_size = _LEAF.unpack(element)
                    # Positions count from their own element.
                    start = _PAGE.size + number * _LEAF.size + position
                    middle, end = start + key_size, start + key_size + value_size
                    if end > len(page):
                        raise Broken("an entry is cut")
                    nested = kind & _LEAF_IS_BUCKET
                    self._bolt.spend(0, key_size + (0 if nested else value_size))
                    value = page[middle:end]
                    yield bytes(page[start:middle]), self._nested(value) if nested else bytes(value)
            else:
                raise Broken("a page is of no known kind")

    def bucket(self, name: bytes) -> Bucket | None:
        """A bucket in this one; None where it is not there."""
        return next((value for key, value in self.items() if key == name and isinstance(value, Bucket)), None)

    def _nested(self, value: memoryview) -> Bucket:
        if len(value) < _BUCKET.size:
            raise Broken("a bucket is cut")
        root, _ = _BUCKET.unpack_from(value)
        return Bucket(self._bolt, root or value[_BUCKET.size :])


_SECOND = [1 << bits for bits in range(9, 17)]
"""Where the second root may stand: after a page, whose size only the roots tell."""


def _elements(page: memoryview, count: int, size: int) -> Iterator[memoryview]:
    if _PAGE.size + count * size > len(page):
        raise Broken("a page is cut")
    for number in range(count):
        start = _PAGE.size + number * size
        yield page[start : start + size]


def _fnv(data: bytes) -> int:
    """FNV-1a, 64 bits."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value
