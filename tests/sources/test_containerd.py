"""containerd's metadata and content store: what may be in them. Real ones are read in tests/engine."""

from __future__ import annotations

import struct
import time
from pathlib import Path

import pytest

from builders import Image, Members, complaint, file, layer, put_image, read, write_layout
from lamina.model import LaminaError
from lamina.sources.containerd import source as containerd
from lamina.sources.containerd.bolt import Bolt, Broken, Bucket, _fnv
from lamina.sources.containerd.metadata import METADATA, named_images
from opening import resolve

PAGE = 4096
WEB, WORKER = (Image([layer(file(name, name.encode()))], ()) for name in ("web", "worker"))
Tree = dict[bytes, "bytes | Tree"]


def leaf(entries: Tree) -> bytes:
    """A page of a bucket, with all buckets in it inline."""
    values = {key: value if isinstance(value, bytes) else bytes(16) + leaf(value) for key, value in entries.items()}
    heads, data = b"", b""
    for number, key in enumerate(sorted(values)):
        position = 16 * (len(values) - number) + len(data)
        heads += struct.pack("<IIII", not isinstance(entries[key], bytes), position, len(key), len(values[key]))
        data += key + values[key]
    return struct.pack("<QHHI", 0, 2, len(values), 0) + heads + data


def meta(transaction: int, root: int, number: int) -> bytes:
    body = struct.pack("<IIIIQQQQQ", 0xED0CDAED, 2, PAGE, 0, root, 0, 2, 9, transaction)
    page = struct.pack("<QHHI", number, 4, 0, 0) + body + struct.pack("<Q", _fnv(body))
    return page.ljust(PAGE, b"\0")


