"""The same archives as a stream: one pass, nothing written, nothing sought."""

from __future__ import annotations

import gzip
import io
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from builders import (
    EMPTY_TAR,
    Compression,
    Image,
    Members,
    Watcher,
    blob,
    complaint,
    compress,
    contents,
    file,
    layer,
    names_of,
    new_docker,
    oci,
    old_docker,
    pack,
    read,
    sample_image,
    sha256,
    shape,
)
from lamina import limits
from lamina.model import Cancelled
from lamina.sources import stream_members as intake
from lamina.sources.archive import ArchiveSource
from lamina.sources.base import Source
from lamina.sources.stream import StreamSource
from opening import resolve
from zstd_frames import compress_zstd

IMAGE = sample_image()
OTHER = Image([IMAGE.layers[0], layer(file("b", b"2"))], ("other:1",))


def stdin(data: bytes) -> Source:
    source, target = resolve("-", stdin=io.BytesIO(data))
    assert isinstance(source, StreamSource)
    assert target is None
    return source


def shuffled(members: Members, seed: int) -> bytes:
    order = sorted(members)
    random.Random(seed).shuffle(order)
    return pack(members, order=order)


@pytest.mark.parametrize("how", ["none", "gzip", "zstd"])
@pytest.mark.parametrize("form", [old_docker, new_docker, oci])
def test_a_stream_reads_as_the_file_does(form: object, how: Compression, tmp_path: Path) -> None:
    members = form(IMAGE, OTHER, how=how)  # type: ignore[operator]
    path = tmp_path / "image.tar"
    path.write_bytes(pack(members))
    for target in ("app:1", "other:1", None):
        seekable = read(ArchiveSource(str(path)), target)
        for seed in range(3):
            streamed = read(stdin(shuffled(members, seed)), target)
            assert streamed.info == seekable.info
            assert shape(streamed) == shape(seekable)
            assert contents(streamed) == contents(seekable)
            assert streamed.content is None


@pytest.mark.parametrize("suffix", ["tar.gz", "tgz", "tar.zst", "tar"])
def test_an_archive_compressed_as_a_whole(suffix: str, tmp_path: Path) -> None:
    data = pack(old_docker(IMAGE))
    half = len(data) // 2
    packed = {
        "tar.gz": gzip.compress(data),
        "tgz": gzip.compress(data[:half]) + gzip.compress(data[half:]),
        "tar.zst": compress_zstd(data[:half]) + compress_zstd(data[half:]),
        "tar": data,
    }[suffix]
    path = tmp_path / f"image.{suffix}"
    path.write_bytes(packed)
    source, _ = resolve(str(path))
    assert read(source).info.id == IMAGE.id
    assert read(stdin(packed)).info.id == IMAGE.id
    if suffix != "tar":
        watcher = Watcher()
        resolve(str(path))[0].read(None, watcher, threading.Event())
        assert watcher.progresses[-1].done == watcher.progresses[-1].total == len(packed)


def test_all_images_of_a_stream_are_kept(tmp_path: Path) -> None:
    stream = io.BytesIO(pack(old_docker(IMAGE, OTHER)))
    source, _ = resolve("-", stdin=stream)
    rows = source.list()
    stream.close()
    assert [row.target for row in rows] == ["app:1", "other:1"]
    first, second = read(source, "app:1"), read(source, "other:1")
    assert first.layers[0] is second.layers[0], "old archives link a layer that stands twice"
    assert second.info.id == OTHER.id
    assert read(source, OTHER.id[7:20]).info.id == OTHER.id


@pytest.mark.parametrize("how", ["none", "gzip", "zstd"])
@pytest.mark.parametrize("empty", [b"", EMPTY_TAR, bytes(512)])
def test_layers_without_entries(empty: bytes, how: Compression) -> None:
    image = Image([empty, layer(file("a", b"1"))])
    for members in (old_docker(image, how=how), oci(image, how=how)):
        assert [names_of(index) for index in read(stdin(pack(members))).layers] == [[], ["a"]]


def test_nothing_is_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    read(stdin(pack(old_docker(IMAGE))))
    assert list(tmp_path.iterdir()) == []


def test_a_writer_can_finish_its_padding() -> None:
    # docker save | lamina -: if we left at the end mark, the engine would be told of a broken pipe.
    command = [
        sys.executable,
        "-c",
        "import sys; sys.stdout.buffer.write(open(sys.argv[1],'rb').read() + bytes(1 << 20))",
    ]
    with tempfile.NamedTemporaryFile() as archive:
        archive.write(pack(old_docker(IMAGE)))
        archive.flush()
        with subprocess.Popen([*command, archive.name], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            source, _ = resolve("-", stdin=writer.stdout)
            assert read(source).info.id == IMAGE.id
            assert writer.wait(10) == 0


def test_a_named_pipe_is_a_stream(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    data = pack(old_docker(IMAGE))
    source, _ = resolve(str(path))
    writer = threading.Thread(target=path.write_bytes, args=(data,))
    writer.start()
    assert read(source).info.id == IMAGE.id
    writer.join()


# -- what is wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"hello", "not an image archive"),
        (b"PK\x03\x04" + bytes(1000), "not an image archive"),
        (b'{"errors": []}', "not an image archive"),
        (EMPTY_TAR, "neither manifest.json nor index.json"),
        (layer(file("a", b"1")), "neither manifest.json nor index.json"),
        (gzip.compress(b"hello", mtime=0), "tar header"),
        (gzip.compress(b"", mtime=0), "neither manifest.json nor index.json"),
        (gzip.compress(pack(old_docker(IMAGE)), mtime=0)[:-20], "truncated"),
        (compress_zstd(pack(old_docker(IMAGE)))[:-5], "truncated"),
    ],
)
def test_what_is_no_archive_is_called_so(data: bytes, said: str) -> None:
    text = complaint(stdin(data))
    assert "standard input" in text
    assert said in text


