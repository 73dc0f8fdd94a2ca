"""Files taken out into a folder: all that there is, nothing else, and nothing half."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contents.support import image
from lamina.contents.content import PIECE
from lamina.contents.extract import destination_of, extract
from lamina.contents.folder_writer import Written
from lamina.contents.image_files import ImageFiles
from lamina.contents.place import find_place, scope_of
from lamina.model import Cancelled, LaminaError
from needs import tool, unavailable
from tars import char_device, directory, fifo, file, hardlink, opaque, symlink, whiteout


def take(files: ImageFiles, path: str, to: Path, layer: int | None = None, **options: Any) -> Written:
    """Extract as the command does."""
    scope = scope_of(files, layer)
    place = find_place(files, path, scope, last_link=False)
    return extract(files, place, scope, destination_of(place, to), **options)


def tree(root: Path) -> dict[str, bytes | str | None]:
    """By path what is in a folder: a file's content, a link's target, None for a folder."""
    found: dict[str, bytes | str | None] = {}
    for folder, folders, names in os.walk(root):
        for name in [*folders, *names]:
            path = Path(folder, name)
            shown = str(path.relative_to(root))
            found[shown] = str(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else None
    return found


@pytest.fixture
def files(tmp_path: Path) -> ImageFiles:
    return image(
        tmp_path,
        [
            *(directory("etc", mode=0o750), file("etc/a", b"old"), file("etc/gone", b"gone"), directory("opq")),
            *(file("opq/x", b"x"), file("bin/tool", b"tool", mode=0o4755)),
        ],
        [
            *(file("etc/a", b"new", mode=0o640, mtime=1_500_000_000), whiteout("etc/gone"), opaque("opq")),
            *(hardlink("etc/b", "etc/a"), symlink("etc/l", "a"), fifo("etc/p"), char_device("dev/null", 1, 3)),
        ],
    )


# Where it goes.


def test_a_folder_goes_into_a_folder_that_is_there_or_takes_the_name_that_was_given(
    files: ImageFiles, tmp_path: Path
) -> None:
    (tmp_path / "there").mkdir()

    take(files, "etc", tmp_path / "there")
    take(files, "etc", tmp_path / "named")

    assert tree(tmp_path / "there") == {"etc": None, "etc/a": b"new", "etc/b": b"new", "etc/l": "a"}
    assert tree(tmp_path / "named") == {"a": b"new", "b": b"new", "l": "a"}


def test_a_file_goes_into_a_folder_or_takes_the_name_that_was_given(files: ImageFiles, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()

    take(files, "etc/a", tmp_path / "there")
    take(files, "etc/a", tmp_path / "named")
    take(files, "etc/a", tmp_path / "older", layer=0)

    assert (tmp_path / "there" / "a").read_bytes() == (tmp_path / "named").read_bytes() == b"new"
    assert (tmp_path / "older").read_bytes() == b"old"


def test_the_whole_is_a_folders_content(files: ImageFiles, tmp_path: Path) -> None:
    written = take(files, "/", tmp_path / "root")

    assert tree(tmp_path / "root") == {
        "etc": None,
        "etc/a": b"new",
        "etc/b": b"new",
        "etc/l": "a",
        "opq": None,
        "bin": None,
        "bin/tool": b"tool",
        "dev": None,
    }
    assert written.left_out == [(b"dev/null", "it is a character device"), (b"etc/p", "it is a named pipe")]
    assert written.refused == []


def test_a_layer_alone_has_its_removals_as_it_carries_them(files: ImageFiles, tmp_path: Path) -> None:
    take(files, "/", tmp_path / "layer", layer=1)

    assert {"etc/.wh.gone": b"", "opq/.wh..wh..opq": b""}.items() <= tree(tmp_path / "layer").items()
    assert "etc/gone" not in tree(tmp_path / "layer")


# What it is like there.


def test_modes_and_times_are_those_of_the_image_but_for_power(files: ImageFiles, tmp_path: Path) -> None:
    take(files, "/", tmp_path / "root")

    root = tmp_path / "root"
    assert (root / "etc" / "a").stat().st_mode & 0o7777 == 0o640
    assert (root / "etc" / "a").stat().st_mtime == 1_500_000_000
    assert (root / "etc").stat().st_mode & 0o7777 == 0o750
    assert (root / "bin" / "tool").stat().st_mode & 0o7777 == 0o755, "setuid was taken over unasked"
    assert (root / "etc" / "a").stat().st_ino == (root / "etc" / "b").stat().st_ino


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_owners_and_setuid_where_they_are_asked_for(tmp_path: Path) -> None:
    files = image(tmp_path, [file("tool", b"1", mode=0o4755, uid=12, gid=34), symlink("l", "tool", uid=5)])

    take(files, "/", tmp_path / "plain")
    take(files, "/", tmp_path / "same", same_owner=True)

    plain, same = (tmp_path / "plain" / "tool").stat(), (tmp_path / "same" / "tool").stat()
    assert (plain.st_uid, plain.st_mode & 0o7777) == (0, 0o755)
    assert (same.st_uid, same.st_gid, same.st_mode & 0o7777) == (12, 34, 0o4755)
    assert (tmp_path / "same" / "l").lstat().st_uid == 5


def test_the_mode_of_a_folder_that_was_there_stays(files: ImageFiles, tmp_path: Path) -> None:
    (tmp_path / "there" / "etc").mkdir(parents=True, mode=0o700)

    take(files, "etc", tmp_path / "there")

    assert (tmp_path / "there" / "etc").stat().st_mode & 0o7777 == 0o700


def test_a_read_only_folder_gets_its_files_first(tmp_path: Path) -> None:
    files = image(tmp_path, [directory("d", mode=0o555), file("d/f", b"1")])

    take(files, "d", tmp_path / "out")

    assert (tmp_path / "out" / "f").read_bytes() == b"1"
    assert (tmp_path / "out").stat().st_mode & 0o7777 == 0o555
    (tmp_path / "out").chmod(0o755)  # so that it can be removed


def test_what_is_nul_takes_no_room(tmp_path: Path) -> None:
    files = image(tmp_path, [file("f", b"begin" + bytes(8 << 20) + b"end")])

    take(files, "f", tmp_path / "f")

    assert (tmp_path / "f").read_bytes() == b"begin" + bytes(8 << 20) + b"end"
    assert (tmp_path / "f").stat().st_blocks * 512 < 1 << 20


def test_a_sparse_file_larger_than_the_disk_stays_sparse(tmp_path: Path) -> None:
    size = 1 << 40
    records = {b"GNU.sparse.size": b"%d" % size, b"GNU.sparse.map": b"%d,5" % (size - 5)}
    files = image(tmp_path, [file("huge", b"tail!", pax=records)])

    take(files, "huge", tmp_path / "huge")

    assert (tmp_path / "huge").stat().st_size == size
    with (tmp_path / "huge").open("rb") as huge:
        huge.seek(-6, os.SEEK_END)
        assert huge.read() == b"\0tail!"


# What is there already.


def test_nothing_is_written_where_a_file_would_be_replaced(files: ImageFiles, tmp_path: Path) -> None:
    (tmp_path / "there" / "etc").mkdir(parents=True)
    (tmp_path / "there" / "etc" / "a").write_bytes(b"mine")

    with pytest.raises(LaminaError, match=r"1 file would be replaced in .*there \(etc/a\): --force does so"):
        take(files, "etc", tmp_path / "there")

    assert tree(tmp_path / "there") == {"etc": None, "etc/a": b"mine"}


def test_force_replaces_files_links_and_nothing_through_them(files: ImageFiles, tmp_path: Path) -> None:
    there = tmp_path / "there" / "etc"
    there.mkdir(parents=True)
    (tmp_path / "elsewhere").write_bytes(b"not to be touched")
    (there / "a").symlink_to(tmp_path / "elsewhere")
    (there / "l").write_bytes(b"mine")
    (there / "kept").write_bytes(b"mine")

    written = take(files, "etc", tmp_path / "there", force=True)

    assert written.refused == []
    assert tree(there) == {"a": b"new", "b": b"new", "l": "a", "kept": b"mine"}
    assert (tmp_path / "elsewhere").read_bytes() == b"not to be touched"


def test_a_folder_in_the_place_of_a_file_stays(files: ImageFiles, tmp_path: Path) -> None:
    (tmp_path / "there" / "a").mkdir(parents=True)

    written = take(files, "etc/a", tmp_path / "there", force=True)

    assert written.refused == [(b"a", "a folder of that name is there")]
    assert tree(tmp_path / "there") == {"a": None}


@pytest.mark.parametrize(
    ("destination", "said"),
    [
        ("no/such/folder", "no such folder: .*no/such"),
        ("a-file", "a-file is there and is no folder, which etc is"),
        ("a\0b", "can't be used"),
        ("x" * 300, "File name too long"),
    ],
)
def test_a_destination_that_is_none(files: ImageFiles, tmp_path: Path, destination: str, said: str) -> None:
    (tmp_path / "a-file").write_bytes(b"")

    with pytest.raises(LaminaError, match=said):
        take(files, "etc", tmp_path / destination)


def test_a_dangling_link_in_the_place_of_the_destination_is_not_written_through(
    files: ImageFiles, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")

    with pytest.raises(LaminaError, match="--force"):
        take(files, "etc/a", tmp_path / "link")
    take(files, "etc/a", tmp_path / "link", force=True)

    assert not (tmp_path / "target").exists()
    assert (tmp_path / "link").read_bytes() == b"new"


# Where it breaks off.


def assert_nothing_left(folder: Path) -> None:
    assert not folder.exists() or tree(folder) == {}


def test_a_cancel_leaves_nothing(tmp_path: Path) -> None:
    files = image(tmp_path, [directory("d"), file("d/a", b"1"), file("d/big", 3 * PIECE), symlink("d/l", "a")])
    cancel = threading.Event()

    def stop(_count: int) -> None:
        if (tmp_path / "out" / "a").exists():
            cancel.set()

    with pytest.raises(Cancelled):
        take(files, "d", tmp_path / "out", cancel=cancel, advance=stop)

    assert_nothing_left(tmp_path / "out")


def test_a_layer_that_was_cut_leaves_nothing(tmp_path: Path) -> None:
    files = image(tmp_path, [directory("d"), file("d/a", b"1"), file("d/b", 10 * PIECE)])
    real = files.open_layer

    class Cut:
        """The layer, of which the file d/b can't be read to its end any more."""

        def __init__(self, layer: Any) -> None:
            self.layer = layer
            self.stored, self.close, self.random = layer.stored, layer.close, layer.random

        def read(self, file: Any, start: int, size: int) -> bytes:
            if start >= 5 * PIECE:
                raise LaminaError("layer 0 is truncated")
            found: bytes = self.layer.read(file, start, size)
            return found

    class Layers:
        def open(self, layer: int, cancel: threading.Event, *, in_order: bool = False) -> Any:
            return Cut(real(layer, cancel, in_order=in_order))

    import dataclasses

    with pytest.raises(LaminaError, match="truncated"):
        take(dataclasses.replace(files, layers=Layers()), "d", tmp_path / "out")

    assert_nothing_left(tmp_path / "out")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one MiB."""
    if os.geteuid() != 0:
        unavailable("needs root, to mount a small file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run([tool("mount"), "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=True)
    yield folder
    subprocess.run([tool("umount"), folder], check=True)


def test_too_little_room_is_seen_before_anything_is_written(tmp_path: Path, small_disk: Path) -> None:
    files = image(tmp_path, [file("a", b"1"), file("big", 2 << 20)])

    with pytest.raises(LaminaError, match=r"has room for 1\.0 MB, and 2\.1 MB are to be written"):
        take(files, "/", small_disk)

    assert_nothing_left(small_disk)


def test_a_disk_that_fills_up_leaves_nothing(tmp_path: Path, small_disk: Path) -> None:
    files = image(tmp_path, [directory("d"), *(file(f"d/{number}", 100_000) for number in range(8))])

    def fill(_count: int) -> None:
        (small_disk / "somebody-elses").write_bytes(bytes(100_000) + b"x" * 600_000)

    with pytest.raises(LaminaError, match=r"can't be written to .*: No space left on device"):
        take(files, "d", small_disk, advance=fill)

    assert list(tree(small_disk)) == ["somebody-elses"]


def test_a_read_only_destination(tmp_path: Path, small_disk: Path) -> None:
    files = image(tmp_path, [file("a", b"1")])
    subprocess.run([tool("mount"), "-o", "remount,ro", small_disk], check=True)

    for path in ("a", "/"):
        with pytest.raises(LaminaError, match="Read-only file system"):
            take(files, path, small_disk)
