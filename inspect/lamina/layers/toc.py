"""A layer's index from its table of contents: eStargz and zstd:chunked layers list themselves in JSON.

Sources: the stargz snapshotter's docs/estargz.md ("TOC, TOCEntries and Footer"), whose entries zstd:chunked has too
(containers/storage, pkg/chunked). What a table can't say exactly, it is not used for: the layer is read then.
"""

from __future__ import annotations

import base64
import calendar
import json
import re
import threading
from typing import Any

import numpy as np

from lamina import limits
from lamina.layers.extensions import xattr_text
from lamina.layers.index import SHA_MARK, UNKNOWN_SIZE, LayerIndex
from lamina.layers.paths import classify, path_key
from lamina.layers.rows import UNKNOWN, LayerRows
from lamina.layers.scan import EMPTY_CONTENT
from lamina.model import Cancelled, Kind, LaminaError

_OPENING = re.compile(r'\s*\{\s*"version"\s*:\s*1\s*,\s*"entries"\s*:\s*(?:\[|null)')
_BETWEEN = re.compile(r"\s*([,\]])?\s*")
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))")
_FLAGS = {"reg": b"0", "hardlink": b"1", "symlink": b"2", "char": b"3", "block": b"4", "dir": b"5", "fifo": b"6"}
_LOST = "\ufffd"
"""What Go's JSON writes for a byte that is no UTF-8: which one it was is not to be known."""
_ENTRIES = 10_000
"""Between two looks at the cancel event."""
_BATCH = 1000


def toc_index(document: bytes, where: str, cancel: threading.Event, own: LayerIndex | None = None) -> LayerIndex:
    """The index of the layer that a table of contents lists.

    Its contents have the first 96 bits of their SHA-256; its ``tar_size`` is unknown.

    Args:
        document: the table: JSON.
        where: names the layer in errors.
        cancel: looked at between entries.
        own: what stands in the layer besides, behind all that the table lists: the table itself.

    Raises:
        LaminaError: it is none, or doesn't say all that an index has.
        Cancelled: ``cancel`` was set.
    """
    try:
        rows = _rows(document.decode("utf-8"), cancel)
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError):
        raise LaminaError(f"{where}: its table of contents is none that can be relied on") from None
    if own is not None:
        rows.extend(own, b"", lambda _: True)
    return rows.index(UNKNOWN_SIZE)


def sha_id(digest: str) -> bytes:
    """The content id of a file whose SHA-256 is known.

    Raises:
        ValueError: it is no SHA-256.
    """
    algorithm, _, digits = digest.partition(":")
    raw = bytes.fromhex(digits)
    if algorithm != "sha256" or len(raw) != 32:
        raise ValueError("another digest")
    return raw[:12] + SHA_MARK


def _rows(text: str, cancel: threading.Event) -> LayerRows:
    """Raises ValueError, KeyError or TypeError where the table is of another shape."""
    opening = _OPENING.match(text)
    if opening is None:
        raise ValueError("another shape")
    rows = LayerRows()
    entries: list[dict[str, Any]] = []
    decoder = json.JSONDecoder()
    # One entry at a time: a table of half a million would take a gigabyte as objects.
    position = opening.end()
    count = 0
    total = 0
    while opening[0].endswith("["):
        between = _BETWEEN.match(text, position)
        assert between is not None  # it matches nothing, too
        if between[1] == "]":
            break
        if (between[1] == ",") != (count > 0):
            raise ValueError("entries don't follow each other")
        entry, position = decoder.raw_decode(text, between.end())
        count += 1
        if not count % _ENTRIES and cancel.is_set():
            raise Cancelled
        if count > limits.ROWS:
            raise ValueError("too many entries")
        if entry["type"] != "chunk":  # a part of the file before it, which is listed whole
            total += _natural(entry, "size") if entry["type"] == "reg" else 0
            if total > limits.LAYER:
                raise ValueError("more bytes than a layer may claim")
            entries.append(entry)
        if len(entries) >= _BATCH:
            _add(rows, entries)
            entries = []
    _add(rows, entries)
    return rows


def _add(rows: LayerRows, entries: list[dict[str, Any]]) -> None:
    names = [_text(entry, "name") for entry in entries]
    flags = np.frombuffer(b"".join(_FLAGS[entry["type"]] for entry in entries), dtype=np.uint8)
    keys, kinds, keep = classify(names, flags)
    for entry, key, kind, kept in zip(entries, keys, kinds.tolist(), keep.tolist(), strict=True):
        if kept:
            _add_one(rows, entry, key, Kind(kind))


def _add_one(rows: LayerRows, entry: dict[str, Any], key: bytes, kind: Kind) -> None:
    size, content, link, device = 0, UNKNOWN, None, None
    if kind == Kind.FILE:
        size = _natural(entry, "size")
        digest = entry.get("digest") or ""
        content = EMPTY_CONTENT if not size else sha_id(digest) if digest else UNKNOWN
    elif kind in (Kind.SYMLINK, Kind.HARDLINK):
        link = _text(entry, "linkName")
        link = path_key(link) if kind == Kind.HARDLINK else link
    elif kind in (Kind.CHAR, Kind.BLOCK):
        device = _natural(entry, "devMajor"), _natural(entry, "devMinor")
    given = entry.get("xattrs") or {}
    xattrs = {_bytes(name): base64.b64decode(value, validate=True) for name, value in given.items()}
    rows.add(
        key,
        kind,
        size=size,
        mode=_natural(entry, "mode"),
        uid=_natural(entry, "uid"),
        gid=_natural(entry, "gid"),
        mtime=_nanoseconds(entry.get("modtime") or ""),
        content=content,
        link=link,
        device=device,
        xattrs=xattr_text(xattrs) if xattrs else b"",
    )


def _natural(entry: dict[str, Any], name: str) -> int:
    value = entry.get(name) or 0
    if type(value) is not int or not 0 <= value <= limits.FILE:
        raise ValueError("no such number")
    return value


def _text(entry: dict[str, Any], name: str) -> bytes:
    text = _bytes(entry.get(name) or "")
    if len(text) > limits.PATH:
        raise ValueError("longer than a path may be")
    return text


def _bytes(text: str) -> bytes:
    if _LOST in text or "\0" in text:
        raise ValueError("a name that JSON has lost")
    return text.encode("utf-8")


def _nanoseconds(text: str) -> int:
    """Of a time as RFC 3339 has it; Go's writers leave the epoch itself out."""
    if not text:
        return 0
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError("no time")
    seconds = calendar.timegm((*map(int, found.groups()[:6]), 0, 0, 0))
    if found[8]:
        offset = int(found[9]) * 3600 + int(found[10]) * 60
        seconds += offset if found[8] == "-" else -offset
    return seconds * 10**9 + int((found[7] or "").ljust(9, "0"))
