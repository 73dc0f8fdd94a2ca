"""Sparse files read back, from every form in which they are stored."""

from __future__ import annotations

from pathlib import Path

import pytest

from lamina.layers.layer_reader import FileRef, TarLayerReader
from lamina.layers.sparse import read_map
from lamina.model import LaminaError
from layers.test_scan import SPARSE_FORMATS, gnu_tar, scan, sparse_tar  # noqa: F401  # gnu_tar is a fixture
from tars import file, layer_tar


class _Bytes:
    """A tar in memory."""

    random = True

    def __init__(self, tar: bytes) -> None:
        self.tar = tar

    def read(self, offset: int, size: int) -> bytes:
        found = self.tar[offset : offset + size]
        if len(found) < size:
            raise LaminaError("the tar is truncated")
        return found

    def close(self) -> None:
        pass


def files_of(tar: bytes) -> dict[bytes, FileRef]:
    index = scan(tar)
    return {
        key: FileRef(int(index.offset[row]), int(index.size[row]), key, index.sparse.get(row))
        for row, key in enumerate(index.keys())
    }


@pytest.mark.parametrize("options", SPARSE_FORMATS.values(), ids=SPARSE_FORMATS.keys())
@pytest.mark.parametrize("pieces", [0, 1, 4, 5, 25, 26, 60])
def test_a_sparse_file_reads_back_as_it_was(
    gnu_tar: str,  # noqa: F811
    tmp_path: Path,
    options: list[str],
    pieces: int,
) -> None:
    tar = sparse_tar(gnu_tar, tmp_path, options, {"before": 2, "sparse": pieces})
    whole = (tmp_path / "sparse").read_bytes()
    reader, files = TarLayerReader(_Bytes(tar), "it"), files_of(tar)
    found = files[b"sparse"]

    assert reader.read(found, 0, len(whole) + 1) == whole
    assert [reader.read(found, start, 7000) for start in range(0, len(whole), 7000)] == [
        whole[start : start + 7000] for start in range(0, len(whole), 7000)
    ]
    assert reader.read(files[b"after"], 0, 100) == b"after all"
    stored = reader.stored(found)
    assert sum(size for _, size in stored) == 4096 * pieces
    assert not whole.strip(b"\0") or stored


def test_a_file_with_a_long_name_and_a_sparse_map(gnu_tar: str, tmp_path: Path) -> None:  # noqa: F811
    name = "n" * 150
    tar = sparse_tar(gnu_tar, tmp_path, ["--format=gnu"], {name: 3})

    found = files_of(tar)[name.encode()]

    assert TarLayerReader(_Bytes(tar), "it").read(found, 0, found.size) == (tmp_path / name).read_bytes()


@pytest.mark.parametrize(
    "records",
    [
        {b"GNU.sparse.size": b"100", b"GNU.sparse.map": b"0,5,3,5"},
        {b"GNU.sparse.size": b"100", b"GNU.sparse.map": b"90,20"},
        {b"GNU.sparse.size": b"100", b"GNU.sparse.map": b"5"},
        {b"GNU.sparse.size": b"100", b"GNU.sparse.map": b"-1,5"},
        {b"GNU.sparse.major": b"1", b"GNU.sparse.minor": b"0", b"GNU.sparse.realsize": b"100"},
    ],
    ids=["overlapping", "beyond the end", "half a piece", "negative", "no map before the data"],
)
def test_a_map_that_can_not_be_is_an_error_of_one_line(records: dict[bytes, bytes]) -> None:
    tar = layer_tar(file("f", b"1234567890" * 52, pax=records), file("g", b"2"))
    files = files_of(tar)
    reader = TarLayerReader(_Bytes(tar), "layer 3")

    with pytest.raises(LaminaError, match=r"^layer 3: "):
        reader.read(files[b"f"], 0, 10)

    assert reader.read(files[b"g"], 0, 10) == b"2"


def test_headers_that_are_no_headers_are_refused() -> None:
    tar = layer_tar(file("f", b"1"))

    with pytest.raises(ValueError, match="missing"):
        read_map(_Bytes(tar).read, 512, 512, 10)
