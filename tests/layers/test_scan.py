"""The layer scanner against the standard library's tarfile, and against damage of every kind."""

from __future__ import annotations

import decimal
import io
import itertools
import os
import posixpath
import random
import shutil
import signal
import subprocess
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina import limits
from lamina.layers.index import LayerIndex
from lamina.layers.read import scan_plain
from lamina.layers.scan import ALL, NONE, LayerScanner
from lamina.model import Kind, LaminaError
from needs import tool, unavailable
from stacks import WHERE, paths, scan, stack
from tars import (
    BLOCK,
    END,
    GNU,
    SOME_TIME,
    USTAR,
    V7,
    Member,
    base256,
    char_device,
    directory,
    extension,
    fifo,
    file,
    hardlink,
    header,
    layer_tar,
    opaque,
    padded,
    pax_header,
    pax_record,
    seal,
    symlink,
    whiteout,
    written,
)

# What a reader says of a member, in tarfile's words and in lamina's.

_KINDS = {
    tarfile.REGTYPE: Kind.FILE,
    tarfile.AREGTYPE: Kind.FILE,
    tarfile.CONTTYPE: Kind.FILE,
    tarfile.GNUTYPE_SPARSE: Kind.FILE,
    tarfile.LNKTYPE: Kind.HARDLINK,
    tarfile.SYMTYPE: Kind.SYMLINK,
    tarfile.CHRTYPE: Kind.CHAR,
    tarfile.BLKTYPE: Kind.BLOCK,
    tarfile.DIRTYPE: Kind.DIR,
    tarfile.FIFOTYPE: Kind.FIFO,
}


@dataclass(frozen=True)
class Row:
    path: bytes
    kind: Kind
    size: int
    mode: int
    owner: tuple[int, int]
    nanoseconds: int
    link: bytes
    device: tuple[int, int] | None
    offset: int | None
    content: bytes | None
    """Content id, of plain regular files."""


def normal(name: bytes) -> bytes:
    """A path as the operating system's own rules see it below a root that nothing leaves."""
    return posixpath.normpath(b"/" + name).lstrip(b"/")


def rows_by_tarfile(tar: bytes) -> list[Row]:
    rows = []
    with tarfile.open(fileobj=io.BytesIO(tar), mode="r:", encoding="utf-8", errors="surrogateescape") as archive:
        for member in archive:
            link = member.linkname.encode("utf-8", "surrogateescape")
            kind = _KINDS[member.type]
            content = None
            if kind == Kind.FILE and not member.issparse():
                stream = archive.extractfile(member)
                assert stream is not None
                content = xxhash.xxh3_128_digest(stream.read())
            seconds = decimal.Decimal(member.pax_headers.get("mtime", str(int(member.mtime))))
            rows.append(
                Row(
                    path=normal(member.name.encode("utf-8", "surrogateescape")),
                    kind=kind,
                    size=member.size if kind == Kind.FILE else 0,
                    mode=member.mode & 0o7777,
                    owner=(member.uid, member.gid),
                    nanoseconds=int(seconds * 10**9),
                    link={Kind.SYMLINK: link, Kind.HARDLINK: normal(link)}.get(kind, b""),
                    device=(member.devmajor, member.devminor) if kind in (Kind.CHAR, Kind.BLOCK) else None,
                    offset=member.offset_data if content is not None else None,
                    content=content,
                )
            )
    return rows


def rows_of(index: LayerIndex, sparse: frozenset[bytes] = frozenset()) -> list[Row]:
    """The index's rows; ``sparse`` names files whose offset and content id are lamina's own business."""
    rows = []
    for row, path in enumerate(paths(index)):
        kind = Kind(int(index.kind[row]))
        plain = kind == Kind.FILE and path not in sparse
        rows.append(
            Row(
                path=path,
                kind=kind,
                size=int(index.size[row]),
                mode=int(index.mode[row]),
                owner=(int(index.uid[row]), int(index.gid[row])),
                nanoseconds=int(index.mtime[row]),
                link=index.links.get(row, b"").replace(b"\0", b"/"),
                device=index.devices.get(row),
                offset=int(index.offset[row]) if plain else None,
                content=index.content[row].tobytes() if plain else None,
            )
        )
    return rows


def assert_as_tarfile(tar: bytes, sparse: frozenset[bytes] = frozenset()) -> LayerIndex:
    index = scan(tar)
    assert rows_of(index, sparse) == rows_by_tarfile(tar)
    assert index.tar_size == len(tar)
    return index


def assert_same(one: LayerIndex, other: LayerIndex, *, content: bool = True) -> None:
    assert one.keys() == other.keys()
    columns = ["kind", "size", "mode", "uid", "gid", "mtime", "offset", *(["content"] if content else [])]
    for name in columns:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    assert (one.links, one.devices, one.xattrs) == (other.links, other.devices, other.xattrs)
    assert one.tar_size == other.tar_size


@contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """A hang becomes a failure. Far more time than is needed, so that a slow machine does not matter."""

    def ring(*_: object) -> None:
        raise TimeoutError(f"still busy after {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def outcome(read: Callable[[], object]) -> str | None:
    """None for an index, else the error's text. Any exception but LaminaError passes through and fails the test."""
    try:
        read()
    except LaminaError as error:
        text = str(error)
    else:
        return None
    assert WHERE in text, "the error does not name the layer"
    assert "\n" not in text, "the error is more than one line"
    return text


# The formats, written by tarfile.

FORMATS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}


def by_tarfile(members: list[tuple[tarfile.TarInfo, bytes]], form: int, **options: object) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form, errors="surrogateescape", **options) as archive:  # type: ignore[call-overload]
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def info(
    name: str, kind: bytes = tarfile.REGTYPE, content: bytes = b"", **fields: object
) -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(name)
    member.type = kind
    member.size = len(content)
    member.mtime = SOME_TIME
    for key, value in fields.items():
        setattr(member, key, value)
    return member, content


