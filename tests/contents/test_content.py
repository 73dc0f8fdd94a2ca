"""The bytes of a file, at any offset, from layers that are packed and from such as are not."""

from __future__ import annotations

import io
import random
import threading
from pathlib import Path

import pytest

import builders
import lamina
from contents.support import image
from lamina.contents.content import PIECE, ContentFile, FileContent, check_file, open_content
from lamina.contents.image_files import ImageFiles, read_files
from lamina.contents.place import find_place, scope_of
from lamina.model import LaminaError
from lamina.sources.base import NullObserver
from tars import directory, fifo, file, hardlink, layer_tar, symlink

BIG = random.Random(1).randbytes(3 * PIECE + 77)


def opened(files: ImageFiles, path: str) -> FileContent:
    return open_content(files, find_place(files, path, scope_of(files)).event)


@pytest.mark.parametrize("how", ["none", "gzip", "zstd"])
def test_any_part_of_a_file_in_any_order(tmp_path: Path, how: builders.Compression) -> None:
    members = builders.oci(builders.Image([layer_tar(file("a", 999), file("big", BIG), file("z", b"last"))]), how=how)
    files = read_files(builders.archive(tmp_path, members), None, NullObserver(), threading.Event())

    with opened(files, "big") as big:
        parts = [(0, 10), (2 * PIECE - 5, 100), (5, PIECE), (len(BIG) - 3, 50), (len(BIG), 1), (7, 0)]
        assert [big.read(start, size) for start, size in parts] == [BIG[a : a + b] for a, b in parts]
        assert b"".join(big.pieces()) == BIG
        assert big.size == len(BIG)
    with opened(files, "z") as last:
        assert last.read(0, 100) == b"last"


def test_what_is_no_file_has_no_content(tmp_path: Path) -> None:
    files = image(tmp_path, [directory("d"), fifo("p"), symlink("to-d", "d")])

    for path, said in [("d", "a folder"), ("p", "a named pipe"), ("to-d", "a folder"), ("/", "a folder")]:
        with pytest.raises(LaminaError, match=f"is {said}, not a file"):
            check_file(files, find_place(files, path, scope_of(files)))


def test_an_archive_that_changed_since_is_not_read_on(tmp_path: Path) -> None:
    files = image(tmp_path, [file("f", b"1")])
    (tmp_path / "image.tar").write_bytes(b"another")

    with pytest.raises(LaminaError, match="changed while it was read: open it again"):
        opened(files, "f")


def test_what_came_through_a_pipe_can_not_be_read_again() -> None:
    archive = builders.pack(builders.old_docker(builders.Image([layer_tar(file("f", b"1"))])))
    source = lamina.Workspace(stdin=io.BytesIO(archive)).resolve("-").source
    files = read_files(source, None, NullObserver(), threading.Event())

    with pytest.raises(LaminaError, match="save it to a file"):
        opened(files, "f")


def test_a_script_reads_a_file_as_any_other(tmp_path: Path) -> None:
    path = tmp_path / "image.tar"
    layers = [
        layer_tar(file("etc/motd", b"one\ntwo\n")),
        layer_tar(file("etc/motd", b"three\n"), hardlink("m", "etc/motd")),
    ]
    path.write_bytes(builders.pack(builders.old_docker(builders.Image(layers))))
    image = lamina.open(str(path))

    with image.file("/m") as now, image.file("etc/motd", layer=0) as then:
        assert now.read() == b"three\n"
        assert then.readlines() == [b"one\n", b"two\n"]
        assert then.seek(-4, io.SEEK_END) == 4
        assert then.read(3) == b"two"
    with pytest.raises(LaminaError, match="no nothing in"):
        image.file("nothing")


def test_a_file_object_goes_nowhere_before_its_beginning(tmp_path: Path) -> None:
    files = image(tmp_path, [file("f", b"123")])

    with ContentFile(opened(files, "f")) as raw:
        with pytest.raises(ValueError, match="before the beginning"):
            raw.seek(-1)
        assert raw.read() == b"123"
