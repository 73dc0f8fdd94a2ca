"""Archives that are incomplete, contradict themselves or were changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from builders import (
    Compression,
    Members,
    archive,
    blob,
    complaint,
    compress,
    file,
    layer,
    new_docker,
    oci,
    old_docker,
    pack,
    read,
    sample_image,
    sha256,
)
from opening import resolve

IMAGE = sample_image()


def names(members: Members, ending: str) -> list[str]:
    return [name for name in members if name.endswith(ending)]


def test_no_table_of_contents(tmp_path: Path) -> None:
    members = old_docker(IMAGE)
    del members["manifest.json"]
    assert "before 1.10" in complaint(archive(tmp_path, members))
    del members["repositories"]
    assert "neither manifest.json nor index.json" in complaint(archive(tmp_path, members))


@pytest.mark.parametrize("form", [old_docker, new_docker, oci])
def test_a_missing_layer_is_named(form: object, tmp_path: Path) -> None:
    members = form(IMAGE)  # type: ignore[operator]
    lost = names(members, "/layer.tar")[1] if form is old_docker else blob(sha256(compress(IMAGE.layers[1], "gzip")))
    if form is new_docker:
        members, lost = new_docker(IMAGE, how="none"), blob(IMAGE.diff_ids[1])
    del members[lost]
    text = complaint(archive(tmp_path, members))
    assert "layer 1" in text
    assert lost in text
    assert "image.tar" in text


def test_a_missing_config_is_named(tmp_path: Path) -> None:
    members = old_docker(IMAGE)
    name = IMAGE.id[7:] + ".json"
    del members[name]
    assert name in complaint(archive(tmp_path, members))
    members = oci(IMAGE)
    del members[blob(IMAGE.id)]
    assert IMAGE.id in complaint(archive(tmp_path, members))


def test_a_config_that_is_not_json(tmp_path: Path) -> None:
    members = old_docker(IMAGE)
    members[IMAGE.id[7:] + ".json"] = b"not json"
    assert "not JSON" in complaint(archive(tmp_path, members))


def test_counts_of_layers_that_differ(tmp_path: Path) -> None:
    members = old_docker(IMAGE)
    rows = json.loads(members["manifest.json"])
    rows[0]["Layers"].pop()
    members["manifest.json"] = json.dumps(rows).encode()
    assert "2 layers" in complaint(archive(tmp_path, members))


def test_layer_links_in_a_circle(tmp_path: Path) -> None:
    members = old_docker(IMAGE)
    first, second = names(members, "/layer.tar")[:2]
    members[first], members[second] = f"../{second}", f"../{first}"
    assert "circle" in complaint(archive(tmp_path, members))


@pytest.mark.parametrize("how", ["gzip", "zstd"])
@pytest.mark.parametrize("form", [old_docker, oci])
def test_a_compressed_layer_of_other_bytes_is_found_in_passing(form: object, how: Compression, tmp_path: Path) -> None:
    members = form(IMAGE, how=how)  # type: ignore[operator]
    name = names(members, "/layer.tar")[1] if form is old_docker else blob(sha256(compress(IMAGE.layers[1], how)))
    size = len(members[name])
    members[name] = compress(layer(file("evil", b"x")), how)
    text = complaint(archive(tmp_path, members))
    assert "layer 1" in text
    assert "hash" in text or str(size) in text


@pytest.mark.parametrize("form", [old_docker, new_docker, oci])
def test_a_plain_layer_of_other_bytes_is_found_by_verify(form: object, tmp_path: Path) -> None:
    members = form(IMAGE, how="none")  # type: ignore[operator]
    name = names(members, "/layer.tar")[1] if form is old_docker else blob(IMAGE.diff_ids[1])
    members[name] = members[name].replace(b"changed", b"forged!")
    source = archive(tmp_path, members)
    read(source)
    text = complaint(source, verify=True)
    assert "layer 1" in text
    assert "hash" in text


def test_an_oci_document_of_other_bytes_is_found_in_passing(tmp_path: Path) -> None:
    members = oci(IMAGE)
    members[blob(IMAGE.id)] = IMAGE.config.replace(b"step 1", b"step X")
    assert "damaged or was changed" in complaint(archive(tmp_path, members))


def test_a_config_named_by_another_digest_is_found_by_verify(tmp_path: Path) -> None:
    members = old_docker(IMAGE)
    members[IMAGE.id[7:] + ".json"] = IMAGE.config.replace(b"step 1", b"step X")
    source = archive(tmp_path, members)
    read(source)
    assert "was changed" in complaint(source, verify=True)


@pytest.mark.parametrize("data", [b"BZh91AY&SY" * 100, b"\xfd7zXZ\0" * 100, b"x" * 2000, b"{}"])
def test_a_layer_of_unknown_compression(data: bytes, tmp_path: Path) -> None:
    members = old_docker(IMAGE)
    members[names(members, "/layer.tar")[2]] = data
    text = complaint(archive(tmp_path, members))
    assert "layer 2" in text
    assert "neither tar, gzip nor zstd" in text


@pytest.mark.parametrize("how", ["none", "gzip", "zstd"])
def test_a_truncated_layer_names_itself_and_the_file(how: Compression, tmp_path: Path) -> None:
    for cut in (0.3, 0.5, 0.9):
        members = old_docker(IMAGE, how=how)
        name = names(members, "/layer.tar")[0]
        members[name] = members[name][: int(len(members[name]) * cut)]
        text = complaint(archive(tmp_path, members), verify=True)
        assert "layer 0" in text
        assert "image.tar" in text


def test_a_truncated_archive_names_the_file(tmp_path: Path) -> None:
    data = pack(old_docker(IMAGE))
    path = tmp_path / "cut.tar"
    path.write_bytes(data[: len(data) // 2 + 100])
    text = complaint(resolve(str(path))[0])
    assert "truncated" in text
    assert str(path) in text


def test_hostile_names_come_out_harmless(tmp_path: Path) -> None:
    members = old_docker(IMAGE)
    rows = json.loads(members["manifest.json"])
    rows[0]["Layers"][1] = "\x1b]0;owned\x07\n\ud800/layer.tar"
    members["manifest.json"] = json.dumps(rows).encode()
    assert r"\x1b]0;owned" in complaint(archive(tmp_path, members))


def test_a_file_that_changes_while_it_is_open_is_not_read_on(tmp_path: Path) -> None:
    source = archive(tmp_path, old_docker(IMAGE))
    image = read(source)
    path = tmp_path / "image.tar"
    path.write_bytes(path.read_bytes() + b"\0")
    assert "changed" in complaint(source, verify=True)
    path.unlink()
    assert "No such file" in complaint(source, verify=True)
    assert image.content is not None
