"""Work and memory per byte: small archives that would hang a reader, or fill its memory.

Each test is given what took minutes or gigabytes where nothing bounds it; pytest's time limit tells a hang.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from builders import OCI, Image, Members, blob, descriptor, layer, old_docker, pack, put_image, write_layout
from lamina import limits
from lamina.errors import Cancelled, LaminaError
from lamina.figures.image import load
from lamina.layers.read import StreamScan
from lamina.sources.archive_tar import ArchiveTar
from lamina.sources.image_names import Known, image_names
from lamina.sources.json_checks import parse_json
from lamina.sources.stream_members import StreamMembers
from lamina.stack.paths import build_path_table
from lamina.stack.union import build_union
from lamina_tui.cli import main
from opening import resolve
from stacks import scan, stack
from tars import END, Member, directory, extension, file, header, layer_tar, pax_header, pax_record, written
from zstd_frames import compress_zstd

pytestmark = pytest.mark.timeout(20)


def peak_of(work: Callable[[], object]) -> int:
    """Bytes that Python held at the height of some work, whether or not that ended in an error."""
    tracemalloc.start()
    try:
        work()
    except LaminaError:
        pass
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return peak


# -- numbers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        (b"1e999980", 2**63 - 1),
        (b"-1e999980", -(2**63 - 1)),
        (b"1e-999980", 0),
        (b"1e999999999999999999", 2**63 - 1),
        (b"1e-05", 10_000),
        (b"1.5", 1_500_000_000),
        (b"-0.5", -500_000_000),
        (b"NaN", None),
        (b"Infinity", None),
        (b"9" * 63, 2**63 - 1),
    ],
)
def test_a_time_of_a_million_digits_costs_nothing(text: bytes, nanoseconds: int | None) -> None:
    tar = layer_tar(file("a", b"1", pax={b"mtime": text}))
    if nanoseconds is None:
        with pytest.raises(LaminaError, match="bad time"):
            scan(tar)
    else:
        assert scan(tar).mtime.tolist() == [nanoseconds]


def test_what_files_claim_to_hold_never_wraps_around() -> None:
    claimed = {b"GNU.sparse.major": b"1", b"GNU.sparse.minor": b"0", b"GNU.sparse.realsize": b"%d" % limits.FILE}
    member = written(file("a", b"", pax=claimed))
    most = limits.LAYER // limits.FILE
    assert scan(member * most + END).facts.size == limits.LAYER
    with pytest.raises(LaminaError, match=f"more than {limits.LAYER} bytes"):
        scan(member * (most + 1) + END)


# -- names, maps and attributes ----------------------------------------------------------------------------------------


def test_directories_that_no_layer_lists_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "IMPLIED", 1 << 20)
    deep = [file(b"%d/" % n + b"a/" * 1000 + b"b", b"1") for n in range(2)]
    with pytest.raises(LaminaError, match=f"more than {1 << 20} bytes of directory names"):
        stack(deep)
    assert stack(deep[:1]).files == 1


def test_the_names_of_a_layer_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "NAMES", 100_000)
    with pytest.raises(LaminaError, match="more than 100000 bytes of file names"):
        scan(layer_tar(*(file(b"%04d" % n + b"x" * 200) for n in range(500))))


def growth(work: Callable[[int], object], count: int) -> float:
    """How many times as long four times as much takes, at best: 4 where cost is linear, 16 where it is quadratic."""

    def seconds(amount: int) -> float:
        times = []
        for _ in range(3):
            since = time.perf_counter()
            work(amount)
            times.append(time.perf_counter() - since)
        return min(times)

    return seconds(4 * count) / seconds(count)


def test_unlisted_directories_cost_as_much_as_listed_ones() -> None:
    keys = [b"%d\0f" % n for n in range(200_000)]
    assert build_path_table([keys])[0].count == 400_001
    assert growth(lambda count: build_path_table([keys[:count]]), 50_000) < 8


def test_naming_images_takes_as_long_as_there_are_images() -> None:
    images = [Known((f"web:{n}",) if n % 2 else (), f"sha256:{n:064x}") for n in range(20_000)]
    assert growth(lambda count: image_names(images[:count], "store"), 5_000) < 8


def test_a_chain_of_sparse_maps_is_read_once_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    def sparse(blocks: int) -> bytes:
        first = bytearray(header(Member(b"s", b"S", size=0)))
        first[482] = 1
        first[483:495] = b"%011o\0" % 5
        first[148:156] = b" " * 8
        first[148:156] = b"%06o\0 " % sum(first)
        more = bytearray(512)
        more[504] = 1
        return bytes(first) + bytes(more) * (blocks - 1) + bytes(512) + END

    assert scan(sparse(30_000)).size.tolist() == [5]
    with pytest.raises(LaminaError, match=f"a sparse map of more than {limits.EXTENSION} bytes"):
        scan(sparse(limits.EXTENSION // 512 + 2))


def test_attributes_are_compared_and_not_kept() -> None:
    def with_attribute(value: bytes) -> Member:
        return file("a", b"1", pax={b"SCHILY.xattr.user.big": value})

    big = bytes(1 << 20)
    index = scan(layer_tar(*(with_attribute(big).but(name=b"%d" % n) for n in range(8))))
    assert sum(map(len, index.xattrs.values())) < 1000

    cause = [row.cause.word for row in stack([with_attribute(big)], [with_attribute(big)]).waste]
    other = [row.cause.word for row in stack([with_attribute(big)], [with_attribute(big[1:] + b"1")]).waste]
    assert (cause, other) == (["identical"], ["metadata"])


# -- pieces ------------------------------------------------------------------------------------------------------------


def test_an_extension_that_comes_byte_by_byte_is_joined_once() -> None:
    payload = pax_record(b"comment", bytes(15 << 20))
    data = gzip.compress(extension(b"x", payload)[: 14 << 20], mtime=0) + gzip.compress(b"\0", mtime=0) * 20_000
    scanning = StreamScan("layer", want_diff_id=True)
    for start in range(0, len(data), 1 << 16):
        scanning.feed(data[start : start + (1 << 16)])
    with pytest.raises(LaminaError):
        scanning.finish()


def test_the_tar_around_an_image_may_come_byte_by_byte_too() -> None:
    tar = ArchiveTar("x.tar", StreamMembers("x.tar"))
    data = extension(b"x", pax_record(b"comment", bytes(900_000)))
    for start in range(0, len(data), 7):
        tar.feed(data[start : start + 7])


def test_a_header_of_many_records_is_read_in_one_go() -> None:
    tar = ArchiveTar("x.tar", StreamMembers("x.tar"))
    tar.feed(extension(b"x", b"5 a=\n" * limits.PAX_RECORDS))


def test_a_damaged_record_around_an_image_is_an_error_with_its_place(tmp_path: Path) -> None:
    members = pack(old_docker(Image([layer(file("a", b"1"))])))
    path = tmp_path / "web.tar"
    for bad in (b"99 path=x\n", b"7 =abc\n", b"nonsense", b"12 path=abc", b"9 size=x\n"):
        path.write_bytes(extension(b"x", bad) + members)
        with pytest.raises(LaminaError, match="in the PAX header at byte 0: damaged"):
            resolve(str(path))[0].list()


# -- documents ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"[" + b"[[[]]]," * 300_000 + b"1]",
        b"[" + b"1," * (limits.VALUES + 1) + b"1]",
        b"[" * 100_000 + b"]" * 100_000,
        b'"' + b"x" * limits.DOCUMENT + b'"',
        b"1" * 5000,
    ],
    ids=["brackets", "values", "depth", "bytes", "digits"],
)
def test_a_document_is_bounded_before_it_is_parsed(data: bytes) -> None:
    with pytest.raises(LaminaError, match=r"^the config: "):
        parse_json(data, "the config")
    assert peak_of(lambda: parse_json(data, "the config")) < 3 * len(data) + (1 << 20)


def test_ten_thousand_images_of_one_archive_are_listed_and_found(tmp_path: Path) -> None:
    members = old_docker(Image([layer(file("a", b"1"))]))
    (row,) = json.loads(members["manifest.json"])
    configs = {f"{n}.json": members[row["Config"]] + b" " * n for n in range(10_000)}
    rows = [{**row, "Config": name, "RepoTags": [f"web:{name}"] if len(name) % 2 else None} for name in configs]
    path = tmp_path / "many.tar"
    path.write_bytes(pack({**members, **configs, "manifest.json": json.dumps(rows).encode()}))
    source, _ = resolve(str(path))
    found = source.list()
    assert len({summary.target for summary in found}) == 10_000
    assert load(source, found[-1].target).size == 1
    assert load(source, found[0].target).size == 1


def test_ten_thousand_names_of_one_image_are_one_image(tmp_path: Path) -> None:
    names = [f"web:{n}" for n in range(10_000)]
    members = old_docker(Image([layer(file("a", b"1"))]))
    (row,) = json.loads(members["manifest.json"])
    rows = [{**row, "RepoTags": [name]} for name in names]
    path = tmp_path / "many.tar"
    path.write_bytes(pack({**members, "manifest.json": json.dumps(rows).encode()}))

    layout: Members = {"oci-layout": b"{}"}
    row = put_image(layout, Image([layer(file("a", b"1"))]))
    rows = [{**row, "annotations": {"org.opencontainers.image.ref.name": name}} for name in names]
    layout["index.json"] = json.dumps({"manifests": rows}).encode()

    for target in (str(path), str(write_layout(tmp_path / "many", layout))):
        source, _ = resolve(target)
        (summary,) = source.list()
        assert list(summary.tags) == names
        for name in (names[0], names[-1]):
            assert load(source, name).info.id == summary.id


@pytest.mark.parametrize("count", [limits.LAYERS, limits.LAYERS + 1, 40_000])
def test_an_image_has_at_most_so_many_layers(count: int, tmp_path: Path) -> None:
    path = tmp_path / "many.tar"
    members = old_docker(Image([layer(file("a", b"1"))]))
    (row,) = json.loads(members["manifest.json"])
    config = json.loads(members[row["Config"]])
    config["rootfs"]["diff_ids"] *= count
    del config["history"]
    data = json.dumps(config).encode()
    rows = [{"Config": "config.json", "RepoTags": ["web:1"], "Layers": row["Layers"] * count}]
    path.write_bytes(pack({**members, "config.json": data, "manifest.json": json.dumps(rows).encode()}))
    source, _ = resolve(str(path))
    if count > limits.LAYERS:
        with pytest.raises(LaminaError, match=f"has {count} layers: more than {limits.LAYERS} are not read"):
            source.list()
    else:
        assert load(source, None).size == count


def test_an_encrypted_layer_is_called_what_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    members: Members = {"oci-layout": b"{}"}
    image = Image([layer(file("a", b"1"))])
    row = put_image(members, image)
    manifest = json.loads(members[blob(row["digest"])])
    manifest["layers"] = [descriptor(members, os.urandom(2000), f"{OCI}.layer.v1.tar+gzip+encrypted")]
    members["index.json"] = json.dumps(
        {"manifests": [descriptor(members, json.dumps(manifest).encode(), f"{OCI}.manifest.v1+json")]}
    ).encode()
    assert main(["report", str(write_layout(tmp_path / "secret", members))]) == 3
    assert "layer 0" in (said := capsys.readouterr().err)
    assert "is encrypted" in said


# -- records and maps --------------------------------------------------------------------------------------------------


def test_an_extended_header_of_many_records_is_refused() -> None:
    def tar(count: int) -> bytes:
        return extension(b"x", b"5 a=\n" * count) + written(file("a")) + END

    assert scan(tar(limits.PAX_RECORDS)).count == 1
    with pytest.raises(LaminaError, match=f"more than {limits.PAX_RECORDS} PAX records"):
        scan(tar(limits.PAX_RECORDS + 1))


def test_sparse_maps_are_not_kept() -> None:
    size = 1 << 20
    claimed = {b"GNU.sparse.size": b"10", b"GNU.sparse.map": b"0" * size}
    tar = b"".join(written(file(f"{n}", b"1234567890", pax=claimed)) for n in range(30)) + END
    assert peak_of(lambda: scan(tar)) < len(tar) // 4


def test_many_frames_of_a_few_bytes_cost_their_bytes() -> None:
    empty = compress_zstd(b"", 1)
    skippable = b"\x50\x2a\x4d\x18" + bytes(4)
    tar = layer_tar(file("a", b"1"))
    for frame in (empty, skippable):
        scanned = StreamScan("x")
        scanned.feed(compress_zstd(tar[:512], 1) + frame * (4_000_000 // len(frame)) + compress_zstd(tar[512:], 1))
        assert scanned.finish().count == 1


@pytest.mark.parametrize("number", [b" 0000644", b"   644 \0", b"644\0\0\0\0\0", b"\x80" + bytes(5) + b"\x01\xa4"])
def test_headers_with_odd_numbers_cost_little_more(number: bytes) -> None:
    plain = bytearray(header(file("a")))
    odd = with_mode(plain, number)
    assert scan(odd + END).mode.tolist() == [0o644]

    def seconds(block: bytes) -> float:
        begun = time.perf_counter()
        scan(block * 40_000 + END)
        return time.perf_counter() - begun

    assert seconds(odd) < 6 * seconds(bytes(plain))


def with_mode(block: bytearray, number: bytes) -> bytes:
    """A header with another mode field, its checksum written with blanks in front."""
    changed = bytearray(block)
    changed[100:108] = number
    changed[148:156] = b" " * 8
    changed[148:156] = b"%7o\0" % sum(changed)
    return bytes(changed)


# -- stacking ----------------------------------------------------------------------------------------------------------


def test_a_layer_that_comes_back_to_a_path_too_often_is_refused() -> None:
    often = [file("a", b"1"), directory("a")] * limits.ROUNDS
    with pytest.raises(LaminaError, match=f"again more than {limits.ROUNDS} times"):
        stack(often)
    half = limits.ROUNDS // 2
    assert stack(often[:half]).files == 0
    with pytest.raises(LaminaError, match="the layers up to 2 name their own paths again"):
        stack(often[:half], often[:half], often[:half])  # of all layers together


def test_layers_that_stand_a_thousand_times_count_as_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ROWS", 100)
    index = scan(layer_tar(file("a", b"1"), file("b", b"2")))
    assert build_union([index] * 50).layer_count == 50
    with pytest.raises(LaminaError, match="more than 100 members in the layers together"):
        build_union([index] * 51)


def test_stacking_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ROUNDS", 1 << 30)
    indexes: list[Any] = [scan(layer_tar(*[file("a", b"1"), directory("a")] * 4000))]
    cancel = threading.Event()
    threading.Timer(0.05, cancel.set).start()
    with pytest.raises(Cancelled):
        build_union(indexes * 20, cancel)


# -- as a user meets it ------------------------------------------------------------------------------------------------


def test_an_interrupt_ends_the_stacking_too(tmp_path: Path) -> None:
    path = tmp_path / "slow.tar"
    data = layer(*[file("a", b"1"), directory("a")] * 4000)
    path.write_bytes(pack(old_docker(Image([data + bytes(512 * n) for n in range(60)]))))
    unlimited = "import lamina.limits; lamina.limits.ROUNDS = 1 << 30; from lamina_tui.cli import run; run()"
    with subprocess.Popen(
        [sys.executable, "-c", unlimited, "report", str(path)], stderr=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        timer = threading.Timer(2, lambda: process.send_signal(2))
        timer.start()
        _, said = process.communicate(timeout=15)
    assert process.returncode == 130, said
    assert said == b""


def test_pax_headers_that_describe_nothing_are_no_way_round(tmp_path: Path) -> None:
    # Many extensions before one member: what they say is folded, not gathered.
    records = pax_header({b"SCHILY.xattr.user.x": bytes(1 << 20)})
    assert peak_of(lambda: scan(records * 40 + layer_tar(file("a", b"1")))) < 200 << 20
