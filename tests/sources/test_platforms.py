"""One platform of an image that is for several, or all of them."""

from __future__ import annotations

import dataclasses
import gzip
import json
import threading
from pathlib import Path

import pytest

from builders import (
    Image,
    Members,
    archive,
    blob,
    complaint,
    file,
    layer,
    old_docker,
    pack,
    put_image,
    read,
    write_layout,
)
from lamina.model import LaminaError
from lamina.reports import image as report
from lamina.sources.base import NullObserver, Source
from lamina.sources.platforms import fits, parse_platform
from lamina.workspace import Workspace
from lying_engine import LyingEngine
from sources.test_choose import indexed, on

PLATFORMS = ("linux/s390x", "linux/arm/v6", "linux/arm/v7")


def image_for(platform: str) -> Image:
    system, _, machine = platform.partition("/")
    return Image([layer(file("base", b"the same")), layer(file("own", platform.encode()))], platform=(system, machine))


IMAGES = {platform: image_for(platform) for platform in PLATFORMS}


def members_of(tag: str | None = "app:1") -> Members:
    members: Members = {}
    rows = [on(put_image(members, image), platform) for platform, image in IMAGES.items()]
    return indexed(members, *rows, tag=tag)


def source_of(path: Path, platform: str) -> Source:
    return Workspace(platform=platform).resolve(str(path)).source


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("linux/amd64", "linux/amd64"),
        ("arm64", "linux/arm64"),
        ("aarch64", "linux/arm64"),
        ("Linux/X86_64", "linux/amd64"),
        ("arm/v7", "linux/arm/v7"),
        ("windows/amd64", "windows/amd64"),
        ("ALL", "all"),
    ],
)
def test_what_users_write(text: str, parsed: str) -> None:
    assert parse_platform(text) == parsed


@pytest.mark.parametrize("text", [" ", "linux", "linux/", "a/b/c/d", "linux/\x1b[2J", "../../etc"])
def test_what_is_no_platform(text: str) -> None:
    with pytest.raises(LaminaError, match="is no platform"):
        Workspace(platform=text)


def test_any_variant_fits_where_none_was_named() -> None:
    assert fits("linux/arm", "linux/arm/v7")
    assert not fits("linux/arm", "linux/arm64")
    assert not fits("linux/arm/v7", "linux/arm/v6")
    assert fits("", "unknown")


@pytest.mark.parametrize("kind", ["archive", "layout", "stream"])
@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_platform_that_was_asked_for_is_read(kind: str, platform: str, tmp_path: Path) -> None:
    path = tmp_path / "image.tar"
    if kind == "layout":
        write_layout(path, members_of())
    elif kind == "archive":
        path.write_bytes(pack(members_of()))
    else:
        path.write_bytes(gzip.compress(pack(members_of())))
    assert read(source_of(path, platform)).info.id == IMAGES[platform].id
    assert read(source_of(path, platform), "app:1").info.id == IMAGES[platform].id


def test_a_platform_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    path = write_layout(tmp_path / "layout", members_of())
    text = complaint(source_of(path, "linux/riscv64"))
    assert "no image for linux/riscv64" in text
    assert "linux/s390x, linux/arm/v6, linux/arm/v7" in text


def test_all_platforms_are_images_of_their_own(tmp_path: Path) -> None:
    path = write_layout(tmp_path / "layout", members_of())
    source = source_of(path, "all")
    rows = source.list()
    assert [row.target for row in rows] == [f"app:1 ({platform})" for platform in PLATFORMS]
    assert [row.id for row in rows] == [image.id for image in IMAGES.values()]
    assert [read(source, row.target).info.platform for row in rows] == list(PLATFORMS)
    unnamed = write_layout(tmp_path / "unnamed", members_of(None))
    assert [row.target for row in source_of(unnamed, "all").list()] == [
        f"unnamed ({platform})" for platform in PLATFORMS
    ]


def test_all_of_one_name_are_loaded(tmp_path: Path) -> None:
    path = write_layout(tmp_path / "layout", members_of())
    workspace = Workspace(platform="all")
    for target in (str(path), f"oci:{path}:app:1"):
        source, name = workspace.resolve(target)
        images = workspace.load_all(source, name, NullObserver(), threading.Event())
        document = report.build(images)
        assert [row["platform"] for row in document["images"]] == list(PLATFORMS)
        assert document["sharing"]["layers"][0]["images"] == [0, 1, 2]


def test_of_all_what_has_no_blobs_is_left_out(tmp_path: Path) -> None:
    members: Members = {}
    rows = [
        on(put_image(members, IMAGES["linux/s390x"]), "linux/s390x"),
        on(put_image({}, IMAGES["linux/arm/v6"]), "x/y"),
    ]
    path = write_layout(tmp_path / "layout", indexed(members, *rows))
    assert [row.target for row in source_of(path, "all").list()] == ["app:1"]


def test_a_docker_archive_is_for_what_its_config_says(tmp_path: Path) -> None:
    strange = dataclasses.replace(IMAGES["linux/s390x"], tags=("strange:1",))
    mine = dataclasses.replace(IMAGES["linux/s390x"], tags=("mine:1",), platform=("linux", "riscv64"))
    archive(tmp_path, old_docker(strange, mine))
    source = source_of(tmp_path / "image.tar", "riscv64")
    assert [row.target for row in source.list()] == ["mine:1"]
    assert read(source).info.id == mine.id
    assert "is for linux/s390x, not for linux/riscv64" in complaint(source, "strange:1")


def test_an_archive_of_both_tables_is_read_by_its_index(tmp_path: Path) -> None:
    """As newer engines save: manifest.json names the image of one platform."""
    one = IMAGES["linux/s390x"]
    path = tmp_path / "image.tar"
    both = members_of()
    both["manifest.json"] = json.dumps(
        [
            {
                "Config": blob(one.id),
                "RepoTags": ["app:1"],
                "Layers": _layers(one),
            }
        ]
    ).encode()
    path.write_bytes(pack(both))
    assert read(source_of(path, "")).info.id == one.id
    assert read(source_of(path, "linux/arm/v7")).info.id == IMAGES["linux/arm/v7"].id


def _layers(image: Image) -> list[str]:
    alone: Members = {}
    manifest = json.loads(alone[blob(put_image(alone, image)["digest"])])
    return [blob(row["digest"]) for row in manifest["layers"]]


def test_an_engines_image_must_be_what_was_asked_for() -> None:
    with LyingEngine() as engine:
        source = Workspace(host=engine.host, platform="linux/s390x").engine()
        text = complaint(source, "app:1")
    assert "is for linux/amd64, not for linux/s390x" in text
