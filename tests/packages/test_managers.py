"""Each manager's records, in the forms that are met."""

from __future__ import annotations

import sqlite3
import struct
from pathlib import Path

import pytest

from packages.support import apk_installed, dpkg_list, dpkg_status, only, package_json, sizes, table
from tars import Member, directory, file, symlink, whiteout

# -- dpkg --------------------------------------------------------------------------------------------------------------


def test_dpkg_names_an_architecture_only_where_there_are_several(tmp_path: Path) -> None:
    status = "".join(
        f"Package: {name}\nStatus: install ok installed\nArchitecture: {arch}\nVersion: {version}\n\n"
        for name, arch, version in [("libc6", "amd64", "1"), ("libc6", "i386", "2"), ("zlib1g", "amd64", "3")]
    )
    found = table(
        tmp_path,
        [file("var/lib/dpkg/status", status.encode()), file("a", 1), file("b", 2), file("c", 3)],
        [dpkg_list("libc6:amd64", "a"), dpkg_list("libc6:i386", "b"), dpkg_list("zlib1g:amd64", "c")],
    )

    assert {(package.name, package.version, package.size) for package in found.packages} == {
        ("libc6:amd64", "1", 1),
        ("libc6:i386", "2", 2),
        ("zlib1g", "3", 3),
    }


def test_dpkg_packages_without_a_list_weigh_nothing(tmp_path: Path) -> None:
    found = table(tmp_path, [dpkg_status(("bare", "7"))])

    assert (only(found).version, only(found).size) == ("7", 0)


def test_dpkg_lists_without_a_status_have_no_version(tmp_path: Path) -> None:
    found = table(tmp_path, [dpkg_list("a", "f"), file("f", 4)])

    assert (only(found).name, only(found).version, only(found).size) == ("a", "", 4)


def test_what_dpkg_never_installed_is_no_package(tmp_path: Path) -> None:
    status = b"Package: a\nStatus: unknown ok not-installed\nVersion: 1\n"
    assert table(tmp_path, [file("var/lib/dpkg/status", status)]).packages == ()


def test_dpkg_diversions_lead_to_where_the_file_is(tmp_path: Path) -> None:
    found = table(
        tmp_path,
        [file("var/lib/dpkg/diversions", b"/bin/sh\n/bin/sh.distrib\nzsh\n"), dpkg_status(("dash", "1"), ("zsh", "1"))],
        [dpkg_list("dash", "bin/sh"), dpkg_list("zsh", "bin/sh"), file("bin/sh", 100), file("bin/sh.distrib", 30)],
    )

    assert sizes(found) == {"dpkg:dash": (30, 0), "dpkg:zsh": (100, 0)}


def test_distroless_images_have_a_file_a_package(tmp_path: Path) -> None:
    control = b"Package: libssl3\nVersion: 3.0\nArchitecture: amd64\n"
    sums = b"d41d8cd98f00b204e9800998ecf8427e  usr/lib/libssl.so.3\n"
    found = table(
        tmp_path,
        [file("usr/lib/libssl.so.3", 60), file("var/lib/dpkg/status.d/libssl3", control)],
        [file("var/lib/dpkg/status.d/libssl3.md5sums", sums)],
    )

    assert (only(found).name, only(found).version) == ("libssl3", "3.0")
    assert only(found).size == 60 + len(control) + len(sums)


# -- apk ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("home", ["lib/apk/db/installed", "usr/lib/apk/db/installed"])
def test_apk_knows_its_files_by_folder(tmp_path: Path, home: str) -> None:
    database = apk_installed(
        ("musl", "1.2-r0", ["lib/ld-musl.so", "top"]), ("zlib", "1-r1", ["lib/libz.so"]), path=home
    )
    found = table(tmp_path, [database, file("lib/ld-musl.so", 600), file("top", 1), file("lib/libz.so", 100)])

    assert {(package.name, package.version, package.size) for package in found.packages} == {
        ("musl", "1.2-r0", 601),
        ("zlib", "1-r1", 100),
    }