def database(entries: Tree) -> bytes:
    page = leaf(entries)
    overflow = -(-len(page) // PAGE) - 1
    page = struct.pack("<QHHI", 2, 2, len(entries), overflow) + page[16:]
    return meta(1, 2, 0) + meta(2, 2, 1) + page.ljust((overflow + 1) * PAGE, b"\0")


def image(members: Members, made: Image) -> Tree:
    row = put_image(members, made)
    return {b"target": {b"digest": row["digest"].encode(), b"mediatype": row["mediaType"].encode(), b"size": b"\x02"}}


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The root of a containerd with two namespaces."""
    members: Members = {}
    web, worker = image(members, WEB), image(members, WORKER)
    write_layout(tmp_path / "io.containerd.content.v1.content", members)
    images: Tree = {
        b"v1": {
            b"version": b"\x03",
            b"k8s.io": {b"images": {b"shop/web:1": web, b"sha256:" + b"a" * 64: web, b"shop/web@sha256:1": web}},
            b"moby": {b"images": {b"shop/web:1": worker, b"shop/worker:2": worker}, b"leases": {}},
            b"empty": {},
        }
    }
    path = tmp_path / METADATA
    path.parent.mkdir()
    path.write_bytes(database(images))
    monkeypatch.setenv(containerd.VARIABLE, str(tmp_path))
    return tmp_path


def test_images_of_all_namespaces_under_their_plain_names(node: Path) -> None:
    source, name = resolve("containerd:")
    assert name is None
    rows = source.list()
    assert [row.target for row in rows] == ["shop/web:1 (k8s.io)", "shop/web:1 (moby)"]
    assert rows[1].tags == ("shop/web:1 (moby)", "shop/worker:2")
    assert [row.id for row in rows] == [WEB.id, WORKER.id]
    source, name = resolve("containerd:shop/worker:2")
    assert read(source, name).info.id == WORKER.id
    assert source.label == f"containerd {node}"


def test_a_discarded_blob_is_called_that(node: Path) -> None:
    members: Members = {}
    put_image(members, WEB)
    for name in members:
        path = node / "io.containerd.content.v1.content" / name
        if b"tar+gzip" not in path.read_bytes() and path.read_bytes()[:1] != b"{":
            path.unlink()
    source, _ = resolve("containerd:")
    assert "discarded it after it was unpacked (discard_unpacked_layers)" in complaint(source, "shop/web:1 (k8s.io)")
    assert [row.target for row in source.list()] == ["shop/web:1 (moby)"]
    assert "discarded" in source.remark


def entries(data: bytes, *path: bytes) -> list[tuple[bytes, object]]:
    bucket: Bucket | None = Bolt(data).root
    for name in path:
        bucket = None if bucket is None else bucket.bucket(name)
    return [] if bucket is None else list(bucket.items())


def test_the_newer_root_counts_and_a_broken_one_does_not() -> None:
    data = bytearray(database({b"v1": {b"a": {b"x": b"1"}}}))
    assert entries(bytes(data), b"v1", b"a") == [(b"x", b"1")]
    data[PAGE + 40] ^= 1  # the second root's checksum is bad now
    assert entries(bytes(data), b"v1", b"a") == [(b"x", b"1")]
    data[40] ^= 1
    with pytest.raises(Broken, match="no bolt database"):
        Bolt(bytes(data))


def test_a_tree_of_several_pages() -> None:
    leaves = [leaf({b"%03d" % n: b"v%d" % n for n in range(start, start + 50)}) for start in (0, 50)]
    pages = [struct.pack("<QHHI", n + 3, 2, 50, 0) + page[16:] for n, page in enumerate(leaves)]
    branch = struct.pack("<QHHI", 2, 1, 2, 0)
    branch += struct.pack("<IIQ", 32, 3, 3) + struct.pack("<IIQ", 19, 3, 4) + b"000" + b"050"
    data = meta(1, 2, 0) + meta(2, 2, 1) + b"".join(page.ljust(PAGE, b"\0") for page in (branch, *pages))
    assert [key for key, _ in entries(data)] == [b"%03d" % n for n in range(100)]


def circle() -> bytes:
    branch = struct.pack("<QHHI", 2, 1, 1, 0) + struct.pack("<IIQ", 16, 1, 2) + b"a"
    return meta(1, 2, 0) + meta(2, 2, 1) + branch.ljust(PAGE, b"\0")


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", "no bolt database"),
        (b"\0" * 9000, "no bolt database"),
        (database({b"v1": {}})[: 2 * PAGE], "not there"),
        (meta(1, 1, 0) + meta(2, 1, 1), "not there"),
        (circle(), "circles"),
        (database({b"v1": {b"k8s.io": {b"images": b"x"}}})[: 2 * PAGE] + b"\2" + bytes(PAGE), "no known kind"),
        (database({b"v1": {b"a": b"b" * 9000}})[: 3 * PAGE], "cut"),
    ],
)
def test_damage_ends_in_one_line(data: bytes, error: str, tmp_path: Path) -> None:
    path = tmp_path / METADATA
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    with pytest.raises(LaminaError, match=error) as caught:
        named_images(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_every_cut_and_flip_is_an_error_or_another_list(node: Path) -> None:
    data = (node / METADATA).read_bytes()
    for at in range(0, len(data), 37):
        changed = bytearray(data)
        changed[at] ^= 0xFF
        for broken in (bytes(changed), data[:at]):
            try:
                entries(broken, b"v1", b"k8s.io", b"images")
            except Broken:
                pass


def test_no_containerd(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(containerd.VARIABLE, str(tmp_path))
    with pytest.raises(LaminaError, match=f"no containerd found at {tmp_path}"):
        resolve("containerd:")


def test_a_name_that_is_not_there(node: Path) -> None:
    source, name = resolve("containerd:other")
    assert "it holds shop/web:1 (k8s.io)" in complaint(source, name)


def test_digests_that_are_none_are_left_out(node: Path) -> None:
    (node / METADATA).write_bytes(
        database({b"v1": {b"k8s.io": {b"images": {b"x": {b"target": {b"digest": b"sha256:../../etc/passwd"}}}}}})
    )
    source, _ = resolve("containerd:")
    assert "containerd has no image" in complaint(source)


def overlapping() -> bytes:
    """A thousand entries that all have the same megabyte as their key."""
    heads = b"".join(struct.pack("<IIII", 0, 16 * (1000 - n), 1 << 20, 0) for n in range(1000))
    page = struct.pack("<QHHI", 2, 2, 1000, 260) + heads + bytes(1 << 20)
    return meta(1, 2, 0) + meta(2, 2, 1) + page.ljust(261 * PAGE, b"\0")


def again_and_again() -> bytes:
    """A branch that leads to one empty leaf two hundred times, which is as large as the file."""
    branch = struct.pack("<QHHI", 2, 1, 200, 0) + b"".join(struct.pack("<IIQ", 0, 0, 3) for _ in range(200))
    leaf_page = struct.pack("<QHHI", 3, 2, 0, 5000)
    return meta(1, 2, 0) + meta(2, 2, 1) + branch.ljust(PAGE, b"\0") + leaf_page.ljust(5000 * PAGE, b"\0")


def test_a_small_database_takes_no_more_than_its_size() -> None:
    with pytest.raises(Broken, match="overlap"):
        entries(overlapping())
    data = again_and_again()
    begun = time.perf_counter()
    bytearray(data)
    copied = time.perf_counter()
    assert entries(data) == []
    assert time.perf_counter() - copied < 50 * (copied - begun)  # it is not copied at each of 200 visits


def test_thousands_of_names_are_read(node: Path) -> None:
    members: Members = {}
    web = image(members, WEB)
    # Kubernetes has three names for each image.
    names: Tree = {b"shop/app%d:%d" % (number, tag): web for number in range(700) for tag in range(4)}
    (node / METADATA).write_bytes(database({b"v1": {b"k8s.io": {b"images": names}}}))
    assert len(named_images(str(node))) == 2800
