"""Whose bytes are whose: each counts once, and all of them together are what is visible."""

from __future__ import annotations

from pathlib import Path

import builders
import lamina
from lamina.packages.model import LayerBytes
from packages.support import apk_installed, dpkg_list, dpkg_status, only, sizes, table
from packages.test_managers import go_program
from tars import directory, file, hardlink, layer_tar, opaque, symlink, whiteout


def test_a_package_weighs_what_its_files_in_the_layers_weigh(tmp_path: Path) -> None:
    found = table(
        tmp_path,
        [dpkg_status(("tool", "1.2-3")), dpkg_list("tool", "usr", "usr/bin", "usr/bin/tool", "usr/bin/not-there")],
        [file("usr/bin/tool", 700), file("srv/mine", 11)],
    )

    package = only(found)
    assert (package.manager, package.name, package.version) == ("dpkg", "tool", "1.2-3")
    assert (package.size, package.wasted, package.files, package.layer) == (700, 0, 1, 1)
    assert package.layers == (LayerBytes(1, 700, 0),)
    assert dict(found.unowned_by_folder)[b"srv"] == 11


def test_what_stands_in_the_root_is_of_no_folder(tmp_path: Path) -> None:
    found = table(tmp_path, [file("a", 5), file("d/e/f", 7)])

    assert found.unowned_by_folder == ((b"d", 7), (b"", 5))
    assert found.packages == ()


def test_paths_go_through_links_of_folders_to_where_the_files_are(tmp_path: Path) -> None:
    """A merged /usr: the list says /bin/sh, the layer ships usr/bin/sh."""
    found = table(
        tmp_path,
        [symlink("bin", "usr/bin"), symlink("lib", "/usr/lib"), symlink("loop", "loop"), file("usr/bin/sh", 90)],
        [dpkg_status(("sh", "1")), dpkg_list("sh", "bin/sh", "lib/deep/../so", "loop/x", "../../usr/lib/up")],
        [file("usr/lib/so", 8), directory("usr/lib/deep"), file("usr/lib/up", 1)],
    )

    assert only(found).size == 99


def test_a_file_of_two_packages_is_the_first_ones_by_name(tmp_path: Path) -> None:
    found = table(
        tmp_path,
        [file("both", 100), file("b", 1), dpkg_status(("b", "1"), ("a", "1"))],
        [dpkg_list("b", "both", "b"), dpkg_list("a", "both")],
    )

    assert sizes(found) == {"dpkg:a": (100, 0), "dpkg:b": (1, 0)}
    assert found.claimed_twice == 100


def test_dpkg_comes_before_all_other_managers(tmp_path: Path) -> None:
    home = "usr/lib/python3/dist-packages"
    record = b"six.py,sha256=x,100\nsix-1.0.dist-info/RECORD,,\n"
    found = table(
        tmp_path,
        [file(f"{home}/six.py", 100), file(f"{home}/six-1.0.dist-info/RECORD", record)],
        [
            dpkg_status(("python3-six", "1.0-1")),
            dpkg_list("python3-six", f"{home}/six.py", f"{home}/six-1.0.dist-info/RECORD"),
        ],
    )

    assert sizes(found) == {"dpkg:python3-six": (100 + len(record), 0), "python:six": (0, 0)}
    assert {package.name: package.within for package in found.packages} == {
        "python3-six": None,
        "six": "dpkg:python3-six",
    }


def test_an_inode_with_several_names_counts_once(tmp_path: Path) -> None:
    found = table(
        tmp_path,
        [file("one", 50), hardlink("two", "one"), hardlink("three", "one")],
        [dpkg_status(("b", "1"), ("a", "1")), dpkg_list("a", "two"), dpkg_list("b", "one", "two")],
    )

    assert sizes(found) == {"dpkg:a": (50, 0), "dpkg:b": (0, 0)}
    assert found.claimed_twice == 50


def test_bytes_of_an_inode_stand_at_the_name_that_is_left(tmp_path: Path) -> None:
    found = table(tmp_path, [file("a/one", 50), hardlink("b/two", "a/one")], [whiteout("a/one")])

    assert found.unowned_by_folder == ((b"b", 50),)


