"""Files whose content has a text: whatever the layers are packed in, wherever the work is cut."""

from __future__ import annotations

import gzip
import hashlib
import random
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from builders import Image, file, new_docker, oci, old_docker, pack, sha256
from lamina.contents import find_content as module
from lamina.contents.conditions import Conditions
from lamina.contents.find_content import find_content
from lamina.contents.find_files import find_files
from lamina.contents.image_files import ImageFiles, files_of, read_files
from lamina.layers import tar_search
from lamina.layers.digest_search import digests_of
from lamina.layers.tar_search import Sought
from lamina.layers.text_search import Texts, texts_of
from lamina.model import Cancelled, LaminaError, Progress
from lamina.sources.base import NullObserver
from lamina.workers.pool import Pool
from lamina.workers.search_job import SearchJob
from needs import tool
from opening import resolve
from stacks import stack
from tars import Member, hardlink, layer_tar, whiteout

NEEDLE = "needle \u00fc"
TEXT = NEEDLE.encode()

Packed = Callable[..., bytes]
PACKED: dict[str, Packed] = {
    "plain": lambda *layers: pack(old_docker(Image(layers))),
    "gzip": lambda *layers: pack(oci(Image(layers), how="gzip")),
    "zstd": lambda *layers: pack(oci(Image(layers), how="zstd")),
    "packed as a whole": lambda *layers: gzip.compress(pack(new_docker(Image(layers))), 1),
    "packed twice": lambda *layers: gzip.compress(pack(oci(Image(layers), how="gzip")), 1),
}


@pytest.fixture(params=PACKED)
def image_of(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., ImageFiles]:
    """Makes an image of layers. A test that asks for it runs once for each way to pack them."""

    def made(*layers: list[Member] | bytes) -> ImageFiles:
        path = tmp_path / "image.tar"
        path.write_bytes(
            PACKED[request.param](*(layer if isinstance(layer, bytes) else layer_tar(*layer) for layer in layers))
        )
        source, name = resolve(str(path))
        return read_files(source, name, NullObserver(), threading.Event())

    return made


def found_in(image: ImageFiles, *words: str, fold: bool = False, **options: Any) -> list[str]:
    """Layer and path of all versions that have one of the words."""
    return found_by(image, texts_of(words or (NEEDLE,), fold=fold), **options)


def found_by(image: ImageFiles, sought: Sought, **options: Any) -> list[str]:
    rows = find_files(image, "", None, Conditions())
    numbers: list[int] = []
    find_content(image, rows, sought, lambda more: numbers.extend(more.tolist()), **options)
    assert len(set(numbers)) == len(numbers), "a row is told twice"
    found = rows.take(np.sort(np.array(numbers, dtype=np.intp)))
    names = found.union.paths.texts(found.path)
    return [f"{layer} {name.decode()}" for layer, name in zip(found.layer.tolist(), names, strict=True)]


def test_versions_of_all_layers_are_found_by_their_content(image_of: Callable[..., ImageFiles]) -> None:
    image = image_of(
        [file("a", b"x" * 700 + TEXT), file("b", TEXT), file("c", b"needle"), hardlink("d", "b")],
        [whiteout("a"), file("b", b"another"), file("e/f", b"\0" * 5000 + TEXT + b"\0")],
    )
    assert found_in(image) == ["0 a", "0 b", "0 d", "1 e/f"]
    assert found_in(image, "another", "nothing") == ["1 b"]
    assert found_in(image, "NEEDLE \u00fc", fold=True) == ["0 a", "0 b", "0 d", "1 e/f"]


def test_a_text_lies_within_one_file(image_of: Callable[..., ImageFiles]) -> None:
    # A block that is full is followed by a header, whose name may well end what a file has begun.
    image = image_of(
        [file("a", b"x" * 505 + b"needle "), file(TEXT + b"-name", b"ustar"), file("c", TEXT[7:] + TEXT[:3])]
    )
    assert found_in(image) == []
    assert found_in(image, "ustar") == [f"0 {NEEDLE}-name"]