def one_of_each() -> list[tuple[tarfile.TarInfo, bytes]]:
    return [
        info("usr", tarfile.DIRTYPE, mode=0o1777),
        info("usr/file", content=b"content", mode=0o4755, uid=1000, gid=100),
        info("usr/empty"),
        info("usr/link", tarfile.LNKTYPE, linkname="usr/file"),
        info("usr/sym", tarfile.SYMTYPE, linkname="../over/there"),
        info("dev/null", tarfile.CHRTYPE, devmajor=1, devminor=3),
        info("dev/sda", tarfile.BLKTYPE, devmajor=8, devminor=0),
        info("run/pipe", tarfile.FIFOTYPE),
        info("exactly-one-block", content=b"b" * BLOCK),
        info("one-byte-more", content=b"c" * (BLOCK + 1)),
        info("ünïcode", content=b"u"),
    ]


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS.keys())
def test_every_kind_of_member_reads_as_tarfile_reads_it(form: int) -> None:
    index = assert_as_tarfile(by_tarfile(one_of_each(), form))

    assert set(index.kind.tolist()) == set(range(Kind.WHITEOUT)), "a kind is missing from the test's tar"


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS.keys())
def test_a_tar_of_many_members_reads_as_tarfile_reads_it(form: int) -> None:
    """More members than the scanner decodes at a time."""
    count = 10_000
    members = [info(f"d{n % 7}/f{n}", content=b"x" * (n % 3), mode=n % 0o1000, uid=n) for n in range(count)]

    assert assert_as_tarfile(by_tarfile(members, form)).count == count


@pytest.mark.parametrize("form", ["gnu", "pax"])
@pytest.mark.parametrize("length", [99, 100, 101, 155, 256, 257, 511, 512, 513, 4096])
def test_long_names_and_long_link_names(form: str, length: int) -> None:
    name = ("0123456789" * (length // 10 + 1))[:length]
    members = [
        info(name, content=b"1"),
        info("sym", tarfile.SYMTYPE, linkname=name),
        info("hard", tarfile.LNKTYPE, linkname=name),
        info("d" + name[1:], tarfile.SYMTYPE, linkname=name),
        info("after", content=b"2"),
    ]

    index = assert_as_tarfile(by_tarfile(members, FORMATS[form]))

    assert [len(path) for path in paths(index)] == [length, 3, 4, length, 5]


def test_ustar_splits_long_names_into_prefix_and_name() -> None:
    name = "p" * 155 + "/" + "n" * 100

    assert paths(assert_as_tarfile(by_tarfile([info(name, content=b"1")], tarfile.USTAR_FORMAT))) == [name.encode()]


@pytest.mark.parametrize("form", ["gnu", "pax"])
def test_a_path_two_thousand_levels_deep(form: str) -> None:
    name = "/".join(["d"] * 2000)

    index = assert_as_tarfile(by_tarfile([info(name, content=b"deep")], FORMATS[form]))

    assert paths(index)[0].count(b"/") == 1999


@pytest.mark.parametrize("value", [8**7, 2**31 - 1], ids=["more than octal holds", "the greatest id"])
@pytest.mark.parametrize("form", ["gnu", "pax"])
def test_ids_beyond_octal(form: str, value: int) -> None:
    assert_as_tarfile(by_tarfile([info("f", content=b"1", uid=value, gid=value - 1), info("after")], FORMATS[form]))


@pytest.mark.parametrize("mtime", [-1, 0, 8**11 - 1, 8**11, -(10**9)])
@pytest.mark.parametrize("form", ["gnu", "pax"])
def test_times_before_1970_and_beyond_octal(form: str, mtime: int) -> None:
    assert_as_tarfile(by_tarfile([info("f", content=b"1", mtime=mtime), info("after")], FORMATS[form]))


def test_sizes_in_base_256() -> None:
    block = bytearray(header(file("f", b"12345")))
    block[124:136] = base256(5, 12)

    assert_as_tarfile(seal(block) + padded(b"12345") + layer_tar(file("after", b"1")))


def test_a_base_256_size_beyond_octal_is_read_past_without_reading() -> None:
    """9 GiB of payload that is never made: the reader says how much it may pass over."""
    size = 9 << 30
    scanner = LayerScanner(where=WHERE, hash_within=NONE)

    scanner.feed(header(file("huge"), size))
    assert scanner.skippable == size
    scanner.skip(size)
    scanner.feed(layer_tar(file("after", b"1")))
    index = scanner.finish()

    assert index.size.tolist() == [size, 1]
    assert index.tar_size == BLOCK + size + len(layer_tar(file("after", b"1")))


@pytest.mark.parametrize("real", [b"9223372036854775807", b"%d" % (limits.FILE + 1)])
def test_a_sparse_file_larger_than_any_disk_is_refused(real: bytes) -> None:
    """Two of them would overflow every sum."""
    assert outcome(lambda: scan(layer_tar(file("a", b"1", pax={b"GNU.sparse.realsize": real})))) is not None


@pytest.mark.parametrize("size", [limits.FILE + 1, 2**62])
def test_a_file_larger_than_any_disk_is_refused(size: int) -> None:
    assert outcome(lambda: scan(header(file("a"), size))) is not None


def test_the_largest_sparse_file_is_taken() -> None:
    index = scan(layer_tar(file("a", b"1", pax={b"GNU.sparse.realsize": b"%d" % limits.FILE}), file("b", b"22")))

    assert index.size.tolist() == [limits.FILE, 2]


@pytest.mark.parametrize("size", [limits.FILE + 1, -1])
def test_an_old_sparse_header_with_an_absurd_size_is_refused(size: int) -> None:
    block = bytearray(header(file("a", flag=b"S", magic=GNU)))
    block[483:495] = base256(size, 12)

    assert outcome(lambda: scan(seal(block) + END)) is not None


# Extended headers.


def test_a_pax_time_is_exact_to_the_nanosecond() -> None:
    tar = layer_tar(
        file("early", pax={b"mtime": b"1600000000.123456789"}),
        file("late", pax={b"mtime": b"-1.5"}),
        file("finer", pax={b"mtime": b"1.1234567891"}),
    )

    assert assert_as_tarfile(tar).mtime.tolist() == [1_600_000_000_123_456_789, -1_500_000_000, 1_123_456_789]


def test_a_pax_size_overrides_the_header() -> None:
    tar = layer_tar(file("f", b"x" * 1000, size=0, pax={b"size": b"1000"}), file("after", b"1"))

    assert assert_as_tarfile(tar).size.tolist() == [1000, 1]


def test_a_pax_size_says_nothing_of_what_has_no_payload() -> None:
    tar = layer_tar(directory("d", pax={b"size": b"512"}), file("after", b"1"))

    assert assert_as_tarfile(tar).size.tolist() == [0, 1]


def test_pax_ids_override_the_header() -> None:
    assert_as_tarfile(layer_tar(file("f", b"1", pax={b"uid": b"3000000000", b"gid": b"7"})))


def test_pax_names_win_over_gnu_names_and_over_the_header() -> None:
    tar = extension(b"L", b"from-gnu\0") + layer_tar(file("from-header", b"1", pax={b"path": b"from-pax"}))

    assert paths(scan(tar)) == [b"from-pax"]


def test_an_extension_counts_for_one_member_only() -> None:
    tar = layer_tar(
        file("a", b"1", pax={b"path": b"renamed", b"uid": b"5", b"SCHILY.xattr.user.x": b"y"}), file("b", b"2")
    )

    index = assert_as_tarfile(tar)

    assert paths(index) == [b"renamed", b"b"]
    assert set(index.xattrs) == {0}


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ({b"SCHILY.xattr.a": b"1", b"SCHILY.xattr.b": b"2"}, {b"SCHILY.xattr.b": b"2", b"SCHILY.xattr.a": b"1"}, True),
        ({b"SCHILY.xattr.a": b"1"}, {b"SCHILY.xattr.a": b"2"}, False),
        ({b"SCHILY.xattr.a": b"1"}, {b"SCHILY.xattr.b": b"1"}, False),
        ({b"SCHILY.xattr.a": b"1"}, {}, False),
        ({b"SCHILY.xattr.a": b"1\n14 b=1:2"}, {b"SCHILY.xattr.a": b"1", b"SCHILY.xattr.b": b"2"}, False),
        ({b"SCHILY.xattr.a": b"1", b"atime": b"1"}, {b"SCHILY.xattr.a": b"1", b"atime": b"2"}, True),
        ({b"SCHILY.xattr.a": b"\0\n\xff"}, {b"SCHILY.xattr.a": b"\0\n\xff"}, True),
        ({b"SCHILY.xattr.a": b"\0\n\xff"}, {b"SCHILY.xattr.a": b"\0\n"}, False),
    ],
)
def test_extended_attributes_are_equal_exactly_where_names_and_values_are(
    one: dict[bytes, bytes], other: dict[bytes, bytes], equal: bool
) -> None:
    index = scan(layer_tar(file("one", pax=one), file("other", pax=other)))

    assert (index.xattrs.get(0) == index.xattrs.get(1)) is equal


