"""Which image of several is meant, of several platforms too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from builders import (
    OCI,
    Image,
    Members,
    archive,
    complaint,
    descriptor,
    file,
    layer,
    oci,
    old_docker,
    put_image,
    read,
    sample_image,
)
from lamina.sources.platforms import host_platform

IMAGE = sample_image()
OTHER = Image([layer(file("b", b"2"))], ("registry.example.org:5000/team/other:2.1", "other:latest"))
BARE = Image([layer(file("c", b"3"))], ())


@pytest.mark.parametrize(
    ("target", "wanted"),
    [
        (None, IMAGE),
        ("app:1", IMAGE),
        ("docker.io/library/app:1", IMAGE),
        ("registry.example.org:5000/team/other:2.1", OTHER),
        ("other", OTHER),
        ("2.1", OTHER),
        ("@1", OTHER),
        ("@2", BARE),
        (IMAGE.id, IMAGE),
        (BARE.id[7:19], BARE),
        (OTHER.id[:20], OTHER),
    ],
)
def test_an_image_is_chosen_by_tag_id_or_place(target: str | None, wanted: Image, tmp_path: Path) -> None:
    source = archive(tmp_path, old_docker(IMAGE, OTHER, BARE))
    assert read(source, target).info.id == wanted.id


def test_oci_images_are_chosen_by_reference_bare_tag_and_manifest_digest(tmp_path: Path) -> None:
    source = archive(tmp_path, oci(Image(IMAGE.layers, ("1.4",)), Image(OTHER.layers, ("shop/web:1.5",)), BARE))
    assert read(source, "1.4").info.id == IMAGE.id
    assert read(source, "shop/web:1.5").info.id == OTHER.id
    assert read(source, "1.5").info.id == OTHER.id
    assert read(source, "@2").info.id == BARE.id
    digest = put_image({}, BARE)["digest"]
    assert read(source, digest).info.id == BARE.id
    assert read(source, f"name@{digest}").info.id == BARE.id


def test_the_list_names_every_image_by_something_that_opens_it(tmp_path: Path) -> None:
    for members in (
        old_docker(IMAGE, OTHER, BARE),
        oci(IMAGE, BARE, Image(OTHER.layers, ("x",)), Image(BARE.layers, ("y",))),
    ):
        source = archive(tmp_path, members)
        rows = source.list()
        assert [row.target for row in rows] in (
            ["app:1", OTHER.tags[0], f"image.tar ({BARE.id[7:19]})"],
            ["app:1", f"image.tar ({put_image({}, BARE)['digest'][7:19]})", "x", "y"],
        )
        assert [read(source, row.target).info.id for row in rows] == [row.id for row in rows]
        assert [row.layers for row in rows][:2] == [3, 1]
        assert rows[0].created == "2024-01-02T03:04:05Z"


@pytest.mark.parametrize(
    "target", ["nosuch:1", "@3", "@99999999999999", "0000000", "sha256:" + "0" * 64, "", "@-1", "1."]
)
def test_an_image_that_is_not_there(target: str, tmp_path: Path) -> None:
    assert "image" in complaint(archive(tmp_path, old_docker(IMAGE, OTHER, BARE)), target)


def test_a_tag_that_two_images_have_must_be_said_whole(tmp_path: Path) -> None:
    source = archive(tmp_path, old_docker(IMAGE, Image(OTHER.layers, ("other:1",))))
    assert "app:1, other:1" in complaint(source, "1")


def test_one_broken_image_does_not_close_the_way_to_its_neighbours(tmp_path: Path) -> None:
    members = old_docker(IMAGE, OTHER)
    members[OTHER.id[7:] + ".json"] = b"not json"
    source = archive(tmp_path, members)
    assert read(source, "app:1").info.id == IMAGE.id
    assert "not JSON" in complaint(source, "other")


# -- platforms and indexes -----------------------------------------------------------------------------------------


def indexed(members: Members, *rows: dict[str, object], tag: str | None = "app:1") -> Members:
    """A layout whose index.json names one index of these manifests."""
    inner = json.dumps({"schemaVersion": 2, "manifests": rows}).encode()
    row = descriptor(members, inner, f"{OCI}.index.v1+json")
    if tag:
        row["annotations"] = {"org.opencontainers.image.ref.name": tag}
    return {**members, "oci-layout": b"{}", "index.json": json.dumps({"manifests": [row]}).encode()}


def on(row: dict[str, object], platform: str) -> dict[str, object]:
    system, _, rest = platform.partition("/")
    architecture, _, variant = rest.partition("/")
    told = {"os": system, "architecture": architecture, **({"variant": variant} if variant else {})}
    return {**row, "platform": told}


def test_of_several_platforms_the_machines_own_is_taken(tmp_path: Path) -> None:
    mine, strange = host_platform(), "linux/s390x"
    members: Members = {}
    rows = [on(put_image(members, BARE), strange), on(put_image(members, IMAGE), mine)]
    assert read(archive(tmp_path, indexed(members, *rows))).info.id == IMAGE.id
    flat = {**members, "index.json": json.dumps({"manifests": rows}).encode()}
    source = archive(tmp_path, flat)
    assert read(source).info.id == IMAGE.id
    assert len(source.list()) == 1


def test_a_variant_of_the_machines_architecture_is_nearer_than_another(tmp_path: Path) -> None:
    members: Members = {}
    rows = [on(put_image(members, BARE), "linux/s390x"), on(put_image(members, IMAGE), host_platform() + "/v8")]
    assert read(archive(tmp_path, indexed(members, *rows))).info.id == IMAGE.id


def test_where_the_own_platform_has_no_blobs_another_is_read(tmp_path: Path) -> None:
    members: Members = {}
    absent = on(put_image({}, BARE), host_platform())
    there = on(put_image(members, IMAGE), "linux/s390x")
    assert read(archive(tmp_path, indexed(members, absent, there))).info.id == IMAGE.id


def test_attestations_are_no_images(tmp_path: Path) -> None:
    members: Members = {}
    attestation = {
        **on(put_image(members, BARE), "unknown/unknown"),
        "annotations": {"vnd.docker.reference.type": "attestation-manifest"},
    }
    source = archive(tmp_path, indexed(members, attestation, on(put_image(members, IMAGE), "linux/other")))
    assert read(source).info.id == IMAGE.id


def test_an_index_in_an_index_is_followed_but_not_for_ever(tmp_path: Path) -> None:
    members: Members = {}
    row: dict[str, object] = put_image(members, IMAGE)
    for depth in range(12):
        inner = json.dumps({"manifests": [row]}).encode()
        row = descriptor(members, inner, f"{OCI}.index.v1+json")
        source = archive(tmp_path, {**members, "index.json": json.dumps({"manifests": [row]}).encode()})
        if depth < 6:
            assert read(source).info.id == IMAGE.id
    assert "nested" in complaint(source)


def test_an_artifact_is_called_what_it_is(tmp_path: Path) -> None:
    members: Members = {}
    manifest = {
        "config": descriptor(members, b"{}", "application/vnd.cncf.helm.config.v1+json"),
        "layers": [descriptor(members, b"x", "application/vnd.cncf.helm.chart.content.v1.tar+gzip")],
    }
    row = descriptor(members, json.dumps(manifest).encode(), f"{OCI}.manifest.v1+json")
    members["index.json"] = json.dumps({"manifests": [row]}).encode()
    assert "helm" in complaint(archive(tmp_path, members))


def test_containerds_full_name_stands_above_the_bare_tag(tmp_path: Path) -> None:
    members: Members = {}
    row = put_image(members, IMAGE)
    row["annotations"] = {
        "io.containerd.image.name": "docker.io/library/app:1",
        "org.opencontainers.image.ref.name": "1",
    }
    members["index.json"] = json.dumps({"manifests": [row]}).encode()
    source = archive(tmp_path, members)
    assert source.list()[0].tags == ("docker.io/library/app:1",)
    assert read(source, "app:1").info.id == read(source, "1").info.id == IMAGE.id
