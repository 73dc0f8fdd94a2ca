"""An engine's record of a layer's tar: exact, or refused."""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from cache.test_container import EVERYTHING, rows_of
from lamina.layers.index import CRC_MARK
from lamina.layers.tarsplit import TarSplitJob
from lamina.model import Cancelled, LaminaError
from needs import tool
from random_layers import Layers, layer_stacks
from stacks import scan
from tars import (
    BLOCK,
    END,
    GNU,
    Member,
    directory,
    extension,
    file,
    hardlink,
    header,
    layer_tar,
    padded,
    pax_header,
    symlink,
    written,
)

Line = dict[str, Any]


def crc(content: bytes) -> bytes:
    """Eight bytes that stand for a content; which checksum it is doesn't matter to the reader."""
    return hash(content).to_bytes(8, "big", signed=True)


def lines_of(members: Sequence[Member], end: bytes = END) -> list[Line]:
    """The record of a tar as tar-split writes it: what is no content as it stands, in between a line per member."""
    lines: list[Line] = []
    raw = b""
    for member in members:
        whole = written(member)
        content = member.content if member.flag not in (b"1", b"2", b"3", b"4", b"5", b"6") else b""
        head = whole[: len(whole) - len(padded(member.content))]
        lines.append({"type": 2, "payload": base64.b64encode(raw + head).decode()})
        line: Line = {"type": 1, "name": member.name.decode("utf-8", "replace")}
        if content:
            line |= {"size": len(content), "payload": base64.b64encode(crc(content)).decode()}
        else:
            content = b""
        lines.append(line)
        raw = padded(member.content)[len(content) :]
    lines.append({"type": 2, "payload": base64.b64encode(raw + end).decode()})
    for position, line in enumerate(lines):
        line["position"] = position
    return lines


def packed(lines: Sequence[Line | bytes]) -> bytes:
    texts = [line if isinstance(line, bytes) else json.dumps(line, separators=(",", ":")).encode() for line in lines]
    return gzip.compress(b"".join(text + b"\n" for text in texts), 1)


def read(folder: Path, data: bytes) -> Any:
    path = folder / "tar-split.json.gz"
    path.write_bytes(data)
    return TarSplitJob(str(path), "layer 3 in the engine's store").run(threading.Event(), lambda _: None)


def complaint(folder: Path, data: bytes) -> str:
    with pytest.raises(LaminaError) as caught:
        read(folder, data)
    text = str(caught.value)
    assert text.startswith("layer 3 in the engine's store")
    assert text.isprintable()
    return text


def assert_as_scanned(folder: Path, members: Sequence[Member], end: bytes = END) -> None:
    from_record, from_tar = read(folder, packed(lines_of(members, end))), scan(layer_tar(*members, end=end))
    ours, theirs = rows_of(from_record), rows_of(from_tar)
    contents, hashes = from_record.content, from_tar.content
    del ours["content"], theirs["content"]
    assert ours == theirs
    for row in range(from_tar.count):
        known = contents[row].tobytes()
        if hashes[row].any() and from_tar.size[row]:
            assert known[8:] == CRC_MARK
        else:
            assert (contents[row] == hashes[row]).all(), "what is empty, or no file, is known by itself"
    by_content = {(hashes[row].tobytes(), contents[row].tobytes()) for row in range(from_tar.count)}
    assert len(by_content) == len({one for one, _ in by_content}) == len({other for _, other in by_content})


def test_every_kind_of_member_is_as_scanned(tmp_path: Path) -> None:
    assert_as_scanned(tmp_path, EVERYTHING)


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 1024, 300_000])
@pytest.mark.parametrize("end", [END, b"", bytes(BLOCK), END + bytes(9 * BLOCK), END + b"rubbish after the end"])
def test_every_size_and_end_is_as_scanned(size: int, end: bytes, tmp_path: Path) -> None:
    assert_as_scanned(tmp_path, [file("a", size), file("b", b"z"), file("c", size)], end)