def test_a_global_header_is_read_past_and_not_applied_as_engines_do() -> None:
    records = b"".join((pax_record(b"path", b"elsewhere"), pax_record(b"uid", b"7"), pax_record(b"comment", b"c")))
    tar = extension(b"g", records) + layer_tar(file("a", b"1"), file("b", b"2"))

    index = scan(tar)

    assert paths(index) == [b"a", b"b"]
    assert index.uid.tolist() == [0, 0]


def test_a_global_header_between_an_extension_and_its_member_changes_nothing() -> None:
    tar = (
        pax_header({b"path": b"renamed"})
        + extension(b"g", pax_record(b"path", b"elsewhere"))
        + layer_tar(file("a", b"1"))
    )

    assert paths(scan(tar)) == [b"renamed"]


@pytest.mark.parametrize(
    "payload",
    [
        b"5 a=b\n",
        b"abc path=x\n",
        b"-7 a=b\n",
        b"0 a=b\n",
        b"99 a=b\n",
        b"6 a=b!",
        b"6 a b\n",
        b"6 =ab\n",
        b"path=x\n",
        b"99999999999999999999999 a=b\n",
        pax_record(b"size", b"many"),
        pax_record(b"size", b"-1"),
        pax_record(b"size", b"1" * 40),
        pax_record(b"uid", b"root"),
        pax_record(b"mtime", b"yesterday"),
        pax_record(b"mtime", b"nan"),
        pax_record(b"mtime", b"\xff"),
        pax_record(b"GNU.sparse.realsize", b"1e3"),
    ],
)
def test_a_malformed_pax_record_is_an_error_that_names_the_layer(payload: bytes) -> None:
    assert outcome(lambda: scan(extension(b"x", payload) + layer_tar(file("a", b"1")))) is not None


@pytest.mark.parametrize("text", [b"1e999999", b"-1e999999", b"1e-999999", b"1" * 60, b"9" * 1000, b"inf", b"-snan"])
def test_an_absurd_pax_time_is_refused_or_bounded(text: bytes) -> None:
    with at_most(20):
        outcome(lambda: scan(layer_tar(file("a", b"1", pax={b"mtime": text}))))