def test_waste_is_of_the_package_whose_path_it_is(tmp_path: Path) -> None:
    found = table(
        tmp_path,
        [dpkg_status(("tool", "1")), dpkg_list("tool", "bin/tool"), file("bin/tool", 700)],
        [file("bin/tool", 700, mode=0o755)],
    )

    package = only(found)
    assert (package.size, package.wasted) == (700, 700)
    assert package.layers == (LayerBytes(0, 0, 700), LayerBytes(1, 700, 0))


def test_a_package_that_was_removed_again_is_told_with_what_still_ships(tmp_path: Path) -> None:
    found = table(
        tmp_path,
        [dpkg_status(("sh", "1"), ("gcc", "12")), dpkg_list("sh", "bin/sh"), file("bin/sh", 3)],
        [dpkg_list("gcc", "usr/bin/gcc", "usr/lib/gcc/cc1"), file("usr/bin/gcc", 40), file("usr/lib/gcc/cc1", 400)],
        [dpkg_status(("sh", "1")), whiteout("var/lib/dpkg/info/gcc.list"), whiteout("usr/bin/gcc"), opaque("usr/lib")],
    )

    gcc = next(package for package in found.packages if package.name == "gcc")
    assert (gcc.version, gcc.size, gcc.wasted, gcc.installed) == ("12", 0, 440, False)
    assert gcc.layers == (LayerBytes(1, 0, 440),)


def test_a_file_that_outlives_its_package_is_nobodys(tmp_path: Path) -> None:
    found = table(
        tmp_path,
        [dpkg_status(("gone", "1")), dpkg_list("gone", "etc/left", "bin/x"), file("etc/left", 20), file("bin/x", 5)],
        [dpkg_status(), whiteout("var/lib/dpkg/info/gone.list"), whiteout("bin/x")],
    )

    assert sizes(found) == {"dpkg:gone": (0, 5)}
    assert dict(found.unowned_by_folder)[b"etc"] == 20


def test_what_an_upgrade_leaves_behind_is_of_the_package_that_it_is_now(tmp_path: Path) -> None:
    found = table(
        tmp_path,
        [dpkg_status(("ssl", "1")), dpkg_list("ssl", "lib/libssl.so.1"), file("lib/libssl.so.1", 30)],
        [dpkg_status(("ssl", "3")), dpkg_list("ssl", "lib/libssl.so.3"), file("lib/libssl.so.3", 35)],
        [whiteout("lib/libssl.so.1")],
    )

    package = only(found)
    assert (package.version, package.size, package.wasted, package.installed) == ("3", 35, 30, True)


def test_a_managers_own_records_are_told_apart(tmp_path: Path) -> None:
    status, other = dpkg_status(("a", "1")), dpkg_status(("a", "1"), ("b", "1"))
    found = table(tmp_path, [status, dpkg_list("a")], [other, dpkg_list("b")])

    (database,) = found.databases
    assert (database.manager, database.wasted) == ("dpkg", len(status.content))
    assert database.size == len(other.content) + 2 * len(dpkg_list("a").content)
    assert database.size == found.unowned


def test_the_order_is_by_bytes_then_by_waste(tmp_path: Path) -> None:
    found = table(
        tmp_path,
        [apk_installed(("small", "1", ["s"]), ("large", "1", ["l"]), ("none", "1", [])), file("s", 5), file("l", 50)],
    )

    assert [package.name for package in found.packages] == ["large", "small", "none"]


def test_whose_each_path_is(tmp_path: Path) -> None:
    """What the screen filters the tree by."""
    found = table(tmp_path, [apk_installed(("a", "1", ["d/mine"])), file("d/mine", 5), file("d/other", 6)])

    assert sorted(found.owner.tolist())[-2:] == [-1, 0]


def test_what_was_read_once_is_kept_with_the_image(tmp_path: Path) -> None:
    program = go_program(b"example.org/tool", b"v1")
    members = [dpkg_status(("a", "1")), dpkg_list("a", "f"), file("f", 5), file("bin/tool", program, mode=0o755)]
    path = tmp_path / "image.tar"
    path.write_bytes(builders.pack(builders.oci(builders.Image([layer_tar(*members)]))))
    first = lamina.open(str(path), cache=tmp_path / "cache").packages

    again = lamina.open(str(path), cache=tmp_path / "cache")
    again.figures._read.files = None  # nothing can be read any more
    assert again.packages.packages == first.packages
    assert {package.manager for package in first.packages} == {"dpkg", "go"}
