"""What a file is, in a line."""

from __future__ import annotations

import io
import random
import struct
import subprocess
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from contents.support import image
from lamina.contents.content import FileContent, open_content
from lamina.contents.identify import identify
from lamina.contents.place import find_place, scope_of
from needs import tool
from tars import file

Open = Callable[[bytes], FileContent]


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    def make(data: bytes) -> FileContent:
        files = image(tmp_path, [file("f", data)])
        return open_content(files, find_place(files, "f", scope_of(files)).event)

    return make


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in ("META-INF/MANIFEST.MF", "a.class", "esc\x1b[31m"):
            archive.writestr(name, b"x")
    return out.getvalue()


def tarred() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("one"))
        archive.addfile(tarfile.TarInfo("two"))
    return out.getvalue()


def png(width: int, height: int) -> bytes:
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))


KINDS = {
    "script": (b"#!/usr/bin/env python3\nimport os\n", "script for /usr/bin/env python3"),
    "picture": (png(640, 480), "PNG picture, 640 x 480 pixels"),
    "zip": (zipped(), r"zip archive of 3 entries: META-INF/MANIFEST.MF, a.class, esc\x1b[31m"),
    "tar": (tarred(), "tar archive of 2 entries: one, two"),
    "key": (b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n", "private key (OPENSSH PRIVATE KEY)"),
    "text": (b"just words\n", ""),
    "nothing": (b"", ""),
}


@pytest.mark.parametrize(("data", "told"), KINDS.values(), ids=KINDS.keys())
def test_a_file_by_what_it_begins_with(opened: Open, data: bytes, told: str) -> None:
    assert identify(opened(data)) == told


def test_a_program_with_its_machine_and_what_it_needs(opened: Open) -> None:
    told = identify(opened(Path(tool("ls")).read_bytes()))

    assert told.startswith("ELF 64-bit program for ")
    assert "libc.so.6" in told


def test_a_certificate_with_its_dates(opened: Open, tmp_path: Path) -> None:
    command = [tool("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=shop"]
    subprocess.run([*command, "-keyout", tmp_path / "key", "-out", tmp_path / "cert"], check=True, capture_output=True)

    told = identify(opened((tmp_path / "cert").read_bytes() * 2))

    assert told.startswith("certificate of Common Name: shop, valid from 20")
    assert told.endswith(", and 1 more behind it")


@pytest.mark.parametrize(
    "begins", [b"\x7fELF\x02\x01\x01", b"PK\x03\x04", b"\x89PNG\r\n", b"-----BEGIN CERTIFICATE-----\n"]
)
def test_what_only_begins_like_that_is_no_fault(opened: Open, begins: bytes) -> None:
    chance = random.Random(3)
    for size in (0, 10, 60, 500, 5000):
        told = identify(opened(begins + chance.randbytes(size)))

        assert told.isprintable()


def test_a_program_that_claims_endless_tables_is_not_followed(opened: Open) -> None:
    whole = bytearray(Path(tool("ls")).read_bytes())
    (offset,) = struct.unpack_from("<Q", whole, 32)
    struct.pack_into("<H", whole, 56, 0xFFFF)  # segments
    for number in range(20):
        at = offset + 56 * number
        if struct.unpack_from("<I", whole, at)[0] == 2:  # the dynamic one
            struct.pack_into("<QQ", whole, at + 32, 1 << 40, 1 << 40)

    assert identify(opened(bytes(whole))).isprintable()