def test_apk_packages_that_were_removed_again(tmp_path: Path) -> None:
    found = table(
        tmp_path,
        [apk_installed(("musl", "1", ["lib/m"])), file("lib/m", 6)],
        [apk_installed(("musl", "1", ["lib/m"]), ("gcc", "13", ["usr/bin/gcc"])), file("usr/bin/gcc", 900)],
        [apk_installed(("musl", "1", ["lib/m"])), whiteout("usr/bin/gcc")],
    )

    assert sizes(found) == {"apk:musl": (6, 0), "apk:gcc": (0, 900)}


# -- rpm ---------------------------------------------------------------------------------------------------------------


def rpm_header(name: str, version: str, release: str, files: list[str], epoch: int | None = None) -> bytes:
    """A header as rpm's database has it, written by hand: two counts, the index, the store."""
    folders = sorted({path.rpartition("/")[0] + "/" for path in files})
    values: list[tuple[int, int, int, bytes]] = [
        (1000, 6, 1, name.encode() + b"\0"),
        (1001, 6, 1, version.encode() + b"\0"),
        (1002, 6, 1, release.encode() + b"\0"),
    ]
    if epoch is not None:
        values.append((1003, 4, 1, struct.pack(">I", epoch)))
    if files:
        indexes = [folders.index(path.rpartition("/")[0] + "/") for path in files]
        names = b"".join(path.rpartition("/")[2].encode() + b"\0" for path in files)
        values += [
            (1116, 4, len(files), struct.pack(f">{len(files)}I", *indexes)),
            (1117, 8, len(files), names),
            (1118, 8, len(folders), b"".join(folder.encode() + b"\0" for folder in folders)),
        ]
    index, store = b"", b""
    for tag, kind, count, data in values:
        store += bytes(-len(store) % 4) if kind == 4 else b""
        index += struct.pack(">IIII", tag, kind, len(store), count)
        store += data
    return struct.pack(">II", len(values), len(store)) + index + store


def rpm_database(
    folder: Path, *headers: bytes, schema: str = "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB)"
) -> bytes:
    path = folder / "rpmdb.sqlite"
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as connection:
        connection.execute(schema)
        if headers:
            connection.executemany("INSERT INTO Packages (blob) VALUES (?)", [(header,) for header in headers])
    connection.close()
    return path.read_bytes()


@pytest.mark.parametrize("home", ["var/lib/rpm", "usr/lib/sysimage/rpm"])
def test_rpm_headers_in_a_sqlite_database(tmp_path: Path, home: str) -> None:
    bash = rpm_header("bash", "5.1", "9.el9", ["/usr/bin/bash", "/etc/bashrc"], epoch=1)
    data = rpm_database(tmp_path, bash, rpm_header("filesystem", "3", "1", []))
    found = table(tmp_path, [file(f"{home}/rpmdb.sqlite", data), file("usr/bin/bash", 800), file("etc/bashrc", 9)])

    assert {(package.name, package.version, package.size) for package in found.packages} == {
        ("bash", "1:5.1-9.el9", 809),
        ("filesystem", "3-1", 0),
    }
    assert [(each.manager, each.size) for each in found.databases] == [("rpm", len(data))]


@pytest.mark.parametrize("name", ["Packages", "Packages.db"])
def test_older_rpm_databases_are_named_as_not_read(tmp_path: Path, name: str) -> None:
    found = table(tmp_path, [file(f"var/lib/rpm/{name}", 5000)])

    (unreadable,) = found.unreadable
    assert (unreadable.manager, unreadable.path) == ("rpm", f"var/lib/rpm/{name}".encode())
    assert "older form" in unreadable.reason


# -- Python ------------------------------------------------------------------------------------------------------------

SITE = "usr/lib/python3.11/site-packages"


