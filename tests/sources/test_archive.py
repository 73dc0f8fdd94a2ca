"""Archives in a seekable file."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from builders import (
    EMPTY_TAR,
    Compression,
    Image,
    Watcher,
    archive,
    complaint,
    compress,
    contents,
    directory,
    file,
    layer,
    names_of,
    new_docker,
    oci,
    old_docker,
    read,
    sample_image,
    sha256,
    shape,
)
from lamina.layers.layer_reader import FileRef
from lamina.model import Cancelled
from lamina.workers import jobs
from opening import resolve

IMAGE = sample_image()


@pytest.mark.parametrize("how", ["none", "gzip", "zstd"])
@pytest.mark.parametrize("form", [old_docker, new_docker, oci])
def test_one_image_reads_the_same_in_every_form(form: object, how: Compression, tmp_path: Path) -> None:
    image = read(archive(tmp_path, form(IMAGE, how=how)))  # type: ignore[operator]
    plain = read(archive(tmp_path, old_docker(IMAGE), "plain.tar"))
    assert image.info.id == IMAGE.id
    assert image.info.tags == ("app:1",)
    assert [part.diff_id for part in image.info.layers] == IMAGE.diff_ids
    assert [part.instruction for part in image.info.layers] == ["step 0", "step 1", "step 2"]
    assert shape(image) == shape(plain)
    assert contents(image) == contents(plain)
    assert (image.content is None) == (how != "none")


def test_layers_carry_what_was_put_in(tmp_path: Path) -> None:
    image = read(archive(tmp_path, old_docker(IMAGE)))
    assert names_of(image.layers[0]) == ["etc", "etc/hosts", "bin/tool"]
    assert names_of(image.layers[1]) == ["etc/hosts", "bin/first", "bin/other", "sh"]


def test_blobs_are_told_where_the_archive_has_them_as_transferred(tmp_path: Path) -> None:
    plain = read(archive(tmp_path, old_docker(IMAGE))).info.layers
    assert [(part.digest, part.blob_size) for part in plain] == [(None, None)] * 3
    for form, how in ((oci, "none"), (oci, "zstd"), (new_docker, "gzip")):
        packed = [compress(data, how) for data in IMAGE.layers]
        told = read(archive(tmp_path, form(IMAGE, how=how))).info.layers
        assert [(part.digest, part.blob_size) for part in told] == [(sha256(p), len(p)) for p in packed]


def test_a_layer_that_stands_twice_is_read_once_and_told_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scanned = count_scans(monkeypatch)
    twice = Image([IMAGE.layers[0], IMAGE.layers[1], IMAGE.layers[0]])
    for members in (old_docker(twice), new_docker(twice, how="none")):
        scanned.clear()
        image = read(archive(tmp_path, members))
        assert image.layers[0] is image.layers[2]
        assert len(scanned) == 2


def test_a_layer_that_two_images_share_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scanned = count_scans(monkeypatch)
    other = Image([IMAGE.layers[0], layer(file("b", b"2"))], ("other:1",))
    source = archive(tmp_path, new_docker(IMAGE, other, how="none"))
    first, second = read(source, "app:1"), read(source, "other:1")
    assert first.layers[0] is second.layers[0]
    assert len(scanned) == 4
    read(source, "other:1", verify=True)
    assert len(scanned) == 6, "to verify, layers must be read whole"


def count_scans(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    scanned: list[str] = []
    for name in ("scan_plain", "scan_stream"):
        real = getattr(jobs, name)

        def spy(*args: object, real: object = real, **kwargs: object) -> object:
            scanned.append(str(kwargs["where"]))
            return real(*args, **kwargs)  # type: ignore[operator]

        monkeypatch.setattr(jobs, name, spy)
    return scanned


@pytest.mark.parametrize("how", ["none", "gzip", "zstd"])
@pytest.mark.parametrize("empty", [b"", EMPTY_TAR, bytes(512), bytes(10_240)])
def test_layers_without_entries(empty: bytes, how: Compression, tmp_path: Path) -> None:
    image = Image([empty, layer(file("a", b"1")), empty + bytes(512)])
    for members in (old_docker(image, how=how), new_docker(image, how=how), oci(image, how=how)):
        for verify in (False, True):
            done = read(archive(tmp_path, members), verify=verify)
            assert [names_of(index) for index in done.layers] == [[], ["a"], []]


def test_an_image_without_layers(tmp_path: Path) -> None:
    for members in (old_docker(Image([])), oci(Image([]))):
        image = read(archive(tmp_path, members))
        assert image.layers == []


def test_members_may_be_named_as_tar_of_a_folder_names_them(tmp_path: Path) -> None:
    members = {f"./{name}": content for name, content in old_docker(IMAGE).items()}
    assert read(archive(tmp_path, members)).info.id == IMAGE.id


def test_of_two_members_of_one_name_the_later_stands(tmp_path: Path) -> None:
    members = old_docker(IMAGE)
    path = tmp_path / "image.tar"
    path.write_bytes(layer(file("manifest.json", b"rubbish"), *(file(n, c) for n, c in members.items())))
    assert read(resolve(str(path))[0]).info.id == IMAGE.id


def test_a_layer_whose_first_name_looks_like_json(tmp_path: Path) -> None:
    image = Image([layer(file("[slug].tsx", b"1")), layer(file("{a}", b"2"))])
    for members in (old_docker(image), oci(image, how="none")):
        assert [names_of(index) for index in read(archive(tmp_path, members)).layers] == [["[slug].tsx"], ["{a}"]]


# -- cancel and progress -------------------------------------------------------------------------------------------


def test_progress_ends_at_the_total(tmp_path: Path) -> None:
    for how in ("none", "gzip"):
        watcher = Watcher()
        archive(tmp_path, old_docker(IMAGE, how=how)).read(None, watcher, threading.Event())
        last = watcher.progresses[-1]
        assert last.done == last.total == sum(len(compress(data, how)) for data in IMAGE.layers)
        assert last.what == "3 of 3 layers"


def test_the_observer_hears_everything_on_the_thread_that_reads(tmp_path: Path) -> None:
    heard: set[int] = set()

    class Listener(Watcher):
        def layer(self, index: int, layer: object) -> None:
            heard.add(threading.get_ident())

    archive(tmp_path, old_docker(IMAGE)).read(None, Listener(), threading.Event())
    assert heard == {threading.get_ident()}


def test_cancelled_before_a_layer_is_read_the_head_stays(tmp_path: Path) -> None:
    cancel = threading.Event()

    class Impatient(Watcher):
        def head(self, info: object) -> None:
            super().head(info)  # type: ignore[arg-type]
            cancel.set()

    big = Image([layer(*(file(f"{n}/{i}", os.urandom(4000)) for i in range(500))) for n in range(6)])
    before = threading.active_count()
    image = archive(tmp_path, old_docker(big, how="gzip")).read(None, Impatient(), cancel)
    assert len(image.layers) == 6
    assert None in image.layers
    assert threading.active_count() == before


def test_contents_are_not_hashed_on_after_a_cancel(tmp_path: Path) -> None:
    image = read(archive(tmp_path, old_docker(IMAGE)))
    cancel = threading.Event()
    cancel.set()
    assert image.content is not None
    with pytest.raises(Cancelled):
        image.content.hashes({0: [FileRef(512, 10, b"a")]}, cancel)


def test_nothing_is_left_open(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0
    source = archive(tmp_path, oci(IMAGE, Image([layer(directory("x"))], ("b",))))
    for row in source.list():
        read(source, row.target)
    complaint(source, "nosuch")
    after = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0
    assert after == before