@pytest.mark.parametrize("flag", [b"x", b"g", b"L", b"K"])
def test_a_huge_extension_is_refused_without_waiting_for_it(flag: bytes) -> None:
    scanner = LayerScanner(where=WHERE, hash_within=ALL)

    assert outcome(lambda: scanner.feed(header(Member(b"e", flag), 1 << 40))) is not None


def test_a_name_beyond_all_reason_is_refused() -> None:
    assert outcome(lambda: scan(layer_tar(file(b"a/" * 40_000 + b"b", b"1")))) is not None


# V7, and the oddities of old writers.


def test_v7_headers() -> None:
    tar = layer_tar(
        directory("dir/", flag=b"\0", magic=V7),
        file("dir/file", b"1", flag=b"\0", magic=V7),
        hardlink("dir/hard", "dir/file", magic=V7),
        symlink("dir/sym", "file", magic=V7),
    )

    index = assert_as_tarfile(tar)

    assert index.kind.tolist() == [Kind.DIR, Kind.FILE, Kind.HARDLINK, Kind.SYMLINK]


def test_a_trailing_slash_makes_no_directory_of_a_modern_file() -> None:
    assert scan(layer_tar(file("f/", b"1"))).kind.tolist() == [Kind.FILE]


def test_a_prefix_is_none_where_gnu_keeps_times() -> None:
    block = bytearray(header(file("name", b"1", magic=GNU)))
    block[345:357] = b"13727410000\0"  # GNU's atime stands where ustar has its prefix

    assert paths(scan(seal(block) + padded(b"1") + END)) == [b"name"]


def test_checksums_of_signed_bytes_are_taken() -> None:
    block = seal(header(file(b"\xff\xfe\xfd", b"1")), signed=True)

    assert paths(assert_as_tarfile(block + padded(b"1") + END)) == [b"\xff\xfe\xfd"]


@pytest.mark.parametrize(
    ("offset", "field"),
    [
        (100, b"   644 \0"),
        (100, b"644\0\0\0\0\0"),
        (100, b"0000644 "),
        (100, b"00000644"),
        (100, bytes(8)),
        (108, b"     17 "),
        (124, b"          5\0"),
        (124, b"          5 "),
        (124, b"5\0\0\0\0\0\0\0\0\0\0\0"),
        (124, b"000000000005"),
        (136, b" 1234567   \0"),
        (136, bytes(12)),
        (136, b"            "),
    ],
)
def test_numbers_in_the_ways_old_writers_put_them(offset: int, field: bytes) -> None:
    block = bytearray(header(file("f", b"12345")))
    block[offset : offset + len(field)] = field

    assert_as_tarfile(seal(block) + padded(b"12345") + layer_tar(file("after", b"1")))


@pytest.mark.parametrize("text", [b"%06o\0 ", b"%07o\0", b"%6o\0 ", b"%06o \0", b"%07o "])
def test_checksums_in_the_ways_old_writers_put_them(text: bytes) -> None:
    block = bytearray(header(file("f", b"12345")))
    block[148:156] = text % int(block[148:154], 8)

    assert_as_tarfile(bytes(block) + padded(b"12345") + END)


def test_file_type_bits_in_the_mode_are_masked() -> None:
    index = scan(layer_tar(file("f", b"1", mode=0o100755), directory("d", mode=0o40700)))

    assert [oct(mode) for mode in index.mode.tolist()] == ["0o755", "0o700"]


def test_rubbish_after_the_end_of_a_name_is_no_part_of_it() -> None:
    block = bytearray(header(file(b"name\0rubbish", b"1")))

    assert paths(scan(seal(block) + padded(b"1") + END)) == [b"name"]


# Members that carry no bytes of their own.


def test_a_hard_link_with_a_size_field_has_no_payload() -> None:
    tar = layer_tar(file("a", b"x" * 600), hardlink("b", "a", size=600), file("after", b"1"))

    index = assert_as_tarfile(tar)

    assert index.size.tolist() == [600, 0, 1]
    assert index.facts.size == 601


@pytest.mark.parametrize("member", [directory("d"), symlink("d", "t"), fifo("d"), char_device("d", 1, 2)])
def test_other_members_with_a_size_field_have_no_payload(member: Member) -> None:
    assert scan(layer_tar(member.but(size=512), file("after", b"1"))).size.tolist() == [0, 1]


@pytest.mark.parametrize("flag", [b"V", b"M", b"D", b"N", b"A", b"Z", b"8", b"9", b"\xff"])
def test_members_of_unknown_types_are_passed_over_with_their_payload(flag: bytes) -> None:
    index = scan(layer_tar(file("odd", b"x" * 700, flag=flag), file("after", b"1")))

    assert paths(index) == [b"after"]
    assert index.facts.size == 1


def test_a_contiguous_file_is_a_file() -> None:
    assert assert_as_tarfile(layer_tar(file("f", b"123", flag=b"7"), file("after", b"1"))).facts.size == 4


# Sparse files, written by GNU tar.


@pytest.fixture(scope="session")
def gnu_tar() -> str:
    path = shutil.which("gtar") or tool("tar")
    if "GNU tar" not in subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout:
        unavailable("needs GNU tar")
    return path


SPARSE_FORMATS = {
    "old GNU": ["--format=gnu"],
    "PAX 0.0": ["--format=posix", "--sparse-version=0.0"],
    "PAX 0.1": ["--format=posix", "--sparse-version=0.1"],
    "PAX 1.0": ["--format=posix", "--sparse-version=1.0"],
}