def test_python_distributions_know_their_files_by_record(tmp_path: Path) -> None:
    record = b'pip/__init__.py,sha256=x,5\n"pip/with, comma.py",,\n../../../bin/pip,,\npip-23.dist-info/RECORD,,\n'
    found = table(
        tmp_path,
        [file(f"{SITE}/pip-23.dist-info/METADATA", b"Metadata-Version: 2.1\nName: pip\nVersion: 23.0\n\nName: not\n")],
        [file(f"{SITE}/pip-23.dist-info/RECORD", record), file(f"{SITE}/pip/__init__.py", 5), file("usr/bin/pip", 70)],
        [file(f"{SITE}/pip/with, comma.py", 2), file(f"{SITE}/pip/__pycache__/x.pyc", 99)],
    )

    package = only(found)
    assert (package.name, package.version, package.path) == ("pip", "23.0", SITE.encode())
    assert package.size == 5 + 70 + 2 + len(record)  # METADATA and the compiled file are not in this record


def test_python_eggs_tell_by_their_modules_or_installed_files(tmp_path: Path) -> None:
    found = table(
        tmp_path,
        [file(f"{SITE}/old-1.0.egg-info", b"Metadata-Version: 1.0\nName: old\nVersion: 1.0\n")],
        [file(f"{SITE}/six-1.16.egg-info/top_level.txt", b"six\n\n../evil\n"), file(f"{SITE}/six.py", 30)],
        [file(f"{SITE}/lib-2-py3.egg-info/installed-files.txt", b"../lib/a.py\n"), file(f"{SITE}/lib/a.py", 8)],
    )

    assert {(package.name, package.version, package.size) for package in found.packages} == {
        ("old", "1.0", 45),
        ("six", "1.16", 30 + len(b"six\n\n../evil\n")),
        ("lib", "2", 8 + len(b"../lib/a.py\n")),
    }


# -- npm ---------------------------------------------------------------------------------------------------------------


def test_npm_packages_own_their_folder_without_the_packages_in_it(tmp_path: Path) -> None:
    outer, inner, scoped = "app/node_modules/a", "app/node_modules/a/node_modules/b", "app/node_modules/@s/c"
    members = [package_json(outer), package_json(inner, "2.0.0"), package_json(scoped, "3.0.0"), package_json("app")]
    found = table(
        tmp_path,
        members,
        [file(f"{outer}/lib/x.js", 100), file(f"{inner}/x.js", 10), file(f"{scoped}/x.js", 1), file("app/x.js", 7)],
        [file(f"{outer}/node_modules/.bin/tool", 5), file("app/node_modules/.package-lock.json", 4)],
        [directory("app/node_modules/no-package"), file("app/node_modules/no-package/x", 3)],
    )

    own = len(package_json(outer).content)
    assert {(package.name, package.version, package.size) for package in found.packages} == {
        ("a", "1.0.0", own + 100),
        ("b", "2.0.0", own + 10),
        ("@s/c", "3.0.0", own + 1),
    }
    assert found.unowned == own + 7 + 5 + 4 + 3


def test_the_same_npm_package_at_two_places_is_two(tmp_path: Path) -> None:
    found = table(tmp_path, [package_json("x/node_modules/a", "1.0.0"), package_json("y/node_modules/a", "2.0.0")])

    assert {(package.version, package.path) for package in found.packages} == {
        ("1.0.0", b"x/node_modules/a"),
        ("2.0.0", b"y/node_modules/a"),
    }


def test_npm_packages_behind_links_are_counted_where_they_are(tmp_path: Path) -> None:
    """As pnpm has them."""
    real = "app/node_modules/.pnpm/a@1/node_modules/a"
    found = table(tmp_path, [package_json(real), symlink("app/node_modules/a", ".pnpm/a@1/node_modules/a")])

    assert only(found).path == real.encode()


# -- gem ---------------------------------------------------------------------------------------------------------------


