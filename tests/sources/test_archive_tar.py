"""The outer tar of an archive, by seeking and as a stream."""

from __future__ import annotations

import contextlib
import io
import os
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import directory, file, layer, link
from lamina import limits
from lamina.model import LaminaError
from lamina.sources.archive_tar import ArchiveTar, Member, members, normalise, resolve
from tars import Member as Entry

LONG = "a-very-long-folder-name/" * 8 + "file"
ENTRIES = (
    directory("blobs"),
    file("./dotted", b"1" * 511),
    file("/absolute", b"2" * 512),
    file("up/../../there", b"3" * 513),
    file("empty"),
    file(LONG, b"4" * 2000),
    link("one/layer.tar", "../two/layer.tar"),
    link("hard", "./dotted", hard=True),
    link("long link", "../" + LONG),
)


class Collector:
    """A sink that keeps everything."""

    def __init__(self) -> None:
        self.members: list[Member] = []
        self.payloads: list[bytes] = []
        self.open = False

    def begin(self, member: Member) -> None:
        assert not self.open
        self.open = True
        self.members.append(member)
        self.payloads.append(b"")

    def data(self, chunk: bytes) -> None:
        assert self.open
        assert chunk
        self.payloads[-1] += chunk

    def end(self) -> None:
        assert self.open
        self.open = False


def seek(data: bytes, folder: Path) -> list[Member]:
    path = folder / "outer.tar"
    path.write_bytes(data)
    fd = os.open(path, os.O_RDONLY)
    try:
        return list(members(fd, len(data), "x.tar"))
    finally:
        os.close(fd)


def stream(data: bytes, step: int) -> Collector:
    sink = Collector()
    tar = ArchiveTar("x.tar", sink)
    for start in range(0, len(data), step):
        tar.feed(data[start : start + step])
    tar.finish()
    return sink


def by_tarfile(entries: Sequence[Entry], form: int) -> bytes:
    """The same members as the standard library writes them."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        for entry in entries:
            info = tarfile.TarInfo(entry.name.decode())
            info.type, info.linkname, info.size = entry.flag, entry.link.decode(), len(entry.content)
            tar.addfile(info, io.BytesIO(entry.content))
    return out.getvalue()


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_names_sizes_and_links_come_out_of_every_tar_format(form: int, tmp_path: Path) -> None:
    # A ustar header has no room for a long link.
    entries = ENTRIES[:-1] if form == tarfile.USTAR_FORMAT else ENTRIES
    found = seek(by_tarfile(entries, form), tmp_path)
    assert [(m.name, m.size, m.is_file, m.link) for m in found] == [
        ("blobs", 0, False, None),
        ("dotted", 511, True, None),
        ("absolute", 512, True, None),
        ("there", 513, True, None),
        ("empty", 0, True, None),
        (LONG, 2000, True, None),
        ("one/layer.tar", 0, False, "two/layer.tar"),
        ("hard", 0, False, "dotted"),
        ("long link", 0, False, LONG),
    ][: len(entries)]


@pytest.mark.parametrize("step", [1, 7, 511, 512, 513, 4096, 1 << 20])
def test_a_stream_in_chunks_of_any_size_gives_the_same_members(step: int, tmp_path: Path) -> None:
    data = layer(*ENTRIES)
    sink = stream(data, step)
    assert sink.members == seek(data, tmp_path)
    assert sink.payloads == [data[m.offset : m.offset + m.size] for m in sink.members]


def test_sizes_of_eight_gigabytes_and_more_are_base_256(tmp_path: Path) -> None:
    info = tarfile.TarInfo("huge")
    info.size = 20 << 30
    header = info.tobuf(format=tarfile.GNU_FORMAT)
    assert header[124] == 0x80
    with pytest.raises(LaminaError, match="truncated"):
        seek(header + bytes(512), tmp_path)
    sink = Collector()
    ArchiveTar("x.tar", sink).feed(header)
    assert sink.members[0].size == 20 << 30


def test_a_pax_size_stands_above_the_headers(tmp_path: Path) -> None:
    info = tarfile.TarInfo("big")
    info.size = 9 << 30
    header = info.tobuf(format=tarfile.PAX_FORMAT)
    sink = Collector()
    ArchiveTar("x.tar", sink).feed(header)
    assert sink.members[0].size == 9 << 30


def test_what_follows_the_end_mark_is_padding(tmp_path: Path) -> None:
    data = layer(file("a", b"1")) + bytes(10_240) + b"rubbish"
    assert [m.name for m in seek(data, tmp_path)] == ["a"]
    assert [m.name for m in stream(data, 1000).members] == ["a"]


def test_a_tar_without_its_end_mark_is_whole_where_it_ends_between_members(tmp_path: Path) -> None:
    data = layer(file("a", b"1"))[:1024]
    assert [m.name for m in seek(data, tmp_path)] == ["a"]
    assert [m.name for m in stream(data, 1000).members] == ["a"]


@pytest.mark.parametrize("length", [1, 511, 513, 1023])
def test_a_tar_cut_anywhere_else_is_truncated(length: int, tmp_path: Path) -> None:
    data = layer(file("the-member", b"x" * 512))[:length]
    for read in (lambda: seek(data, tmp_path), lambda: stream(data, 100)):
        with pytest.raises(LaminaError, match="truncated") as caught:
            read()
        assert ("the-member" in str(caught.value)) == (length > 512)


@pytest.mark.parametrize("position", [0, 99, 124, 148, 156, 345])
def test_a_damaged_header_is_named_by_its_place(position: int, tmp_path: Path) -> None:
    data = bytearray(layer(file("first", b"1"), file("second", b"2")))
    data[1024 + position] ^= 0x55
    for read in (lambda: seek(bytes(data), tmp_path), lambda: stream(bytes(data), 100)):
        with pytest.raises(LaminaError, match="byte 1024"):
            read()


def test_a_hostile_number_of_members_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ARCHIVE_MEMBERS", 5)
    with pytest.raises(LaminaError, match="no image archive"):
        seek(layer(*(file(str(n)) for n in range(6))), tmp_path)


def test_a_hostile_extension_is_refused(tmp_path: Path) -> None:
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 1 << 40
    with pytest.raises(LaminaError, match="damaged"):
        seek(info.tobuf(format=tarfile.GNU_FORMAT), tmp_path)


def test_links_are_followed_and_circles_are_refused() -> None:
    links = {"a": "b", "b": "c", "x": "y", "y": "x"}
    assert resolve("./a", links, "x.tar") == "c"
    with pytest.raises(LaminaError, match="circle"):
        resolve("x", links, "x.tar")


@pytest.mark.parametrize(
    ("name", "path"), [("./a", "a"), ("//a//b", "a/b"), ("../../etc", "etc"), ("a/../..", ""), ("", ""), (".", "")]
)
def test_names_never_leave_the_archive(name: str, path: str) -> None:
    assert normalise(name) == path


@given(st.binary(max_size=3000), st.integers(1, 600))
def test_no_bytes_whatever_raise_anything_else(data: bytes, step: int) -> None:
    with contextlib.suppress(LaminaError):
        stream(layer(file("a", b"1"))[:1024] + data, step)