def sparse_tar(gnu_tar: str, folder: Path, options: list[str], extents: dict[str, int]) -> bytes:
    """A tar of sparse files with so many pieces of data, a hole before each and one at the end."""
    hole = 64 << 10
    for name, count in extents.items():
        with (folder / name).open("wb") as out:
            for piece in range(count):
                out.seek((2 * piece + 1) * hole)
                out.write(bytes([65 + piece % 26]) * 4096)
            out.truncate((2 * count + 1) * hole)
    (folder / "after").write_bytes(b"after all")
    done = subprocess.run(
        [gnu_tar, "--sparse", "--hole-detection=raw", *options, "-cf", "-", *extents, "after"],
        cwd=folder,
        capture_output=True,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize("options", SPARSE_FORMATS.values(), ids=SPARSE_FORMATS.keys())
@pytest.mark.parametrize("extents", [0, 1, 3, 4, 5, 24, 25, 26, 60], ids="{} pieces".format)
def test_sparse_files_read_as_tarfile_reads_them(
    gnu_tar: str, tmp_path: Path, options: list[str], extents: int
) -> None:
    """The old form holds 4 pieces in its header and 21 in each block after it."""
    tar = sparse_tar(gnu_tar, tmp_path, options, {"sparse": extents})
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        assert archive.getmembers()[0].issparse() or extents == 0, "the test's file is not stored as sparse"

    index = assert_as_tarfile(tar, sparse=frozenset({b"sparse"}))

    assert index.size.tolist() == [(2 * extents + 1) * (64 << 10), len(b"after all")]


@pytest.mark.parametrize("options", SPARSE_FORMATS.values(), ids=SPARSE_FORMATS.keys())
def test_sparse_files_have_equal_ids_where_they_have_equal_content(
    gnu_tar: str, tmp_path: Path, options: list[str]
) -> None:
    tar = sparse_tar(gnu_tar, tmp_path, options, {"a": 30, "b": 30, "longer": 31})

    content = [row.tobytes() for row in scan(tar).content]

    assert content[0] == content[1] != content[2]
    assert all(any(row) for row in content), "a sparse file's content is unknown, and can't be read again later"


@pytest.mark.parametrize("options", SPARSE_FORMATS.values(), ids=SPARSE_FORMATS.keys())
@pytest.mark.parametrize("chunk", [1, 511, 512, 513, 10_000])
def test_sparse_files_in_pieces_and_skipped(gnu_tar: str, tmp_path: Path, options: list[str], chunk: int) -> None:
    tar = sparse_tar(gnu_tar, tmp_path, options, {"a": 30})

    whole = scan(tar)

    assert_same(scan(tar, chunk=chunk), whole)
    assert_same(scan(tar, chunk=chunk, hash_content=False), whole, content=False)


def test_gnu_tar_writes_v7(gnu_tar: str, tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "f").write_bytes(b"content")
    os.link(tmp_path / "d" / "f", tmp_path / "d" / "hard")
    (tmp_path / "d" / "sym").symlink_to("f")
    tar = subprocess.run(
        [gnu_tar, "--format=v7", "-cf", "-", "d"], cwd=tmp_path, capture_output=True, check=True
    ).stdout

    index = assert_as_tarfile(tar)

    assert index.kind.tolist().count(Kind.DIR) == 1


# Names.


@pytest.mark.parametrize(
    ("name", "path"),
    [
        (b"./a", b"a"),
        (b"/a", b"a"),
        (b"//a", b"a"),
        (b"a//b", b"a/b"),
        (b"a/./b", b"a/b"),
        (b"a/../b", b"b"),
        (b"../a", b"a"),
        (b"../../../a", b"a"),
        (b"a/../../b", b"b"),
        (b"a/b/../../../../c", b"c"),
        (b"./../a", b"a"),
        (b".//a", b"a"),
        (b"././a", b"a"),
        (b"a/..b", b"a/..b"),
        (b"a/b..", b"a/b.."),
        (b"...", b"..."),
        (b".a", b".a"),
        (b"a.", b"a."),
        (b"..a/.b", b"..a/.b"),
        (b"a\nb", b"a\nb"),
        (b"\xff\xfe", b"\xff\xfe"),
        (b"a\x1b[31mb", b"a\x1b[31mb"),
        (b" ", b" "),
        (b"\\", b"\\"),
        (b"-rf", b"-rf"),
    ],
)
@pytest.mark.parametrize("make", [file, directory], ids=["file", "directory"])
def test_odd_names_are_normalised_and_never_leave_the_root(
    name: bytes, path: bytes, make: Callable[[bytes], Member]
) -> None:
    """Alone, and among others: names are treated by the batch."""
    index = scan(layer_tar(file("before"), make(name), file("after")))

    assert paths(index) == [b"before", path, b"after"]
    assert paths(scan(layer_tar(make(name)))) == [path]
    assert path == normal(name), "the test's own expectation contradicts the operating system's rules"


@pytest.mark.parametrize("name", [b"a/", b"./a/", b"/a/", b"a//", b"a/.", b"a/b/.."])
def test_a_directory_by_any_spelling(name: bytes) -> None:
    assert paths(scan(layer_tar(directory(name)))) == [b"a"]


@pytest.mark.parametrize("name", [b"", b".", b"./", b"/", b"..", b"../", b"a/..", b"//"])
def test_the_root_is_a_directory_and_nothing_else(name: bytes) -> None:
    index = scan(layer_tar(directory(name, mode=0o700), file(name, b"1"), symlink(name, "x"), file("after", b"1")))

    assert paths(index) == [b"", b"after"]
    assert index.kind.tolist() == [Kind.DIR, Kind.FILE]
    assert index.facts.size == 1


def test_hard_links_lead_to_normalised_paths_and_symlinks_stay_as_they_are() -> None:
    index = scan(layer_tar(file("d/a", b"1"), hardlink("b", "./d//x/../a"), symlink("c", "./d//x/../a")))

    assert index.links == {1: b"d\0a", 2: b"./d//x/../a"}


def test_links_to_nothing() -> None:
    """A link without a target is nonsense, and harmless."""
    index = scan(layer_tar(hardlink("h", ""), symlink("s", "")))

    assert paths(index) == [b"h", b"s"]
    assert stack([hardlink("h", "")]).files == 1


def test_whiteouts_stand_for_what_they_remove() -> None:
    index = scan(
        layer_tar(whiteout("a"), whiteout("d/b"), whiteout(b"d/\xff"), opaque("d"), opaque(""), file("d/c", b"1"))
    )

    assert paths(index) == [b"a", b"d/b", b"d/\xff", b"d", b"", b"d/c"]
    assert index.kind.tolist() == [*[Kind.WHITEOUT] * 3, *[Kind.OPAQUE] * 2, Kind.FILE]
    assert index.facts.files == 1
    assert index.facts.size == 1


@pytest.mark.parametrize("name", [b"./.wh.a", b"/.wh.a", b"d/../.wh.a", b".//.wh.a"])
def test_a_whiteout_by_any_spelling(name: bytes) -> None:
    index = scan(layer_tar(file(name)))

    assert (paths(index), index.kind.tolist()) == ([b"a"], [Kind.WHITEOUT])


@pytest.mark.parametrize("member", [file(".wh.a", b"content"), directory(".wh.a"), hardlink(".wh.a", ".wh..opq")])
def test_a_whiteout_is_one_whatever_its_type(member: Member) -> None:
    index = scan(layer_tar(member))

    assert (paths(index), index.kind.tolist(), index.facts.size) == ([b"a"], [Kind.WHITEOUT], 0)


@pytest.mark.parametrize("name", [b".wh.", b".wh..", b".wh...", b"d/.wh."])
def test_a_whiteout_of_no_name_is_left_out(name: bytes) -> None:
    """``.wh...`` would remove the parent directory."""
    assert paths(scan(layer_tar(file(name), file("a")))) == [b"a"]


@pytest.mark.parametrize(
    "name", [b".wh..wh.aufs", b".wh..wh.orph", b".wh..wh.plnk", b".wh..wh.plnk/1.2", b"d/.wh..wh.x/y/z"]
)
def test_the_metadata_of_aufs_is_left_out_as_engines_do(name: bytes) -> None:
    index = scan(layer_tar(file(name, b"12345"), file("a", b"1")))

    assert paths(index) == [b"a"]
    assert index.facts.size == 1


def test_names_that_only_resemble_whiteouts_are_files() -> None:
    names = [b"x.wh.a", b".wha", b".WH.a", b"wh.a", b".wh", b".wh.d/inside"]

    assert paths(scan(layer_tar(*map(file, names)))) == names


def test_a_name_of_two_thousand_components_is_the_longest_there_is() -> None:
    with at_most(20):
        index = scan(layer_tar(file(b"a/" * 2047 + b"b", b"1")))

    assert paths(index)[0].count(b"/") == 2047
    with pytest.raises(LaminaError, match="longer than 4096 bytes"):
        scan(layer_tar(file(b"a/" * 2048 + b"b", b"1")))


# How a tar ends.


def test_an_empty_tar() -> None:
    index = scan(END)

    assert (index.count, index.facts.files, index.facts.size, index.tar_size, index.keys()) == (0, 0, 0, 2 * BLOCK, [])


def test_no_bytes_at_all() -> None:
    index = scan(b"")

    assert (index.count, index.tar_size) == (0, 0)


@pytest.mark.parametrize(
    "end",
    [
        b"",
        bytes(BLOCK),
        END,
        bytes(20 * BLOCK),
        bytes(100),
        END + b"rubbish",
        END + b"r" * 5000,
        END + written(file("x")),
    ],
    ids=["none", "one block", "two blocks", "a record", "part of a block", "rubbish", "much rubbish", "a member"],
)
def test_whatever_stands_at_the_end(end: bytes) -> None:
    tar = layer_tar(file("a", b"1"), file("b", b"2"), end=end)

    index = scan(tar)

    assert paths(index) == [b"a", b"b"]
    assert index.tar_size == len(tar)
    assert_same(scan(tar, chunk=1), index)


def test_a_lone_zero_block_ends_the_tar_as_it_does_for_tarfile() -> None:
    tar = layer_tar(file("a", b"1"), end=bytes(BLOCK)) + layer_tar(file("b", b"2"))

    assert paths(assert_as_tarfile(tar)) == [b"a"]


def test_the_last_padding_may_be_missing() -> None:
    tar = header(file("a", b"12345")) + b"12345"

    assert scan(tar).size.tolist() == [5]


# Any way the bytes come.


def mixed_layer() -> bytes:
    return (
        layer_tar(
            directory("d"),
            file("d/empty"),
            file("d/small", b"12345", pax={b"mtime": b"1.5", b"SCHILY.xattr.user.a": b"b"}),
            file("d/block", b"b" * BLOCK),
            hardlink("d/hard", "d/small"),
            symlink("l" * 150, "t" * 150),
            file("n" * 300, b"x" * 1300, uid=2**40),
            char_device("null", 1, 3),
            whiteout("gone"),
            opaque("d"),
            file("odd", b"x" * 30, flag=b"Z"),
            end=b"",
        )
        + extension(b"L", b"g" * 200 + b"\0")
        + extension(b"g", pax_record(b"comment", b"c"))
        + layer_tar(file("cut", b"last"))
        + b"rubbish"
    )


@pytest.mark.parametrize("chunk", [1, 2, 7, 100, 511, 512, 513, 1024, 1 << 20])
def test_pieces_of_any_length_give_the_same_index(chunk: int) -> None:
    tar = mixed_layer()
    whole = scan(tar)
    assert whole.count == 11

    assert_same(scan(tar, chunk=chunk), whole)
    assert_same(scan(tar, chunk=chunk, hash_content=False), whole, content=False)


def test_empty_pieces_are_harmless() -> None:
    tar = mixed_layer()
    scanner = LayerScanner(where=WHERE, hash_within=ALL)
    for byte in tar:
        scanner.feed(b"")
        scanner.feed(bytes([byte]))
    scanner.feed(b"")

    assert_same(scanner.finish(), scan(tar))


@given(st.lists(st.sampled_from([1, 3, 255, 511, 512, 513, 2000]), min_size=1, max_size=20))
@settings(max_examples=50)
def test_pieces_of_random_lengths_give_the_same_index(lengths: list[int]) -> None:
    tar = mixed_layer()
    scanner = LayerScanner(where=WHERE, hash_within=ALL)
    position = 0
    for length in itertools.cycle(lengths):
        scanner.feed(tar[position : position + length])
        position += length
        if position >= len(tar):
            break

    assert_same(scanner.finish(), scan(tar))


@pytest.mark.parametrize("hash_content", [True, False])
def test_without_hashing_no_content_is_known_and_with_it_all_is(hash_content: bool) -> None:
    index = scan(layer_tar(file("a", b"1"), file("b", b"22"), directory("d")), hash_content=hash_content)

    assert [bool(row.any()) for row in index.content] == [hash_content, hash_content, False]


def skipping(tar: bytes, window: int) -> tuple[LayerIndex, int]:
    """The index read as from a file, in windows, passing over payloads; and how many bytes were read."""
    scanner = LayerScanner(where=WHERE, hash_within=NONE)
    position = fed = 0
    while position < len(tar):
        data = tar[position : position + window]
        scanner.feed(data)
        fed += len(data)
        position += len(data)
        skip = min(scanner.skippable, len(tar) - position)
        if skip:
            scanner.skip(skip)
        position += skip
    return scanner.finish(), fed


@pytest.mark.parametrize("window", [1, 512, 700, 4096])
def test_passing_over_payloads_gives_the_same_index(window: int) -> None:
    tar = mixed_layer()

    index, _ = skipping(tar, window)

    assert_same(index, scan(tar), content=False)


def test_payloads_are_really_passed_over() -> None:
    payload = 1_000_000
    tar = layer_tar(*(file(f"f{number}", payload) for number in range(5)))

    index, fed = skipping(tar, window=4096)

    assert index.facts.size == 5 * payload
    assert fed < 5 * 3 * 4096, "a window or two for each header, not the payloads"


@pytest.mark.parametrize("lead", [0, 1, 512])
def test_a_plain_layer_within_a_file(tmp_path: Path, lead: int) -> None:
    tar = mixed_layer()
    (tmp_path / "f").write_bytes(b"?" * lead + tar + b"?" * 100)
    steps: list[int] = []

    with (tmp_path / "f").open("rb") as opened_file:
        index = scan_plain(
            opened_file.fileno(), lead, len(tar), where=WHERE, cancel=threading.Event(), advance=steps.append
        )

    assert_same(index, scan(tar), content=False)
    assert sum(steps) == len(tar)


# Against tarfile, at random.

_NAMES = st.one_of(
    st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), min_size=1, max_size=20),
    st.lists(st.sampled_from(["a", "b", ".", "..", "", "x" * 60]), min_size=1, max_size=6).map("/".join),
    st.integers(90, 300).map("n".__mul__),
)