@pytest.mark.parametrize(
    "member",
    [
        file("x/" * 120 + "long", 5),
        file(b"\xff\xfe not utf-8 \x80", 5),
        file('quote " and "size":9,"payload":"AAAA","position":1', 5),
        file("line\nbreak and \\ and \x1b[31m", 5),
        file("<html> & \u2028", 5),
        symlink("link", "x/" * 120),
        file("gnu", 5, magic=GNU),
        file("pax", 7, pax={b"mtime": b"1.5", b"SCHILY.xattr.user.x": bytes(range(1, 256))}),
        hardlink("hard", "before").but(size=5),
    ],
)
def test_odd_members_are_as_scanned(member: Member, tmp_path: Path) -> None:
    assert_as_scanned(tmp_path, [file("before", 5), member, file("after", 6), directory("end")])


def test_gnu_long_names_are_as_scanned(tmp_path: Path) -> None:
    name = b"n" * 300
    raw = extension(b"L", name + b"\0") + header(Member(b"n" * 100, content=b"12345"))
    lines: list[Line] = [
        {"type": 2, "payload": base64.b64encode(raw).decode(), "position": 0},
        {"type": 1, "name": name.decode(), "size": 5, "payload": base64.b64encode(crc(b"x")).decode(), "position": 1},
        {"type": 2, "payload": base64.b64encode(bytes(BLOCK - 5) + END).decode(), "position": 2},
    ]
    index = read(tmp_path, packed(lines))
    assert index.keys() == [name]
    assert index.size.tolist() == [5]


@settings(max_examples=40)
@given(layer_stacks(max_layers=1, max_members=20))
def test_any_layer_is_as_scanned(tmp_path_factory: pytest.TempPathFactory, layers: Layers) -> None:
    assert_as_scanned(tmp_path_factory.getbasetemp(), layers[0])


def test_segments_may_be_cut_anywhere(tmp_path: Path) -> None:
    members = [file("a", 700), directory("b"), file("c", 3, pax={b"path": b"c" * 200})]
    lines: list[Line] = []
    for line in lines_of(members):
        if line["type"] == 1:
            lines.append(line)
            continue
        raw = base64.b64decode(line["payload"])
        for start in range(0, len(raw), 300):
            payload = base64.b64encode(raw[start : start + 300]).decode()
            lines.append({"type": 2, "payload": payload, "position": 0})
    ours, theirs = rows_of(read(tmp_path, packed(lines))), rows_of(scan(layer_tar(*members)))
    del ours["content"], theirs["content"]
    assert ours == theirs


# -- what can't be exact is refused ------------------------------------------------------------------------------------


def sparse_by_gnu(folder: Path) -> bytes:
    return sparse_tar(folder, "gnu")


def sparse_by_pax(folder: Path) -> bytes:
    return sparse_tar(folder, "posix")


def sparse_tar(folder: Path, form: str) -> bytes:
    path = folder / "holes"
    with path.open("wb") as out:
        out.write(b"data" * 2000)
        out.seek(1 << 20)
        out.write(b"more" * 2000)
    command = [tool("tar"), f"--format={form}", "--sparse", "-C", str(folder), "-cf", "-", "holes"]
    return subprocess.run(command, check=True, capture_output=True).stdout


@pytest.mark.parametrize("make", [sparse_by_gnu, sparse_by_pax])
@pytest.mark.parametrize("told", ["the real size", "the stored size"])
def test_a_sparse_file_is_refused(make: Callable[[Path], bytes], told: str, tmp_path: Path) -> None:
    tar = make(tmp_path)
    (size,) = scan(tar).size.tolist()
    assert size == (1 << 20) + 8000
    starts = tar.index(b"datadata") // BLOCK * BLOCK
    stored = len(tar[starts:].rstrip(b"\0"))
    lines: list[Line] = [
        {"type": 2, "payload": base64.b64encode(tar[:starts]).decode(), "position": 0},
        {
            "type": 1,
            "name": "holes",
            "size": size if told == "the real size" else stored,
            "payload": base64.b64encode(crc(b"x")).decode(),
            "position": 1,
        },
        {"type": 2, "payload": base64.b64encode(tar[starts + stored :]).decode(), "position": 2},
    ]
    assert "content is needed" in complaint(tmp_path, packed(lines))