def test_what_is_cut_into_parts_is_searched_across_the_cuts(
    image_of: Callable[..., ImageFiles], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PART", 1000)
    members = [file(f"at{place:04}", b"." * place + TEXT + b"." * 1500) for place in range(985, 1005)]
    members.append(file("everywhere", TEXT * 1000))
    members += [file(f"small{number}", TEXT if number % 3 else b"none") for number in range(300)]
    expected = sorted(f"0 {member.name.decode()}" for member in members if TEXT in member.content)
    assert found_in(image_of(members)) == expected


def test_files_are_found_by_the_digest_of_their_content(
    image_of: Callable[..., ImageFiles], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PART", 1000)
    image = image_of(
        [file("a", 5000), file("b", 4999), hardlink("d", "a"), file("none")],
        [file("c", 5000), whiteout("a"), file("e")],
    )
    five, none = (hashlib.sha256(content).hexdigest() for content in (b"x" * 5000, b""))
    assert found_by(image, digests_of([five])) == ["0 a", "1 c", "0 d"]
    assert found_by(image, digests_of([none])) == ["1 e", "0 none"]
    assert len(found_by(image, digests_of([none, five]))) == 5


def test_random_files_are_found_as_python_finds_them(
    image_of: Callable[..., ImageFiles], monkeypatch: pytest.MonkeyPatch
) -> None:
    seed = random.Random(7)
    monkeypatch.setattr(module, "_PART", 3000)
    monkeypatch.setattr(tar_search, "_GAP", 700)
    layers = [
        [file(f"f{seed.randrange(60)}", bytes(seed.choices(b"ab\0", k=seed.randrange(1500)))) for _ in range(40)]
        for _ in range(3)
    ]
    for words in (["aab"], ["abababab", "bbbbbbbbb"], ["a" * 12]):
        image = image_of(*layers)
        expected = {
            f"{number} {member.name.decode()}"
            for number, members in enumerate(layers)
            for member in {member.name: member for member in members}.values()
            if any(word.encode() in member.content for word in words)
        }
        assert set(found_in(image, *words)) == expected


def test_a_sparse_file_is_searched_as_it_reads_back(image_of: Callable[..., ImageFiles], tmp_path: Path) -> None:
    folder = tmp_path / "tree"
    folder.mkdir()
    for name, place in (("holes", 300_000), ("other", 0)):
        with (folder / name).open("wb") as sparse:
            sparse.truncate(1 << 20)
            sparse.seek(place)
            sparse.write(TEXT if name == "holes" else b"something else")
    (folder / "before").write_bytes(b"none" * 9)
    (folder / "plain").write_bytes(TEXT)
    for form in ("gnu", "pax"):
        command = [tool("tar"), "-cSf", "-", f"--format={form}", "-C", folder, "before", "other", "holes", "plain"]
        tar = subprocess.run(command, capture_output=True, check=True).stdout
        image = image_of(tar)
        assert found_in(image) == ["0 holes", "0 plain"], form
        digest = hashlib.sha256((folder / "holes").read_bytes()).hexdigest()
        assert found_by(image, digests_of([digest])) == ["0 holes"], form


def test_a_layer_that_stands_twice_is_read_once(tmp_path: Path) -> None:
    layer = layer_tar(file("a", TEXT + b"." * 1000))
    path = tmp_path / "image.tar"
    path.write_bytes(pack(old_docker(Image([layer, layer_tar(whiteout("a")), layer]))))
    source, name = resolve(str(path))
    image = read_files(source, name, NullObserver(), threading.Event())
    told: list[Progress] = []
    assert found_in(image, progress=told.append) == ["0 a", "2 a"]
    assert {progress.total for progress in told} == {1000 + len(TEXT)}


def test_layers_that_only_claim_to_be_the_same_are_read_each(tmp_path: Path) -> None:
    layers = [layer_tar(file("a", 9), file("b", TEXT)), layer_tar(file("b", TEXT), file("a", 9))]
    members = old_docker(Image(layers, extra={"rootfs": {"type": "layers", "diff_ids": [sha256(layers[0])] * 2}}))
    path = tmp_path / "image.tar"
    path.write_bytes(pack(members))
    source, name = resolve(str(path))
    assert found_in(read_files(source, name, NullObserver(), threading.Event())) == ["0 b", "1 b"]


def test_an_archive_that_is_packed_as_a_whole_is_unpacked_once(tmp_path: Path) -> None:
    path = tmp_path / "image.tar.gz"
    layers = [[file(f"f{number}", TEXT)] for number in range(6)]
    path.write_bytes(PACKED["packed as a whole"](*(layer_tar(*members) for members in layers)))
    source, name = resolve(str(path))
    image = read_files(source, name, NullObserver(), threading.Event())
    (task,) = module._Files(image, find_files(image, "", None, Conditions()), texts_of([NEEDLE])).tasks()
    assert isinstance(task.job, SearchJob)
    offsets = task.job.wanted.offset.tolist()
    assert (len(offsets), offsets) == (6, sorted(offsets))


def test_worker_processes_find_the_same(image_of: Callable[..., ImageFiles]) -> None:
    image = image_of([file("a", TEXT), file("b", 3000)], [file("c", b"." * 3000 + TEXT)])
    assert found_in(image, pool=Pool(2, processes=True, worth=0)) == ["0 a", "1 c"]


def test_it_can_be_stopped(image_of: Callable[..., ImageFiles]) -> None:
    image = image_of([file("a", TEXT)])
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        found_in(image, cancel=cancel)


def test_bytes_that_have_gone_by_are_an_error_of_one_line() -> None:
    image = files_of(stack([file("a", TEXT)]))
    with pytest.raises(LaminaError, match=r"^hand-made has gone by and can't be read again"):
        found_in(image)


@pytest.mark.parametrize("words", [[""], ["a\0"], []])
def test_what_can_not_be_looked_for_is_refused(words: list[str]) -> None:
    with pytest.raises(ValueError, match="an empty text, or one with a NUL"):
        texts_of(words)


def test_bytes_that_are_no_text_can_be_looked_for() -> None:
    assert texts_of(["\udcff", "B", "b"], fold=True) == Texts((b"\xff", b"b"), fold=True)