@st.composite
def random_members(draw: st.DrawFn) -> list[tuple[tarfile.TarInfo, bytes]]:
    members = []
    for _ in range(draw(st.integers(0, 6))):
        kind = draw(
            st.sampled_from(
                [tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE]
            )
        )
        content = b"z" * draw(st.sampled_from([0, 1, 511, 512, 513])) if kind == tarfile.REGTYPE else b""
        fields: dict[str, object] = {
            "mode": draw(st.integers(0, 0o7777)),
            "uid": draw(st.sampled_from([0, 1000, 8**7 - 1, 8**7, 2**31])),
            "mtime": draw(st.sampled_from([0, 1, SOME_TIME, 8**11, -5])),
        }
        if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
            fields["linkname"] = draw(_NAMES)
        members.append(info(draw(_NAMES), kind, content, **fields))
    return members


@given(random_members(), st.sampled_from(["gnu", "pax"]), st.sampled_from([1, 100, 512, 5000]))
@settings(max_examples=150)
def test_random_tars_read_as_tarfile_reads_them(
    members: list[tuple[tarfile.TarInfo, bytes]], form: str, chunk: int
) -> None:
    tar = by_tarfile(members, FORMATS[form])
    # lamina's own rules, which are not tarfile's: what claims to be the root is a directory or nothing.
    expected = [row for row in rows_by_tarfile(tar) if row.path or row.kind == Kind.DIR]

    assert rows_of(scan(tar)) == expected
    assert_same(scan(tar, chunk=chunk), scan(tar))


