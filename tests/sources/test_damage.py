"""Damaged archives: whatever is done to them, only a LaminaError of one line may come out."""

from __future__ import annotations

import gzip
import io
import itertools
import random
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from builders import (
    Compression,
    Image,
    Watcher,
    file,
    layer,
    new_docker,
    oci,
    old_docker,
    pack,
    sample_image,
    write_layout,
)
from lamina.model import LaminaError
from lamina.sources.archive import ArchiveSource
from lamina.sources.base import Source
from lamina.sources.layout import LayoutSource
from opening import resolve

IMAGE = sample_image(size=1200)
TWICE = Image([*IMAGE.layers, IMAGE.layers[0], b""], ("twice:1",))
FORMS: list[tuple[Callable[..., dict[str, bytes | str]], Compression]] = [
    (old_docker, "none"),
    (old_docker, "gzip"),
    (new_docker, "none"),
    (oci, "gzip"),
    (oci, "zstd"),
]
Make = Callable[[bytes], Source]


@pytest.fixture(params=["file", "stream", "outer gzip"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Bytes of an archive -> a source of them."""

    def as_file(data: bytes) -> Source:
        path = tmp_path / "damaged.tar"
        path.write_bytes(data)
        return ArchiveSource(str(path))

    def as_stream(data: bytes) -> Source:
        return resolve("-", stdin=io.BytesIO(data))[0]

    def as_gzip(data: bytes) -> Source:
        return as_stream(gzip.compress(data, 1))

    return {"file": as_file, "stream": as_stream, "outer gzip": as_gzip}[request.param]


def exercise(source: Source) -> bool:
    """Lists and reads everything; whether all of it went well."""
    complaints = [text for verify in (False, True) if (text := read_all(source, verify=verify))]
    for text in complaints:
        assert text.isprintable(), repr(text)
        assert len(text) < 2000
    return not complaints


def read_all(source: Source, *, verify: bool) -> str:
    """What the source complains of, "" for nothing."""
    try:
        for row in source.list():
            image = source.read(row.target, Watcher(), threading.Event(), verify=verify)
            assert None not in image.layers
    except LaminaError as error:
        return str(error)
    return ""


def cuts(length: int) -> Iterator[int]:
    """Places to cut: around every block, and others."""
    chance = random.Random(1)
    for block in range(0, length, 512):
        yield block
        yield block + chance.randrange(1, 512)


@pytest.mark.parametrize(("form", "how"), FORMS)
def test_truncated_anywhere(form: Callable[..., dict[str, bytes | str]], how: Compression, make: Make) -> None:
    data = pack(form(IMAGE, TWICE, how=how))
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        entries = tar.getmembers()
    end = entries[-1].offset_data + entries[-1].size
    mark = -(-end // 512) * 512  # the end mark; cut inside its first block, it may be a header's beginning
    # Cut between two members, before one that nothing needs, there is nothing to miss.
    spare = ("oci-layout", "repositories", *(("manifest.json",) if form is new_docker else ()))
    harmless = {
        length
        for before, entry in itertools.pairwise(entries)
        if entry.name in spare
        for length in range(before.offset_data + before.size, entry.offset + 1)
    }
    for length in cuts(len(data)):
        whole = exercise(make(data[:length]))
        complete = length >= end and not mark < length < mark + 512
        assert whole == (complete or length in harmless), f"cut at {length} of {len(data)}"


@pytest.mark.parametrize(("form", "how"), FORMS)
def test_bytes_flipped_anywhere(form: Callable[..., dict[str, bytes | str]], how: Compression, make: Make) -> None:
    data = pack(form(IMAGE, TWICE, how=how))
    chance = random.Random(f"{form.__name__} {how}")
    for _ in range(120):
        spoiled = bytearray(data)
        for _ in range(chance.choice((1, 1, 1, 5, 50))):
            spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
        exercise(make(bytes(spoiled)))


@pytest.mark.parametrize("form", [old_docker, new_docker, oci])
def test_documents_of_valid_json_with_anything_in_it(form: Callable[..., dict[str, bytes | str]], make: Make) -> None:
    chance = random.Random(7)
    values = [b"null", b"true", b"-1", b"1e999", b'"x"', b"[]", b"{}", b'"\\ud800"', b'"\\u0000"', b"[[]]", b'{"": 0}']
    for _ in range(80):
        members = form(IMAGE, how="none")
        name = chance.choice([n for n, c in members.items() if isinstance(c, bytes) and c[:1] in (b"{", b"[")])
        content = members[name]
        assert isinstance(content, bytes)
        spots = [i for i in range(len(content)) if content[i : i + 1] in b'"[{']
        start = chance.choice(spots)
        end = min(len(content), start + chance.randrange(1, 90))
        members[name] = content[:start] + chance.choice(values) + content[end:]
        exercise(make(pack(members)))


def test_a_layout_with_bytes_flipped(tmp_path: Path) -> None:
    chance = random.Random(3)
    members = oci(IMAGE, TWICE)
    for number in range(80):
        name = chance.choice(sorted(members))
        content = members[name]
        assert isinstance(content, bytes)
        spoiled = bytearray(content or b"x")
        spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
        folder = write_layout(tmp_path / str(number), {**members, name: bytes(spoiled)})
        exercise(LayoutSource(str(folder)))


def test_members_in_any_order_and_any_number(make: Make) -> None:
    members = old_docker(IMAGE, TWICE)
    extra = {f"{'x' * n}": b"y" * n for n in range(1, 120)}
    order = [*members, *extra]
    random.Random(5).shuffle(order)
    assert exercise(make(pack(members | extra, order=order)))


def test_a_bomb_is_read_without_holding_it(make: Make) -> None:
    # 64 MiB of zeros in some 60 KiB: what matters is that it ends, with the right answer.
    bomb = Image([layer(file("zeros", bytes(64 << 20)))])
    assert exercise(make(pack(oci(bomb, how="gzip"))))
