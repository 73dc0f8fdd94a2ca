"""Texts in the files of layers that an engine keeps unpacked."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from lamina.contents import find_content as module
from lamina.contents.conditions import Conditions
from lamina.contents.find_content import find_content
from lamina.contents.find_files import find_files
from lamina.contents.image_files import ImageFiles, files_of
from lamina.layers.digest_search import digests_of
from lamina.layers.text_search import texts_of
from lamina.model import LaminaError
from lamina.sources.engine.unpacked_files import UnpackedFiles
from lamina.workers.pool import Pool
from stacks import stack
from tars import Member, file, whiteout

LONG = (1 << 20) - 3
LAYERS = [
    [
        file("etc/a", b"x needle"),
        file(b"etc/b\nc\xff", b"needle"),
        file("long", b"." * LONG + b"needle"),
        file("gone", b"needle"),
    ],
    [whiteout("gone"), file("etc/deep/d", b"needl"), file("etc/deep/e", b"NEEDLE")],
]


@pytest.fixture
def folders(tmp_path: Path) -> list[str]:
    """The files of each layer."""
    made = []
    for number, members in enumerate(LAYERS):
        folder = os.fsencode(tmp_path / str(number))
        for member in members:
            if b".wh." not in member.name:
                os.makedirs(os.path.dirname(folder + b"/" + member.name), exist_ok=True)
                Path(os.fsdecode(folder + b"/" + member.name)).write_bytes(member.content)
        made.append(os.fsdecode(folder))
    return made


def image_of(layers: list[list[Member]], folders: list[str]) -> ImageFiles:
    return dataclasses.replace(files_of(stack(*layers)), layers=UnpackedFiles(folders, "test"))


def found_in(image: ImageFiles, word: str, *, fold: bool = False, pool: Pool | None = None) -> list[bytes]:
    rows = find_files(image, "", None, Conditions())
    numbers: list[int] = []
    find_content(image, rows, texts_of([word], fold=fold), lambda more: numbers.extend(more.tolist()), pool=pool)
    found = rows.take(np.sort(np.array(numbers, dtype=np.intp)))
    return found.union.paths.texts(found.path)


@pytest.mark.parametrize("pool", [None, Pool(2, processes=True, worth=0)], ids=["threads", "processes"])
@pytest.mark.parametrize("part", [module._PART, 1000])
def test_they_are_found_where_the_engine_has_them(
    folders: list[str], monkeypatch: pytest.MonkeyPatch, pool: Pool | None, part: int
) -> None:
    monkeypatch.setattr(module, "_PART", part)
    image = image_of(LAYERS, folders)
    assert found_in(image, "needle", pool=pool) == [b"etc/a", b"etc/b\nc\xff", b"gone", b"long"]
    assert found_in(image, "Needle", fold=True, pool=pool)[2:] == [b"etc/deep/e", b"gone", b"long"]


def test_they_are_found_by_their_digests(folders: list[str]) -> None:
    image = image_of(LAYERS, folders)
    rows = find_files(image, "long", None, Conditions())
    numbers: list[int] = []
    digest = hashlib.sha256(LAYERS[0][2].content).hexdigest()
    find_content(image, rows, digests_of([digest]), lambda more: numbers.extend(more.tolist()))
    assert numbers == [0]


def test_a_file_that_is_another_by_now_is_told(folders: list[str]) -> None:
    image = image_of(LAYERS, folders)
    Path(folders[0], "etc/a").write_bytes(b"longer needle than before")
    with pytest.raises(LaminaError, match="layer 0 of test: a file in the engine's store is not what"):
        found_in(image, "needle")


@pytest.mark.parametrize("name", ["etc/a", "etc"])
def test_no_link_leads_out_of_the_store(folders: list[str], tmp_path: Path, name: str) -> None:
    image = image_of(LAYERS, folders)
    place = Path(folders[0], name)
    place.rename(tmp_path / "outside")
    place.symlink_to(tmp_path / "outside")
    with pytest.raises(LaminaError, match="layer 0 of test: a file can't be read in the engine's store"):
        found_in(image, "needle")