# Damage.


def test_a_wrong_checksum_is_an_error() -> None:
    tar = bytearray(layer_tar(file("a", b"1"), file("b", b"2")))
    tar[2 * BLOCK] ^= 1  # the first letter of the second member's name

    assert outcome(lambda: scan(bytes(tar))) is not None


@pytest.mark.parametrize("hash_content", [True, False])
@pytest.mark.parametrize(
    "size", [b"zzzzzzzzzzz\0", b"-0000000001\0", base256(-1, 12), base256(2**63, 12), b"9" * 11 + b"\0"]
)
def test_a_size_that_is_none_is_an_error(size: bytes, hash_content: bool) -> None:
    block = bytearray(header(file("a", b"1")))
    block[124:136] = size

    assert outcome(lambda: scan(seal(block) + padded(b"1") + END, hash_content=hash_content)) is not None


@pytest.mark.parametrize(
    ("start", "width"), [(100, 8), (108, 8), (116, 8), (136, 12)], ids=["mode", "uid", "gid", "time"]
)
def test_a_number_that_is_none_is_an_error(start: int, width: int) -> None:
    block = bytearray(header(file("a", b"1")))
    block[start : start + width] = b"rubbish!!!!!"[:width]

    assert outcome(lambda: scan(seal(block) + padded(b"1") + END)) is not None


