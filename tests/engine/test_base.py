"""What the images of a real engine are built on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.images import APP1, BASE
from engine.test_sharing import said
from engine.tools import lamina


def base_of(built: str, *words: str) -> Any:
    return said(built, "report", *words)["images"][0]["base"]


def test_the_nearest_image_of_the_engine_below_is_the_base(built: str) -> None:
    base, layers = base_of(built, APP1), said(built, "report", APP1)["images"][0]["layers"]

    assert (base["name"], base["by"]) == (BASE, "image")
    assert base["layers"] == len(said(built, "report", BASE)["images"][0]["layers"])
    assert base["size"] + base["own"]["size"] == sum(layer["size"] for layer in layers)
    assert base["own"]["wasted"] >= sum(layer["wasted"] for layer in layers[base["layers"] :])


@pytest.mark.parametrize("name", [BASE, f"docker.io/{BASE}", "1"])
def test_the_user_names_it_or_counts_its_layers(built: str, name: str) -> None:
    told = base_of(built, APP1, "--base", name)

    assert told == {**base_of(built, APP1), "name": None if name == "1" else name, "by": "flag"}


def test_images_of_one_archive_are_at_hand_to_each_other(
    built: str, docker_cli: Callable[..., str], tmp_path: Path
) -> None:
    archive = tmp_path / "both.tar"
    docker_cli("save", "-o", str(archive), BASE, APP1)

    images = said(built, "report", str(archive))["images"]

    bases = {image["tags"][0]: image["base"] for image in images}
    assert bases == {BASE: None, APP1: base_of(built, APP1)}


def test_a_base_that_is_none_is_an_error_of_one_line(built: str) -> None:
    done = lamina("report", BASE, "--base", APP1, host=built)

    assert done.code == 3
    assert done.out == ""
    assert done.err == f"lamina: {BASE} is not built on {APP1}: it has the lowest 1 of the 11 layers of that\n"
