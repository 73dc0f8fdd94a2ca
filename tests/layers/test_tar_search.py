"""Texts in a tar that comes in pieces of any length."""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from lamina.layers import tar_search
from lamina.layers.digest_search import digests_of
from lamina.layers.layer_reader import TarLayerReader
from lamina.layers.tar_search import WantedFiles, search_tar
from lamina.layers.text_search import texts_of


class Pieces:
    """A tar that comes a few bytes at a time; notes what was read."""

    random = False

    def __init__(self, data: bytes, length: int) -> None:
        self.data = data
        self.length = length
        self.taken: list[tuple[int, int]] = []
        """(offset, bytes) of every piece."""

    def read(self, offset: int, size: int) -> bytes:
        return b"".join(self.pieces(offset, size))

    def pieces(self, offset: int, size: int) -> Iterator[bytes]:
        for start in range(offset, offset + size, self.length):
            piece = self.data[start : min(start + self.length, offset + size)]
            self.taken.append((start, len(piece)))
            yield piece

    def close(self) -> None:
        pass


def search(data: bytes, files: list[tuple[int, int]], *words: str, length: int = 7, fold: bool = False) -> list[int]:
    """The files, (offset, bytes), that have one of the words."""
    columns = np.array(files, dtype=np.int64).reshape(-1, 2)
    wanted = WantedFiles(columns[:, 0], columns[:, 1])
    told: list[int] = []
    reader = TarLayerReader(Pieces(data, length), "test")
    found = search_tar(reader, wanted, texts_of(words, fold=fold), threading.Event(), told.append)
    assert sum(told) == wanted.work
    return found


@pytest.mark.parametrize("length", range(1, 12))
def test_a_text_is_found_wherever_pieces_part_it(length: int) -> None:
    for place in range(30):
        data = b"." * place + b"needle" + b"." * 30
        assert search(data, [(0, len(data))], "absent in all", "needle", length=length) == [0]


@pytest.mark.parametrize("length", [1, 3, 8, 1000])
def test_no_text_reaches_over_the_ends_of_a_file(length: int) -> None:
    data = b"needleneedleneedle"
    for start, size in [(1, 5), (0, 5), (3, 6), (13, 5)]:
        assert search(data, [(start, size)], "needle", length=length) == []
    assert search(data, [(0, 6), (7, 5), (12, 6)], "needle", length=length) == [0, 2]


def test_random_files_in_random_pieces() -> None:
    seed = random.Random(3)
    for _ in range(400):
        data = bytes(seed.choices(b"aAb.", k=300))
        edges = sorted(seed.sample(range(301), 12))
        files = [(start, stop - start) for start, stop in zip(edges[::2], edges[1::2], strict=True)]
        words = ["".join(seed.choices("ab", k=seed.randrange(1, 7))) for _ in range(seed.randrange(1, 4))]
        fold = seed.random() < 0.5
        contents = [data[start : start + size] for start, size in files]
        expected = [
            row
            for row, content in enumerate(contents)
            if any(word.encode() in (content.lower() if fold else content) for word in words)
        ]
        assert search(data, files, *words, length=seed.randrange(1, 40), fold=fold) == expected


@pytest.mark.parametrize("length", [1, 3, 64, 1000])
def test_files_are_known_by_the_digest_of_all_of_them(length: int) -> None:
    data = bytes(range(256)) * 2
    files = [(3, 1), (10, 60), (70, 64), (140, 300)]
    for row, (start, size) in enumerate(files):
        digest = hashlib.sha256(data[start : start + size]).hexdigest()
        columns = np.array(files, dtype=np.int64)
        wanted = WantedFiles(columns[:, 0], columns[:, 1])
        reader = TarLayerReader(Pieces(data, length), "test")
        sought = digests_of([f"sha256:{digest.upper()}", "0" * 64])
        assert search_tar(reader, wanted, sought, threading.Event(), lambda _: None) == [row]


@pytest.mark.parametrize("text", ["", "sha256:", "abc", "g" * 64, "sha512:" + "0" * 64])
def test_what_is_no_digest_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no SHA-256"):
        digests_of([text])


def test_what_lies_far_from_all_files_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tar_search, "_GAP", 100)
    tar = Pieces(bytes(1000), 50)
    wanted = WantedFiles(np.array([10, 100, 700]), np.array([20, 10, 30]))
    search_tar(TarLayerReader(tar, "test"), wanted, texts_of(["x"]), threading.Event(), lambda _: None)
    assert (min(tar.taken)[0], max(tar.taken)[0], sum(size for _, size in tar.taken)) == (10, 700, 100 + 30)


def test_a_file_is_left_where_its_text_is_found() -> None:
    tar = Pieces(b"needle" + bytes(1000), 50)
    wanted = WantedFiles(np.array([0]), np.array([1006]))
    assert search_tar(TarLayerReader(tar, "test"), wanted, texts_of(["needle"]), threading.Event(), print) == [0]
    assert len(tar.taken) == 1
