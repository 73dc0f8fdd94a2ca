"""Records that are cut, huge, or lie: that one is told as unreadable, and everything else stands."""

from __future__ import annotations

import sqlite3
import struct
import threading
from pathlib import Path

import pytest

import builders
import lamina
from lamina import limits
from lamina.model import Cancelled
from lamina.packages.find_packages import find_packages
from packages.support import apk_installed, dpkg_list, dpkg_status, sizes, table
from packages.test_managers import SITE, rpm_database, rpm_header
from tars import Member, file, layer_tar

GOOD = [apk_installed(("good", "1", ["good"])), file("good", 5)]


def unreadable(folder: Path, *members: Member) -> list[tuple[str, str]]:
    """What is told of an image with these and with a package that is fine."""
    found = table(folder, [*GOOD, *members])
    assert sizes(found)["apk:good"] == (5, 0)
    return [(each.manager, each.reason) for each in found.unreadable]


def test_lists_can_not_lead_out_of_the_image(tmp_path: Path) -> None:
    found = table(
        tmp_path, [dpkg_status(("x", "1")), dpkg_list("x", "../../../../f", "a/../../f/..", ".."), file("f", 3)]
    )

    assert sizes(found) == {"dpkg:x": (3, 0)}


def test_a_path_of_a_thousand_levels(tmp_path: Path) -> None:
    deep = "/".join(["d"] * 1500)
    found = table(tmp_path, [dpkg_status(("x", "1")), dpkg_list("x", deep), file(deep, 3)])

    assert sizes(found) == {"dpkg:x": (3, 0)}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[" * 50_000, "no JSON"),
        (b'{"version": ', "no JSON"),
        (b'{"version": "1", "x": "' + b"x" * 70_000, "more than"),
    ],
    ids=["deep", "cut", "large"],
)
def test_a_package_json_that_is_none(tmp_path: Path, content: bytes, said: str) -> None:
    """The folder's package is known by its name all the same."""
    members = [file("node_modules/a/package.json", content), file("node_modules/a/x", 7)]
    ((manager, reason),) = unreadable(tmp_path, *members)

    assert manager == "npm"
    assert said in reason
    assert sizes(table(tmp_path, members))["npm:a"] == (len(content) + 7, 0)


@pytest.mark.parametrize(
    "content", [b"[]", b'{"version": 5}', b'{"version": "\\ud800\\u001b[31m"}', b"null", b"\xff\xfe{}"]
)
def test_a_package_json_of_another_shape(tmp_path: Path, content: bytes) -> None:
    found = table(tmp_path, [file("node_modules/a/package.json", content)])

    assert [package.name for package in found.packages] == ["a"]


def test_a_list_of_a_million_files(tmp_path: Path) -> None:
    record = b"".join(b"m/%d.py,,\n" % number for number in range(1_000_000))
    found = table(tmp_path, [file(f"{SITE}/m-1.dist-info/RECORD", record), file(f"{SITE}/m/999999.py", 3)])

    assert sizes(found) == {"python:m": (3, 0)}


def test_a_list_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PACKAGE_RECORD", 1000)
    large = dpkg_list("x", *("y" * 90 for _ in range(20)))

    assert unreadable(tmp_path, large) == [("dpkg", "it has more than 1000 bytes")]


def test_records_that_are_too_much_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = sum(len(member.content) for member in GOOD[:1])
    monkeypatch.setattr(limits, "PACKAGE_RECORDS", small + 500)
    lists = [dpkg_list("x", *("y" * 90 for _ in range(20)))]

    ((manager, reason),) = unreadable(tmp_path, *lists)
    assert manager == "dpkg"
    assert "together" in reason


def test_python_records_that_are_no_tables(tmp_path: Path) -> None:
    ((manager, reason),) = unreadable(tmp_path, file(f"{SITE}/m-1.dist-info/RECORD", b'"' + b"x" * 200_000))

    assert (manager, reason) == ("python", "it is no table of files")