def test_a_stream_that_ends_early_says_where() -> None:
    data = pack(new_docker(IMAGE, how="none"))
    text = complaint(stdin(data[:3000]))
    assert "standard input ends in the middle of blobs/sha256/" in text


def test_what_failed_once_fails_again_in_the_same_words() -> None:
    source = stdin(pack(old_docker(IMAGE))[:3000])
    assert complaint(source) == complaint(source)


@pytest.mark.parametrize("how", ["none", "gzip", "zstd"])
@pytest.mark.parametrize("form", [old_docker, new_docker, oci])
def test_a_layer_of_other_bytes_is_always_found(form: object, how: Compression) -> None:
    members = form(IMAGE, how=how)  # type: ignore[operator]
    forged = compress(IMAGE.layers[1].replace(b"changed", b"forged!"), how)
    if form is old_docker:
        name = [name for name in members if name.endswith("/layer.tar")][1]
    else:
        name = blob(sha256(compress(IMAGE.layers[1], how)))
    members[name] = forged
    text = complaint(stdin(pack(members)))
    assert "layer 1" in text


def test_a_damaged_member_that_no_image_needs_harms_nobody() -> None:
    members = old_docker(IMAGE)
    members["extra.tgz"] = b"\x1f\x8b" + b"rubbish" * 100
    members["extra.zst"] = b"\x28\xb5\x2f\xfd" + b"rubbish" * 100
    members["extra.bin"] = os.urandom(1000)
    assert read(stdin(pack(members))).info.id == IMAGE.id


def test_a_damaged_layer_is_named() -> None:
    members = old_docker(IMAGE, how="gzip")
    name = [name for name in members if name.endswith("/layer.tar")][2]
    members[name] = members[name][:100] + b"rubbish" * 9
    text = complaint(stdin(pack(members)))
    assert "layer 2" in text
    assert "standard input" in text


def test_a_layer_where_a_document_should_be(tmp_path: Path) -> None:
    members = old_docker(IMAGE)
    members[IMAGE.id[7:] + ".json"] = IMAGE.layers[0]
    assert "not JSON" in complaint(stdin(pack(members)))
    members = old_docker(IMAGE)
    members["manifest.json"] = b"no json at all"
    assert "not JSON" in complaint(stdin(pack(members)))
    members["manifest.json"] = b""
    assert "not JSON" in complaint(stdin(pack(members)))


def test_documents_are_bounded_one_by_one_and_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "DOCUMENT", 5000)
    monkeypatch.setattr(intake, "_KEPT", 20_000)
    members = old_docker(IMAGE)
    members["manifest.json"] = b"[" + b" " * 6000 + b"]"
    assert "too many for an image document" in complaint(stdin(pack(members)))
    members = {f"{n}.json": b"[" + b" " * 4000 + b"]" for n in range(10)}
    assert "not a container image" in complaint(stdin(pack(members)))


# -- waiting -------------------------------------------------------------------------------------------------------


@contextmanager
def stalled(data: bytes) -> Iterator[tuple[Source, int]]:
    """A pipe whose writer has written ``data`` and then does nothing; its write end comes along."""
    reader, writer = os.pipe()
    os.write(writer, data)
    with os.fdopen(reader, "rb") as file:
        try:
            yield resolve("-", stdin=file)[0], writer
        finally:
            os.close(writer)
            time.sleep(0.05)  # the pump's thread sees the end before the pipe is closed under it


def test_a_writer_that_stalls_can_be_left_at_once() -> None:
    with stalled(pack(old_docker(IMAGE))[:2000]) as (source, _):
        cancel = threading.Event()
        threading.Timer(0.2, cancel.set).start()
        begun = time.monotonic()
        with pytest.raises(Cancelled):
            source.read(None, Watcher(), cancel)
        assert 0.1 < time.monotonic() - begun < 0.7


def test_a_stream_that_was_left_is_gone_on_with() -> None:
    data = pack(old_docker(IMAGE))
    with stalled(data[:2000]) as (source, writer):
        cancel = threading.Event()
        threading.Timer(0.1, cancel.set).start()
        with pytest.raises(Cancelled):
            source.list(cancel)
        rest = threading.Thread(target=lambda: os.write(writer, data[2000:] + bytes(16 << 20)))
        rest.start()
        assert read(source).info.id == IMAGE.id


def test_progress_goes_on_while_nothing_comes() -> None:
    with stalled(b"") as (source, _):
        cancel, watcher = threading.Event(), Watcher()
        threading.Timer(0.5, cancel.set).start()
        with pytest.raises(Cancelled):
            source.read(None, watcher, cancel)
        assert 2 <= len(watcher.progresses) <= 7