@pytest.mark.parametrize("start", [329, 337], ids=["major", "minor"])
def test_a_device_number_that_is_none_is_an_error(start: int) -> None:
    block = bytearray(header(char_device("a", 1, 2)))
    block[start : start + 8] = b"rubbish!"

    assert outcome(lambda: scan(seal(block) + END)) is not None


def test_text_is_no_tar() -> None:
    assert outcome(lambda: scan(b"This is no tar at all. " * 100)) is not None


@pytest.mark.parametrize("hash_content", [True, False])
@pytest.mark.parametrize(("chunk", "step"), [(None, 1), (100, 7)])
def test_a_tar_cut_anywhere_is_an_index_or_an_error(chunk: int | None, step: int, hash_content: bool) -> None:
    """An index only where a member ends: between members (or in padding) a cut can't be told from a missing end."""
    members = [file("a", b"x" * 700), directory("d"), file("p" * 120, b"12345"), symlink("s", "t"), file("z", b"1")]
    tar = layer_tar(*members)
    ends = {0}  # after each member, without the padding after its content
    position = 0
    for member in members:
        padding = len(padded(member.content)) - len(member.content)
        position += len(written(member))
        ends.update(range(position - padding, position + 1))
    cuts = range(0, len(tar), step)
    readable = {
        cut
        for cut in cuts
        if outcome(lambda: scan(tar[:cut], chunk=chunk, hash_content=hash_content)) is None  # noqa: B023 - called at once
    }

    assert readable == (ends | set(range(position, len(tar)))) & set(cuts)


@pytest.fixture(scope="module")
def damaged() -> list[bytes]:
    """Layers with one to four bytes changed anywhere; in half of them the checksums are made right again."""
    chance = random.Random(20240229)
    tar = mixed_layer()
    headers = [start for start in range(0, len(tar) - BLOCK, BLOCK) if tar[start + 257 : start + 262] == b"ustar"]
    found = []
    for number in range(1200):
        broken = bytearray(tar)
        for _ in range(chance.randint(1, 4)):
            if number % 2:
                at = chance.choice(headers) + chance.randrange(BLOCK)
            else:
                at = chance.randrange(len(tar))
            broken[at] = chance.choice([0, 0x20, 0x2D, 0x30, 0x37, 0x39, 0x80, 0xFF, chance.randrange(256)])
        if number % 2:
            for start in headers:
                broken[start : start + BLOCK] = seal(broken[start : start + BLOCK])
        found.append(bytes(broken))
    return found


@pytest.mark.parametrize("hash_content", [True, False])
def test_damaged_bytes_give_an_index_or_an_error_and_nothing_else(damaged: list[bytes], hash_content: bool) -> None:
    with at_most(120):
        results = [outcome(lambda: scan(tar, hash_content=hash_content)) for tar in damaged]  # noqa: B023 - called at once

    assert any(result is None for result in results), "the damage is so great that nothing is tested"
    assert any(result is not None for result in results), "the damage is so small that nothing is tested"


def test_what_is_read_of_a_damaged_tar_can_be_stacked(damaged: list[bytes]) -> None:
    """On a sound layer, so that whiteouts and links have something to meet."""
    sound = layer_tar(directory("d"), file("d/small", 10), file("gone", 20))
    with at_most(120):
        for tar in damaged[::2]:
            try:
                image = stack(sound, tar)
            except LaminaError:
                continue
            assert image.size == image.visible + sum(row.bytes for row in image.waste)


def test_random_bytes_give_an_index_or_an_error_and_nothing_else() -> None:
    chance = random.Random(7)
    with at_most(60):
        for length in range(0, 3000, 37):
            outcome(lambda: scan(chance.randbytes(length)))  # noqa: B023 - called at once


def test_the_test_writer_writes_what_tarfile_reads() -> None:
    """The hand-made tars of all these tests are sound where they are meant to be."""
    tar = layer_tar(
        directory("d", uid=5), file("d/f", b"12345", gid=6, magic=USTAR), symlink("s", "d/f"), hardlink("h", "d/f")
    )

    assert [row.path for row in rows_by_tarfile(tar)] == [b"d", b"d/f", b"s", b"h"]
    assert_as_tarfile(tar)


# Runs of ordinary members are found by what looks like a header, wherever that stands.


@pytest.mark.parametrize("chunk", [None, 4096, 5000, 1 << 16])
@pytest.mark.parametrize("before", [0, 1, 20])
def test_a_tar_inside_a_file_of_the_layer_is_content(before: int, chunk: int | None) -> None:
    inner = layer_tar(*(file(f"inner/{n}", n) for n in range(30)), directory("d"), file("d/end", 700))
    outer = [file(f"outer/{n}", 100 * n) for n in range(before)]
    tar = layer_tar(
        *outer, file("inner.tar", inner), file("twice.tar", 2 * inner), *(file(f"z{n}", 9) for n in range(20))
    )

    index = scan(tar, chunk=chunk)

    assert_as_tarfile(tar)
    assert b"inner\0" not in index.keys_blob
    assert index.count == before + 22
    assert_same(index, scan(tar))


@pytest.mark.parametrize("gap", [1, 2, 7])
def test_members_without_a_magic_between_others_are_found(gap: int) -> None:
    """V7 headers name no format: the chain goes on through them."""
    members = [file(f"f{n}", 600, magic=V7 if n % (gap + 1) == gap else USTAR) for n in range(40)]

    assert_as_tarfile(layer_tar(*members))
    assert scan(layer_tar(*members)).count == 40