MEMBERS = [directory("d"), file("d/a", 700), file("d/b", 5), symlink("d/c", "a")]


def changed(place: int, **fields: Any) -> list[Line | bytes]:
    """The record of MEMBERS with one line's fields changed; None takes one away."""
    lines: list[Line | bytes] = list(lines_of(MEMBERS))
    line = {**lines[place], **fields} if isinstance(lines[place], dict) else {}  # type: ignore[dict-item]
    lines[place] = {key: value for key, value in line.items() if value is not None}
    return lines


@pytest.mark.parametrize(
    "lines",
    [
        changed(3, size=699),
        changed(3, size=701),
        changed(3, size=188),  # the rest would be taken for the next header
        changed(3, size=0),
        changed(3, size=-700),
        changed(3, size="700"),
        changed(3, size=None),
        changed(3, size=700.0),
        changed(3, size=10**30),
        changed(3, payload=None),
        changed(3, payload=7),
        changed(3, type=3),
        changed(3, type=2),
        changed(1, size=3, payload="AAAAAAAAAAA="),  # a directory with content
        changed(2, payload=None),
        changed(2, payload="AAA"),
        changed(2, payload=""),
        changed(4, payload=base64.b64encode(bytes(100)).decode()),
        changed(0, type=1),
        [*lines_of(MEMBERS), b"{}"],
        [*lines_of(MEMBERS), b"rubbish"],
        [b"\xff\xfe", *lines_of(MEMBERS)],
        [b'{"type":2,"payload":"', *lines_of(MEMBERS)],
        [b'{"type":1,"size":', *lines_of(MEMBERS)],
        [b"", *lines_of(MEMBERS)],
        lines_of(MEMBERS)[:3],  # ends inside a file
        [line for line in lines_of(MEMBERS) if line["type"] == 2],
        [line for number, line in enumerate(lines_of(MEMBERS)) if number != 4],
    ],
)
def test_a_record_that_contradicts_itself_is_refused(lines: list[Line | bytes], tmp_path: Path) -> None:
    read(tmp_path, packed(lines_of(MEMBERS)))
    complaint(tmp_path, packed(lines))


def test_every_cut_of_a_record_is_refused(tmp_path: Path) -> None:
    data = packed(lines_of(MEMBERS))
    for length in range(0, len(data), 3):
        complaint(tmp_path, data[:length])


@pytest.mark.parametrize("data", [b"", b"rubbish" * 100, json.dumps(lines_of(MEMBERS)).encode(), bytes(1000)])
def test_what_is_no_record_is_refused(data: bytes, tmp_path: Path) -> None:
    complaint(tmp_path, data)


def test_a_flipped_byte_is_refused_or_changes_nothing(tmp_path: Path) -> None:
    data, expected = packed(lines_of(MEMBERS)), rows_of(scan(layer_tar(*MEMBERS)))
    del expected["content"]
    for place in range(0, len(data), 5):
        damaged = bytearray(data)
        damaged[place] ^= 0x10
        try:
            shown = rows_of(read(tmp_path, bytes(damaged)))
        except LaminaError:
            continue
        del shown["content"]
        assert shown == expected, f"byte {place}"  # gzip's own header has fields that say nothing


def test_a_cancel_is_heard(tmp_path: Path) -> None:
    path = tmp_path / "record.gz"
    path.write_bytes(packed(lines_of(MEMBERS)))
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        TarSplitJob(str(path), "layer").run(cancel, lambda _: None)


def test_pax_headers_are_part_of_the_segments() -> None:
    """The records these tests write are put together as an engine's are."""
    members = [file("a", 5, pax={b"mtime": b"1.5"})]
    first = base64.b64decode(lines_of(members)[0]["payload"])
    assert first == pax_header({b"mtime": b"1.5"}) + header(members[0])