HEADER = rpm_header("x", "1", "1", ["/bin/x"])


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"\0" * 7,
        HEADER[:-1],
        struct.pack(">II", 0xFFFFFFFF, 0xFFFFFFFF),
        struct.pack(">II", 1 << 17, 0) + bytes(16 << 17),
        HEADER.replace(struct.pack(">II", 1000, 6), struct.pack(">II", 1000, 4)),
    ],
    ids=["empty", "short", "cut", "lying counts", "many entries", "no name"],
)
def test_rpm_headers_that_are_none(tmp_path: Path, header: bytes) -> None:
    data = rpm_database(tmp_path, header, rpm_header("y", "1", "1", ["/good"]))

    assert unreadable(tmp_path, file("var/lib/rpm/rpmdb.sqlite", data)) == [("rpm", "1 of its packages can't be read")]


def test_an_rpm_header_whose_lists_lie_is_read_as_far_as_they_go(tmp_path: Path) -> None:
    lying = HEADER.replace(struct.pack(">IIII", 1117, 8, 0, 1)[:8], struct.pack(">II", 1117, 8))
    at = lying.index(struct.pack(">II", 1117, 8)) + 12
    lying = lying[:at] + struct.pack(">I", 0x7FFFFFFF) + lying[at + 4 :]
    found = table(tmp_path, [file("var/lib/rpm/rpmdb.sqlite", rpm_database(tmp_path, lying)), file("bin/x", 1)])

    assert sizes(found) == {"rpm:x": (0, 0)}


def test_sqlite_files_that_are_damaged(tmp_path: Path) -> None:
    data = rpm_database(tmp_path, *(rpm_header(f"p{n}", "1", "1", [f"/{'f' * 200}{n}"]) for n in range(200)))
    spoiled = data[:5000] + bytes(4096) + data[9096:]

    for bad in (data[:4096], spoiled, b"no database" * 1000, data[:16] + b"\xff" * 84 + data[100:]):
        ((manager, reason),) = unreadable(tmp_path, file("var/lib/rpm/rpmdb.sqlite", bad))
        assert manager == "rpm"
        assert "damaged" in reason


def test_an_sqlite_file_whose_texts_are_none(tmp_path: Path) -> None:
    data = rpm_database(tmp_path, rpm_header("y", "1", "1", ["/good"])).replace(b"tablePackages", b"t\xffblePackages")

    assert unreadable(tmp_path, file("var/lib/rpm/rpmdb.sqlite", data)) == [("rpm", "it is damaged (SQLITE_CORRUPT)")]


def test_a_view_in_the_place_of_the_table_is_not_asked(tmp_path: Path) -> None:
    """It could count for ever."""
    numbers = "WITH RECURSIVE n(blob) AS (SELECT 1 UNION ALL SELECT blob + 1 FROM n)"
    endless = f"CREATE VIEW Packages AS {numbers} SELECT blob FROM n"
    data = rpm_database(tmp_path, schema=endless)

    assert unreadable(tmp_path, file("var/lib/rpm/rpmdb.sqlite", data)) == [("rpm", "it has no table of packages")]


def test_a_write_ahead_log_is_read(tmp_path: Path) -> None:
    path = tmp_path / "rpmdb.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB)")
    connection.execute("INSERT INTO Packages (blob) VALUES (?)", (rpm_header("y", "1", "1", ["/good"]),))
    connection.commit()
    files = [
        file(f"var/lib/rpm/{name}", (tmp_path / name).read_bytes()) for name in ("rpmdb.sqlite", "rpmdb.sqlite-wal")
    ]
    connection.close()

    assert "rpm:y" in sizes(table(tmp_path, [*files, file("good", 1)]))


def test_names_that_are_no_text(tmp_path: Path) -> None:
    found = table(tmp_path, [file("lib/apk/db/installed", b"P:\xff\x1b[31m\nV:\xfe\nF:\nR:good\n\n"), file("good", 5)])

    (package,) = found.packages
    assert package.name.encode("utf-8", "surrogateescape") == b"\xff\x1b[31m"


def test_a_package_that_is_called_as_one_of_an_architecture(tmp_path: Path) -> None:
    status = b"Package: a:b\nStatus: install ok installed\nVersion: 1\n"

    assert sizes(table(tmp_path, [file("var/lib/dpkg/status", status)])) == {"dpkg:a": (0, 0)}


def test_reading_can_be_left(tmp_path: Path) -> None:
    path = tmp_path / "image.tar"
    path.write_bytes(builders.pack(builders.old_docker(builders.Image([layer_tar(*GOOD)]))))
    image, cancel = lamina.open(str(path)), threading.Event()
    cancel.set()

    with pytest.raises(Cancelled):
        find_packages(image.figures, cancel)
