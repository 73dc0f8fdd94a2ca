"""OCI layout folders."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from builders import (
    Compression,
    Image,
    blob,
    complaint,
    compress,
    contents,
    file,
    layer,
    oci,
    old_docker,
    pack,
    read,
    sample_image,
    sha256,
    shape,
    write_layout,
)
from lamina.model import LaminaError
from lamina.sources.layout import LayoutSource
from opening import resolve

IMAGE = sample_image()
OTHER = Image([layer(file("b", b"2"))], ("docker.io/library/other:2",))


@pytest.mark.parametrize("how", ["none", "gzip", "zstd"])
def test_a_layout_reads_as_the_archive_of_it(how: Compression, tmp_path: Path) -> None:
    members = oci(IMAGE, OTHER, how=how)
    folder = write_layout(tmp_path / "layout", members)
    (tmp_path / "layout.tar").write_bytes(pack(members))
    for target in ("app:1", "other:2", "2", "@1", OTHER.id):
        layout = read(resolve(str(folder))[0], target)
        archive = read(resolve(str(tmp_path / "layout.tar"))[0], target)
        assert layout.info == archive.info
        assert shape(layout) == shape(archive)
        assert contents(layout) == contents(archive)
        assert read(LayoutSource(str(folder)), target, verify=True).info == layout.info


def test_an_image_is_chosen_by_the_tag_after_the_folder(tmp_path: Path) -> None:
    folder = write_layout(tmp_path / "layout", oci(IMAGE, OTHER))
    for text in (f"oci:{folder}:other:2", f"{folder}:other:2", f"oci:{folder}:2"):
        source, target = resolve(text)
        assert read(source, target).info.id == OTHER.id


def test_a_missing_blob_is_named(tmp_path: Path) -> None:
    folder = write_layout(tmp_path / "layout", oci(IMAGE))
    lost = blob(sha256(compress(IMAGE.layers[1], "gzip")))
    (folder / lost).unlink()
    text = complaint(LayoutSource(str(folder)))
    assert "layer 1" in text
    assert lost in text


def test_a_truncated_blob_is_named(tmp_path: Path) -> None:
    folder = write_layout(tmp_path / "layout", oci(IMAGE))
    path = folder / blob(sha256(compress(IMAGE.layers[1], "gzip")))
    path.write_bytes(path.read_bytes()[:-5])
    text = complaint(LayoutSource(str(folder)))
    assert "layer 1" in text
    assert "truncated" in text


def test_a_blob_of_other_bytes_is_found_in_passing(tmp_path: Path) -> None:
    folder = write_layout(tmp_path / "layout", oci(IMAGE))
    path = folder / blob(sha256(compress(IMAGE.layers[1], "gzip")))
    data = bytearray(path.read_bytes())
    data[5] ^= 1  # gzip's own time stamp: nothing but the digest tells
    path.write_bytes(data)
    text = complaint(LayoutSource(str(folder)))
    assert "layer 1" in text
    assert "digest" in text


def test_digests_that_are_paths_lead_nowhere(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text('{"rootfs": {}}')
    folder = write_layout(tmp_path / "layout", oci(IMAGE))
    for digest in ("sha256:../../../secret", "../../secret", "sha256/../../../secret", f"sha256:{'a' * 63}/"):
        (folder / "index.json").write_text(json.dumps({"manifests": [{"digest": digest, "mediaType": ""}]}))
        assert "not a digest" in complaint(LayoutSource(str(folder)))


def test_a_blob_that_is_no_file(tmp_path: Path) -> None:
    folder = write_layout(tmp_path / "layout", oci(IMAGE))
    path = folder / blob(IMAGE.id)
    path.unlink()
    path.mkdir()
    assert "not a file" in complaint(LayoutSource(str(folder)))
    path.rmdir()
    os.mkfifo(path)
    assert "not a file" in complaint(LayoutSource(str(folder)))
    path.unlink()
    path.symlink_to(path)
    assert "can't be read" in complaint(LayoutSource(str(folder)))


def test_a_folder_that_is_no_layout(tmp_path: Path) -> None:
    for text in (str(tmp_path), f"oci:{tmp_path}"):
        with pytest.raises(LaminaError, match="no OCI layout"):
            resolve(text)
    (tmp_path / "oci-layout").write_text("{}")
    assert "index.json" in complaint(resolve(str(tmp_path))[0])


def test_an_unpacked_docker_archive_of_today_is_a_layout_too(tmp_path: Path) -> None:
    folder = write_layout(tmp_path / "saved", oci(IMAGE, how="none") | {"manifest.json": b"[]"})
    assert read(resolve(str(folder))[0]).info.id == IMAGE.id
    assert old_docker(IMAGE)["manifest.json"] != b"[]"
