"""Files of layers that only an engine's export has: one export for all layers that are read in their turn."""

from __future__ import annotations

import dataclasses
import json
import threading

import numpy as np
import pytest

from builders import Image, Members, new_docker, old_docker, pack
from lamina.contents.conditions import Conditions
from lamina.contents.find_content import find_content
from lamina.contents.find_files import find_files
from lamina.contents.image_files import files_of
from lamina.layers.layer_reader import FileRef
from lamina.layers.text_search import texts_of
from lamina.model import Cancelled, LaminaError
from lamina.sources.engine.export_files import ExportFiles
from lamina.sources.engine.lazy_files import LazyFiles
from stacks import stack
from tars import file, layer_tar

LAYERS = [[file("a", b"one needle"), file("b", 300_000)], [file("c", 600_000)], [file("d", b"needle")]]
TARS = [layer_tar(*members) for members in LAYERS]


class Export:
    """An export of an image, sent as often as it is asked for."""

    def __init__(self, members: Members, *, chunk: int = 100_000) -> None:
        self.data = pack(members)
        self.chunk = chunk
        self.begun = 0
        self.sent = 0

    def begin(self) -> Export:
        self.begun, self.sent = self.begun + 1, 0
        return self

    def read(self) -> bytes:
        piece = self.data[self.sent : self.sent + self.chunk]
        self.sent += len(piece)
        return piece

    def close(self) -> None:
        pass

    def interrupt(self) -> None:
        pass


def names_of(members: Members) -> list[str]:
    manifest = members["manifest.json"]
    names: list[str] = json.loads(manifest)[0]["Layers"]
    return names


@pytest.fixture(params=["old", "new, gzip"])
def members(request: pytest.FixtureRequest) -> Members:
    image = Image(TARS)
    return old_docker(image) if request.param == "old" else new_docker(image, how="gzip")


def opened(members: Members, **options: int) -> tuple[Export, ExportFiles]:
    export = Export(members, **options)
    return export, ExportFiles("the export", export.begin, lambda _: names_of(members))


@pytest.mark.parametrize("chunk", [700, 1 << 20])
def test_layers_come_in_their_turn_from_one_export(members: Members, chunk: int) -> None:
    export, files = opened(members, chunk=chunk)
    read = {}
    for layer, reader in files.in_turn([0, 1, 2], threading.Event()):
        first = LAYERS[layer][0]
        read[layer] = reader.read(FileRef(512, len(first.content), b""), 0, len(first.content))
    assert read == {layer: layer_members[0].content for layer, layer_members in enumerate(LAYERS)}
    assert export.begun == 1


def test_what_is_not_read_of_a_layer_is_passed_over(members: Members) -> None:
    export, files = opened(members)
    assert sorted(layer for layer, _ in files.in_turn([0, 2], threading.Event())) == [0, 2]
    assert export.begun == 1


def test_one_layer_by_itself_is_read_as_before(members: Members) -> None:
    _, files = opened(members)
    reader = files.open(1, threading.Event())
    assert reader.read(FileRef(512, 600_000, b""), 599_990, 10) == b"x" * 10
    assert reader.read(FileRef(512, 600_000, b""), 0, 5) == b"x" * 5
    reader.close()


def test_texts_are_looked_for_in_one_export(members: Members) -> None:
    export, files = opened(members)
    image = dataclasses.replace(files_of(stack(*TARS)), layers=LazyFiles(lambda: files))
    rows = find_files(image, "", None, Conditions())
    numbers: list[int] = []
    find_content(image, rows, texts_of(["needle"]), lambda more: numbers.extend(more.tolist()))
    found = rows.take(np.array(numbers))
    assert found.union.paths.texts(found.path) == [b"a", b"d"]
    assert export.begun == 1


def test_an_export_without_one_of_its_layers_is_told(members: Members) -> None:
    _, files = opened({name: data for name, data in members.items() if name != names_of(members)[1]})
    with pytest.raises(LaminaError, match="the export is another than before: open the image again"):
        list(files.in_turn([0, 1, 2], threading.Event()))


def test_it_can_be_stopped(members: Members) -> None:
    _, files = opened(members)
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        list(files.in_turn([0], cancel))