def test_gems_own_what_is_called_as_they_are(tmp_path: Path) -> None:
    home = "usr/lib/ruby/gems/3.1.0"
    spec = b"# -*- encoding: utf-8 -*-\n# stub: nokogiri 1.15.0 x86_64-linux lib\n\nGem::Specification.new\n"
    full = "nokogiri-1.15.0-x86_64-linux"
    found = table(
        tmp_path,
        [file(f"{home}/specifications/{full}.gemspec", spec), file(f"{home}/gems/{full}/lib/n.rb", 500)],
        [file(f"{home}/extensions/x86_64-linux/3.1.0/{full}/n.so", 60), file(f"{home}/cache/{full}.gem", 7)],
        [file(f"{home}/gems/other-1/lib/o.rb", 9), file("src/loose.gemspec", 3)],
    )

    package = only(found)
    assert (package.name, package.version, package.path) == ("nokogiri", "1.15.0", f"{home}/gems/{full}".encode())
    assert package.size == len(spec) + 567


def test_default_gems_own_their_specification(tmp_path: Path) -> None:
    found = table(tmp_path, [file("usr/lib/ruby/gems/3.1.0/specifications/default/json-2.6.1.gemspec", b"Gem.new\n")])

    assert (only(found).name, only(found).version, only(found).size) == ("json", "2.6.1", 8)


# -- Go ----------------------------------------------------------------------------------------------------------------


def go_program(module: bytes, version: bytes, *, mib: int = 1, note: bytes = b"Go\0\0", inline: bool = True) -> bytes:
    """The parts of an ELF program that tell of its modules, written by hand."""
    info = b"path\t%s/cmd/tool\nmod\t%s\t%s\th1:x=\ndep\tgolang.org/x/sys\tv0.1.0\th1:y=\n" % (module, module, version)
    modules = b"0" * 16 + info + b"1" * 16

    def counted(data: bytes) -> bytes:
        return bytes([len(data) & 0x7F | 0x80, len(data) >> 7]) + data

    record = b"\xff Go buildinf:" + bytes([8, 2 if inline else 0]) + bytes(16) + counted(b"go1.22.1") + counted(modules)
    data = bytes(300) + record
    size = mib << 20
    first = struct.pack("<IIQQQQQQ", 4, 4, 0x400, 0, 0, 36, 36, 4)
    second = struct.pack("<IIQQQQQQ", 1, 6, size - 65536, 0, 0, 65536, 65536, 4096)
    header = (
        b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    )
    head = (header + first + second).ljust(0x400, b"\0") + struct.pack("<III", 4, 20, 4) + note + b"x" * 20
    return head.ljust(size - 65536, b"\0") + data.ljust(65536, b"\0")


def test_go_programs_tell_their_module(tmp_path: Path) -> None:
    found = table(tmp_path, [file("usr/bin/tool", go_program(b"example.org/tool", b"v1.2.3"), mode=0o755)])

    package = only(found)
    assert (package.manager, package.name, package.version) == ("go", "example.org/tool", "v1.2.3")
    assert (package.path, package.size) == (b"usr/bin/tool", 1 << 20)


@pytest.mark.parametrize(
    "member",
    [
        file("p", go_program(b"m", b"v1"), mode=0o644),
        file("p", go_program(b"m", b"v1", note=b"GNU\0"), mode=0o755),
        file("p", go_program(b"m", b"v1", inline=False), mode=0o755),
        file("p", b"#!/bin/sh\n" + bytes(1 << 20), mode=0o755),
        file("p", go_program(b"m", b"v1")[:-65536], mode=0o755),
    ],
    ids=["not to be run", "of another linker", "older than Go 1.18", "a script", "cut"],
)
def test_what_is_no_go_program_that_tells(tmp_path: Path, member: Member) -> None:
    assert table(tmp_path, [member]).packages == ()


def test_a_go_program_of_a_package_is_the_packages(tmp_path: Path) -> None:
    program = file("usr/bin/tool", go_program(b"m", b"v1"), mode=0o755)
    found = table(tmp_path, [program, dpkg_status(("tool", "1")), dpkg_list("tool", "usr/bin/tool")])

    assert only(found).manager == "dpkg"
