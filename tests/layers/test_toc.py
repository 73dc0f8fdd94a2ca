"""Layers listed by their tables of contents: the same rows as a reading of the layer gives."""

from __future__ import annotations

import hashlib
import json
import threading
from typing import Any

import pytest

from lamina.layers.index import SHA_MARK, UNKNOWN_SIZE, LayerIndex
from lamina.layers.toc import toc_index
from lamina.model import Cancelled, LaminaError
from stacks import WHERE, scan
from tars import (
    Member,
    char_device,
    directory,
    fifo,
    file,
    hardlink,
    layer_tar,
    opaque,
    symlink,
    whiteout,
)
from toc_layers import XATTR, table

MEMBERS: list[Member] = [
    directory("usr/", mode=0o1777),
    file("usr/many", b"m" * 9000, uid=1000, gid=70_000),
    file("./usr/setuid", b"s", mode=0o4755, mtime=0),
    file("usr/none"),
    file("usr/tagged", b"t", pax={XATTR + b"user.b": b"\xff\0", XATTR + b"security.capability": b"\1" * 200}),
    file("usr/späte", b"u"),
    hardlink("usr/linked", "./usr/many"),
    symlink("usr/pointer", "../etc//x"),
    char_device("dev/null", 1, 3),
    fifo("dev/pipe"),
    whiteout("etc/gone"),
    opaque("var/lib"),
    file(".wh..wh.plnk", b"aufs"),
]


def listed(document: bytes, cancel: threading.Event | None = None) -> LayerIndex:
    return toc_index(document, WHERE, cancel or threading.Event())


def shape(index: LayerIndex) -> list[Any]:
    columns = [getattr(index, name).tolist() for name in ("kind", "size", "mode", "uid", "gid", "mtime")]
    return [index.keys(), *columns, index.links, index.devices, index.xattrs]


def test_the_rows_are_those_of_the_layer() -> None:
    index, read = listed(table(MEMBERS)), scan(layer_tar(*MEMBERS))
    assert shape(index) == shape(read)
    assert index.tar_size == UNKNOWN_SIZE
    many, none = index.content[index.keys().index(b"usr\0many")], index.keys().index(b"usr\0none")
    assert many.tobytes() == hashlib.sha256(b"m" * 9000).digest()[:12] + SHA_MARK
    assert index.content[none].tolist() == read.content[none].tolist()  # of nothing there is but one content


def test_a_table_of_nothing() -> None:
    for document in (b'{"version": 1, "entries": []}', b'{"version":1,"entries":null}'):
        assert listed(document).count == 0


@pytest.mark.parametrize(
    ("time", "nanoseconds"),
    [
        ("2024-01-01T00:00:00Z", 1_704_067_200 * 10**9),
        ("2024-01-01T02:00:00.000000001+02:00", 1_704_067_200 * 10**9 + 1),
        ("2023-12-31T23:30:00.5-00:30", 1_704_067_200 * 10**9 + 5 * 10**8),
        ("1969-12-31T23:59:59Z", -(10**9)),
    ],
)
def test_times_are_exact(time: str, nanoseconds: int) -> None:
    document = json.dumps({"version": 1, "entries": [{"name": "a", "type": "reg", "modtime": time}]})
    assert listed(document.encode()).mtime.tolist() == [nanoseconds]


def of(**changed: Any) -> bytes:
    whole = {"name": "a", "type": "reg", "size": 1, "digest": "sha256:" + "0" * 64, **changed}
    return json.dumps({"version": 1, "entries": [whole]}).encode()


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"\xff",
        b'{"version": 2, "entries": []}',
        b'{"entries": [], "version": 1}',
        b'{"version": 1, "entries": [',
        b'{"version": 1, "entries": [{"name": "a", "type": "reg"}',
        b'{"version": 1, "entries": [{"name": "a", "type": "reg"} {"name": "b", "type": "reg"}]}',
        b'{"version": 1, "entries": [,{"name": "a", "type": "reg"}]}',
        b'{"version": 1, "entries": [7]}',
        b'{"version": 1, "entries": [' + b"[" * 100_000,
        of(name=7),
        of(name="a\0b"),
        of(name="what was no text: \ufffd"),
        of(name="a" * 5000),
        of(type="socket"),
        of(size=-1),
        of(size=True),
        of(size=1 << 60),
        of(uid="0"),
        of(digest="md5:00"),
        of(digest="sha256:00"),
        of(modtime="yesterday"),
        of(modtime="2024-13-01T00:00:00Z"),
        of(xattrs={"user.a": "no base64!"}),
        of(xattrs=[1]),
    ],
)
def test_what_does_not_say_all_is_no_table(document: bytes) -> None:
    with pytest.raises(LaminaError, match="its table of contents is none that can be relied on"):
        listed(document)


def test_a_long_table_can_be_left() -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        listed(table([file(f"f{number}", b"x") for number in range(20_000)]), cancel)
