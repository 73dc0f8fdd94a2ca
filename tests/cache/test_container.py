"""What is cached, to bytes and back: whole or not at all."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.cache import sealed as sealing
from lamina.cache.container import Columns, pack, pack_texts, unpack, unpack_texts
from lamina.cache.layers import layer_from_bytes, layer_to_bytes
from lamina.layers.index import LayerIndex
from lamina.stack.stored import StackedImage, stacked_from_bytes, stacked_to_bytes
from lamina.stack.union import build_union
from random_layers import layer_stacks
from stacks import scan, stack
from tars import GNU, char_device, directory, fifo, file, hardlink, layer_tar, opaque, symlink, whiteout
from zstd_frames import compress_zstd

EVERYTHING = [
    directory("./"),
    directory("etc", uid=4_000_000_000, gid=3_000_000_000, mode=0o1777),
    file("etc/hosts", b"localhost\n", mtime=-5),
    file(b"not-utf8-\xff\xfe/\xf0\x9f\x98\x80", b"x" * 5000, pax={b"mtime": b"1600000000.123456789"}),
    file("x" * 240, 3, pax={b"SCHILY.xattr.user.bytes": b"\0\n=\xff", b"SCHILY.xattr.security.capability": b"\x01\0"}),
    file("empty"),
    hardlink("etc/again", "etc/hosts"),
    symlink("soft", b"/nowhere/\xff"),
    char_device("null", 1, 3),
    char_device("disk", 259, 1_048_575).but(flag=b"4"),
    fifo("pipe"),
    whiteout("etc/gone"),
    opaque("srv"),
    opaque(""),
    file("gnu", b"old", magic=GNU),
]


def rows_of(layer: LayerIndex) -> dict[str, Any]:
    """A layer as plain values that can be compared."""
    return {
        field.name: (value.dtype.str, value.tolist()) if isinstance(value, np.ndarray) else value
        for field in fields(layer)
        for value in [getattr(layer, field.name)]
    }


def rows_of_model(model: StackedImage) -> dict[str, Any]:
    """A stacked image as plain values that can be compared."""

    def plain(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return value.dtype.str, value.tolist()
        if hasattr(value, "__dataclass_fields__"):
            return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
        return [plain(one) for one in value] if isinstance(value, list | tuple) else value

    return {"union": plain(model.union), "facts": plain(model.facts)}


def model_of(*layers: list[Any]) -> StackedImage:
    indexes = [scan(layer_tar(*members)) for members in layers]
    return StackedImage(build_union(indexes), tuple(index.facts for index in indexes))


# -- round trips -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hash_content", [True, False])
def test_a_layer_comes_back_with_every_column(hash_content: bool) -> None:
    layer = scan(layer_tar(*EVERYTHING), hash_content=hash_content)
    assert layer.links
    assert layer.devices
    assert layer.xattrs
    back = layer_from_bytes(layer_to_bytes(layer))
    assert back is not None
    assert rows_of(back) == rows_of(layer)
    assert back.keys() == layer.keys()
    assert back.facts == layer.facts


@pytest.mark.parametrize("members", [[], [directory("./")], [file("a")]])
def test_small_layers_come_back(members: list[Any]) -> None:
    layer = scan(layer_tar(*members))
    back = layer_from_bytes(layer_to_bytes(layer))
    assert back is not None
    assert rows_of(back) == rows_of(layer)
    assert back.keys() == layer.keys()


@settings(max_examples=60)
@given(layer_stacks())
def test_any_layers_and_their_stack_come_back(layers: list[list[Any]]) -> None:
    indexes = [scan(layer_tar(*members)) for members in layers]
    backs = [layer_from_bytes(layer_to_bytes(index)) for index in indexes]
    for index, back in zip(indexes, backs, strict=True):
        assert back is not None
        assert rows_of(back) == rows_of(index)
    model = StackedImage(build_union(backs), tuple(index.facts for index in indexes))
    again = stacked_from_bytes(stacked_to_bytes(model))
    assert again is not None
    assert rows_of_model(again) == rows_of_model(model)


def test_a_stacked_image_comes_back_with_every_column() -> None:
    model = model_of(EVERYTHING, [whiteout("etc/hosts"), file("gnu", b"new"), opaque("x")], [])
    assert model.union.whiteouts
    assert len(model.union.dead.inode)
    again = stacked_from_bytes(stacked_to_bytes(model))
    assert again is not None
    assert rows_of_model(again) == rows_of_model(model)


def test_an_image_without_layers_comes_back() -> None:
    model = model_of()
    again = stacked_from_bytes(stacked_to_bytes(model))
    assert again is not None
    assert rows_of_model(again) == rows_of_model(model)


def test_content_can_be_learned_after_coming_back() -> None:
    model = model_of([file("a", 5)])
    again = stacked_from_bytes(stacked_to_bytes(model))
    assert again is not None
    again.union.content[0] = (1, 2)
    assert again.union.content[0].tolist() == [1, 2]


@given(st.lists(st.binary(max_size=20), max_size=20))
def test_texts_come_back(texts: list[bytes]) -> None:
    unpacked = unpack("texts", pack("texts", {}, pack_texts("names", texts)))
    assert unpacked is not None
    assert unpack_texts("names", unpacked[1]) == texts


@given(
    st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5) | st.none(), max_size=4),
    st.lists(
        st.tuples(
            st.sampled_from(["u1", "<i2", ">i2", "<u2", "<i4", ">u4", "<i8", ">u8"]),
            st.lists(st.integers(0, 3), min_size=1, max_size=3),
        ),
        max_size=4,
    ),
)
def test_columns_come_back(meta: dict[str, Any], wanted: list[tuple[str, list[int]]]) -> None:
    made: Columns = {
        f"c{number}": (np.arange(np.prod(shape, dtype=int)) % 100).astype(dtype).reshape(shape)
        for number, (dtype, shape) in enumerate(wanted)
    }
    unpacked = unpack("any", pack("any", meta, made))
    assert unpacked is not None
    assert unpacked[0] == meta
    assert {name: column.tolist() for name, column in unpacked[1].items()} == {
        name: column.tolist() for name, column in made.items()
    }


# -- damage ------------------------------------------------------------------------------------------------------------

Reader = Callable[[bytes], Any]


def small_layer() -> tuple[bytes, Reader]:
    layer = scan(layer_tar(file("a", b"1"), symlink("b", "a"), char_device("c", 1, 2)))
    return layer_to_bytes(layer), layer_from_bytes


def small_model() -> tuple[bytes, Reader]:
    return stacked_to_bytes(model_of([file("a", 1)], [whiteout("a")])), stacked_from_bytes


def small_document() -> tuple[bytes, Reader]:
    return pack("head", {"id": "x"}, {"n": np.arange(3)}), lambda data: unpack("head", data)


BOTH = pytest.mark.parametrize("made", [small_layer, small_model, small_document])


@BOTH
def test_every_flipped_byte_is_seen(made: Callable[[], tuple[bytes, Reader]]) -> None:
    data, read = made()
    assert read(data) is not None
    for place in range(len(data)):
        for mask in (0x01, 0x80, 0xFF):
            damaged = bytearray(data)
            damaged[place] ^= mask
            assert read(bytes(damaged)) is None, f"byte {place} of {len(data)}"


@BOTH
def test_every_truncation_is_seen(made: Callable[[], tuple[bytes, Reader]]) -> None:
    data, read = made()
    for length in range(len(data)):
        assert read(data[:length]) is None, f"{length} of {len(data)} bytes"


@BOTH
@pytest.mark.parametrize("more", [b"\0", b"LAMINA", bytes(4096)])
def test_what_is_appended_is_seen(made: Callable[[], tuple[bytes, Reader]], more: bytes) -> None:
    data, read = made()
    assert read(data + more) is None
    assert read(more + data) is None


@settings(max_examples=40)
@given(st.binary(max_size=200))
def test_rubbish_is_nothing(data: bytes) -> None:
    for read in (layer_from_bytes, stacked_from_bytes, lambda data: unpack("layer", data)):
        assert read(data) is None
        assert read(sealed(data)) is None
        assert read(sealed(compress_zstd(data))) is None


def test_another_kind_is_nothing() -> None:
    (layer, _), (model, _) = small_layer(), small_model()
    assert stacked_from_bytes(layer) is None
    assert layer_from_bytes(model) is None
    assert unpack("Layer", layer) is None


@pytest.mark.parametrize("change", [-1, 1, 255])
def test_another_format_is_nothing(monkeypatch: pytest.MonkeyPatch, change: int) -> None:
    monkeypatch.setattr(sealing, "_MAGIC", b"LAMINA" + struct.pack("<H", sealing.FORMAT + change))
    other, _ = small_layer()
    monkeypatch.undo()
    assert layer_from_bytes(other) is None


# -- whole files of strange content: the checksum is right, what it vouches for is not ---------------------------------


def sealed(body: bytes) -> bytes:
    """A container around any body, with the right checksum."""
    start = small_layer()[0][:8]
    return start + xxhash.xxh3_128_digest(body) + body


def container(header: Any, raw: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return sealed(compress_zstd(struct.pack("<I", len(text)) + text + raw))


@pytest.mark.parametrize(
    ("described", "raw"),
    [
        ([["a", "|O", [1]]], bytes(8)),  # objects are code
        ([["a", "|V8", [1]]], bytes(8)),
        ([["a", "<f8", [1]]], bytes(8)),
        ([["a", ">i8", [1]]], bytes(8)),
        ([["a", "|S8", [1]]], bytes(8)),
        ([["a", None, [1]]], bytes(8)),
        ([["a", ["<i8"], [1]]], bytes(8)),
        ([["a", {"x": "<i8"}, [1]]], bytes(8)),
        ([["a", "<i8", [2]]], bytes(8)),  # more than there is
        ([["a", "<i8", [1]]], bytes(7)),
        ([["a", "<i8", [1]]], bytes(16)),  # less than there is
        ([["a", "<i8", []], ["b", "<i8", [1]]], bytes(8)),
        ([["a", "<i8", [-1]]], bytes(8)),  # "all that is left", to numpy
        ([["a", "<i8", [-1, -1]]], bytes(8)),
        ([["a", "<i8", [-1, -8]]], bytes(64)),
        ([["a", "<i8", [1.0]]], bytes(8)),
        ([["a", "<i8", ["1"]]], bytes(8)),
        ([["a", "<i8", [True]]], bytes(8)),
        ([["a", "<i8", [None]]], bytes(8)),
        ([["a", "<i8", 1]], bytes(8)),
        ([["a", "<i8", [2**62, 4]]], bytes(8)),  # wraps to 0 in 64 bits
        ([["a", "<i8", [2**64]]], bytes(8)),
        ([["a", "<i8", [10**400]]], bytes(8)),
        ([["a", "<i8", [0, 2**63]]], b""),
        ([["a", "<i8", [1] * 100]], bytes(8)),  # more axes than numpy has
        ([["a", "<i8"]], bytes(8)),
        ([[["a"], "<i8", [1]]], bytes(8)),
        ("columns", b""),
        (None, b""),
        (7, b""),
    ],
)
def test_columns_that_lie_are_nothing(described: Any, raw: bytes) -> None:
    assert unpack("x", container({"kind": "x", "meta": {}, "columns": described}, raw)) is None


@pytest.mark.parametrize(
    "header",
    [
        *[[], {}, None, 3, "text", {"kind": "x"}, {"kind": "x", "columns": []}, {"kind": ["x"]}],
        *[b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"kind": "x", "meta": {}, "columns": [' + b"[" * 100_000],
    ],
)
def test_headers_of_another_shape_are_nothing(header: Any) -> None:
    assert unpack("x", container(header)) is None
    assert layer_from_bytes(container(header)) is None


def test_a_header_longer_than_the_file_is_nothing() -> None:
    assert unpack("x", sealed(compress_zstd(struct.pack("<I", 2**32 - 1) + b"{}"))) is None


def test_a_size_beyond_all_reason_is_not_unpacked() -> None:
    # A zstd frame may say how long it gets: this one says 2**62 bytes.
    frame = b"\x28\xb5\x2f\xfd" + b"\xe0" + struct.pack("<Q", 2**62) + b"\x01\0\0"
    assert unpack("x", sealed(frame)) is None


def repacked(data: bytes, what: str, meta: dict[str, Any], /, **changed: Any) -> bytes:
    """A container with some columns put in the place of others; None takes one away."""
    unpacked = unpack(what, data)
    assert unpacked is not None
    found = {**unpacked[1], **{name.replace("__", "."): column for name, column in changed.items()}}
    kept = {name: column for name, column in found.items() if column is not None}
    return pack(what, {**unpacked[0], **meta}, kept)


def i8(*numbers: int) -> np.ndarray[Any, Any]:
    return np.array(numbers, dtype=np.int64)


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": np.zeros(2, np.uint8)},
        {"kind": np.zeros(4, np.uint8)},
        {"kind": np.zeros((3, 1), np.uint8)},
        {"kind": np.full(3, 9, np.uint8)},  # no kind there is
        {"kind": np.ones(3, np.uint8)},  # hard links that lead nowhere
        {"kind": np.array(0, np.uint8)},
        {"kind": None},
        {"size": np.zeros(3, np.uint64)},
        {"size": np.zeros((3, 2), np.int64)},
        {"mode": np.zeros(3, np.uint8)},
        {"content": np.zeros(3, np.uint64)},
        {"content": np.zeros((3, 3), np.uint64)},
        {"content": np.zeros((2, 3), np.uint64)},
        {"content": None},
        {"keys": np.frombuffer(b"a\0\0b", np.uint8)},
        {"keys": np.frombuffer(b"a\0\0b\0\0c\0\0d", np.uint8)},
        {"keys": np.zeros(0, np.uint8)},
        {"keys": i8(97)},
        {"links__rows": i8(7)},
        {"links__rows": i8(-1)},
        {"links__rows": i8()},
        {"links__rows": i8(0, 1)},
        {"links__rows": np.zeros(1, np.uint8)},
        {"links__lengths": i8(2)},
        {"links__lengths": i8(-1, 2)},
        {"links__lengths": np.array([2**63, 2**63, 1], np.uint64)},
        {"links__bytes": i8(97)},
        {"xattrs__rows": i8(1)},
        {"xattrs__rows": None},
        {"devices": i8(2, 1, 2)},
        {"devices": i8(3, 1, 2).reshape(1, 3)},
        {"devices": i8(2, 1).reshape(1, 2)},
    ],
)
def test_a_layer_that_contradicts_itself_is_nothing(changed: dict[str, Any]) -> None:
    data, _ = small_layer()
    assert layer_from_bytes(repacked(data, "layer", {})) is not None
    assert layer_from_bytes(repacked(data, "layer", {}, **changed)) is None


@pytest.mark.parametrize("tar_size", [None, "1", 1.5, float("inf"), float("nan"), [], True])
def test_a_layer_of_no_size_is_nothing(tar_size: Any) -> None:
    data, _ = small_layer()
    assert layer_from_bytes(repacked(data, "layer", {"tar_size": tar_size})) is None


def test_every_column_of_a_stacked_image_is_checked() -> None:
    model = model_of(EVERYTHING, [whiteout("etc/hosts"), file("gnu", b"new")])
    data = stacked_to_bytes(model)
    unpacked = unpack("image", data)
    assert unpacked is not None
    for name, column in unpacked[1].items():
        wrong = [None, column.astype("<i2" if column.dtype != np.int16 else "<i4"), column[:-1], column[..., None]]
        if name not in ("xattr_texts.bytes", "link_texts.bytes", "paths.names"):
            wrong.append(np.concatenate([column, column[-1:]]))
        for number, other in enumerate(wrong):
            changed = {**unpacked[1], name: other}
            kept = {key: value for key, value in changed.items() if value is not None}
            if name in ("whiteouts", "sparse") and number in (2, 4):
                continue  # one more or less is a whole table too
            assert stacked_from_bytes(pack("image", unpacked[0], kept)) is None, f"{name}, change {number}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("path", 1000),
        ("path", -1),
        ("inode", 1000),
        ("inode", -2),
        ("link", 99),
        ("xattr", 99),
        ("kind", 99),
        ("paths.parent", 1000),
        ("paths.end", 1000),
        ("paths.end", 0),
        ("paths.lengths", 0),
        ("paths.lengths", 1000),
        ("dead.inode", 1000),
        ("dead.successor", 1000),
        ("dead.path", 1000),
        ("dead.hidden_by", 2),
        ("dead.provisional", 77),
        ("layer_start", 1000),
        ("layer_start", -1),
        ("whiteouts", 1000),
    ],
)
def test_a_stacked_image_whose_numbers_lead_nowhere_is_nothing(name: str, value: int) -> None:
    data = stacked_to_bytes(model_of(EVERYTHING, [whiteout("etc/hosts"), file("gnu", b"new")]))
    unpacked = unpack("image", data)
    assert unpacked is not None
    column = unpacked[1][name].copy()
    column.reshape(-1)[-2 if name == "whiteouts" else -1] = value
    assert stacked_from_bytes(pack("image", unpacked[0], {**unpacked[1], name: column})) is None


@pytest.mark.parametrize("implicit", [None, "3", -1, 10**6, 1.0])
def test_a_stacked_image_of_wrong_extent_is_nothing(implicit: Any) -> None:
    data, _ = small_model()
    assert stacked_from_bytes(repacked(data, "image", {"implicit": implicit})) is None


def test_figures_of_what_came_back_are_the_same() -> None:
    image = stack(EVERYTHING, [whiteout("etc/hosts")], [file("etc/hosts", 10)])
    again = stacked_from_bytes(stacked_to_bytes(StackedImage(image.union, image._facts)))
    assert again is not None
    final = again.union.alive(again.union.layer_count - 1)
    assert int(again.union.attributed_sizes(final).sum()) == image.visible
