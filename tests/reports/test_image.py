"""The report: its schema to the letter, its JSON lossless, its texts harmless."""

from __future__ import annotations

import base64
import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from lamina.figures.base import Base, base_of
from lamina.figures.image import LoadedImage, compute
from lamina.model import ImageInfo
from lamina.reports.image import build
from lamina.reports.json_text import Json, to_json
from lamina.reports.text import to_markdown, to_text
from lamina.sources.base import ReadImage
from random_layers import Layers, layer_stacks
from stacks import image_info, opened, scan, stack
from tars import Member, file, hardlink, layer_tar, symlink, whiteout

# The schema lamina.report/1. A type stands for a value of exactly that type, a set for one of several.

NUMBER = int
OPTIONAL_NUMBER = frozenset({int, type(None)})
TEXT = str
OPTIONAL_TEXT = frozenset({str, type(None)})

TALLY = {"count": NUMBER, "bytes": NUMBER}
LAYER = {
    "index": NUMBER,
    "diff_id": TEXT,
    "digest": OPTIONAL_TEXT,
    "chain_id": TEXT,
    "instruction": TEXT,
    "created": OPTIONAL_TEXT,
    "size": NUMBER,
    "tar_size": NUMBER,
    "blob_size": OPTIONAL_NUMBER,
    "files": NUMBER,
    "added": TALLY,
    "modified": TALLY,
    "metadata": TALLY,
    "removed": TALLY,
    "wasted": NUMBER,
    "hides": NUMBER,
}
WASTE = {"path": TEXT, "bytes": NUMBER, "cause": TEXT, "layer": NUMBER, "hidden_by": NUMBER}
IMAGE = {
    "target": TEXT,
    "tags": [TEXT],
    "id": TEXT,
    "platform": TEXT,
    "created": OPTIONAL_TEXT,
    "size": NUMBER,
    "visible": NUMBER,
    "wasted": NUMBER,
    "efficiency": float,
    "files": NUMBER,
    "blob_size": OPTIONAL_NUMBER,
    "dive": {"efficiency": float, "wasted": NUMBER, "user_wasted_ratio": frozenset({float, type(None)})},
    "layers": [LAYER],
    "waste": [WASTE],
    "duplicates": [{"size": NUMBER, "copies": NUMBER, "bytes": NUMBER, "paths": [{"path": TEXT}]}],
    "packages": frozenset({list, type(None)}),  # test_packages.py looks into them
    "unowned": OPTIONAL_NUMBER,
    "package_records": frozenset({dict, type(None)}),
    "base": frozenset({dict, type(None)}),
    "advice": [
        {
            "rule": TEXT,
            "severity": TEXT,
            "saves": NUMBER,
            "layers": [NUMBER],
            "hidden_by": OPTIONAL_NUMBER,
            "cause": OPTIONAL_TEXT,
            "changes": OPTIONAL_NUMBER,
            "instruction": OPTIONAL_TEXT,
            "paths": {"count": NUMBER, "first": [TEXT]},
            "text": TEXT,
            "do": TEXT,
            "line": type(None),
            "in_base": bool,
        }
    ],
}
PAIR = {
    "a": NUMBER,
    "b": NUMBER,
    "shared": NUMBER,
    "pull_b_given_a": NUMBER,
    "pull_a_given_b": NUMBER,
    "compressed": bool,
}
SHARING = {
    "sum": NUMBER,
    "on_disk": NUMBER,
    "reclaimable": OPTIONAL_NUMBER,
    "images": [
        {
            "image": NUMBER,
            "size": NUMBER,
            "unique": NUMBER,
            "shared": NUMBER,
            "frees": NUMBER,
            "shared_with": NUMBER,
            "layers": NUMBER,
        }
    ],
    "layers": [{"diff_id": TEXT, "size": NUMBER, "images": [NUMBER], "instruction": TEXT}],
    "pairs": [PAIR],
}
ALONE = {"schema": TEXT, "images": [IMAGE]}
SET = {**ALONE, "sharing": SHARING}


def departures(value: Any, schema: Any, where: str = "report") -> list[str]:
    """Where a value is not what the schema says."""
    if isinstance(schema, dict):
        if type(value) is not dict:
            return [f"{where} is no object"]
        keys = set(value)
        # Beside any path that is not UTF-8, any instruction that is no valid text.
        keys -= {f"{key}_base64" for key in ("path", "instruction") if key in schema}
        found = [f"{where} has keys {sorted(keys ^ set(schema))} too many or too few"] if keys != set(schema) else []
        return found + [
            line for key in keys & set(schema) for line in departures(value[key], schema[key], f"{where}.{key}")
        ]
    if isinstance(schema, list):
        if type(value) is not list:
            return [f"{where} is no list"]
        return [line for row, item in enumerate(value) for line in departures(item, schema[0], f"{where}[{row}]")]
    types = schema if isinstance(schema, frozenset) else {schema}
    return [] if type(value) in types else [f"{where} is a {type(value).__name__}"]


def as_read(report: Json) -> Any:
    """What a script gets of it."""
    return json.loads(to_json(report))


CONTENT = b"the same content at two places " * 300

EVIL = "e\x1b]0;x\x07\x9b2J\u202e\n\r\t\u200b\udcff\ud800\U000e0001|`*_<b>[/red]&"
"""A name with everything that acts on a terminal, on Markdown, or on a careless encoder."""
EVIL_BYTES = b"e\x1b]0;x\x07\xc2\x9b2J\xe2\x80\xae\n\r\t\xff|`*_<b>[/red]&"


def base_layer() -> list[Member]:
    return [file("big", 50_000), file("a", CONTENT), file("b", CONTENT), file("tmp/left", 20_000), symlink("s", "a")]


def full() -> list[LoadedImage]:
    """Two images with something in every list of the report."""
    one = stack(base_layer(), [whiteout("big"), file("a", CONTENT, mode=0o600)])
    two = stack(base_layer(), [file(b"\xff/" + EVIL_BYTES, 9000)], [whiteout(b"\xff")], instructions=[EVIL] * 3)
    return [one, two]


def test_one_image_has_exactly_the_keys_of_the_schema() -> None:
    report = build(full()[:1])

    assert departures(as_read(report), ALONE) == []
    assert report["schema"] == "lamina.report/1"
    for part in ("layers", "waste", "duplicates", "advice", "tags"):
        assert report["images"][0][part], f"{part} is empty: nothing of it is tested"


def test_two_images_have_the_sharing_too() -> None:
    report = build(full())

    assert departures(as_read(report), SET) == []
    for part in ("images", "layers", "pairs"):
        assert report["sharing"][part], f"{part} is empty: nothing of it is tested"


def test_no_image_at_all() -> None:
    assert departures(as_read(build([])), ALONE) == []
    assert to_text(build([])) == ""


def test_an_image_without_layers() -> None:
    report = build([stack()])

    assert departures(as_read(report), ALONE) == []
    assert (report["images"][0]["efficiency"], report["images"][0]["blob_size"]) == (1.0, 0)
    assert "0 layers" in to_text(report)


@given(layer_stacks(max_layers=3))
@settings(max_examples=40)
def test_any_image_keeps_to_the_schema(layers: Layers) -> None:
    image = stack(*layers)
    report = build([image])

    assert departures(as_read(report), ALONE) == []
    assert json.loads(to_json(report)) == report
    (row,) = report["images"]
    assert row["size"] == row["visible"] + row["wasted"]
    assert sum(waste["bytes"] for waste in row["waste"]) == row["wasted"]
    assert sum(layer["wasted"] for layer in row["layers"]) == row["wasted"]
    to_text(report)
    to_markdown(report)


def test_the_figures_are_those_of_the_image() -> None:
    image = full()[0]
    (row,) = build([image])["images"]

    assert {key: row[key] for key in ("size", "visible", "wasted", "efficiency", "files")} == {
        "size": image.size,
        "visible": image.visible,
        "wasted": image.wasted,
        "efficiency": image.visible / image.size,
        "files": 4,
    }
    assert [(waste["path"], waste["bytes"], waste["cause"]) for waste in row["waste"]] == [
        ("big", 50_000, "removed"),
        ("a", len(CONTENT), "metadata"),
    ]
    assert row["duplicates"] == [
        {"size": len(CONTENT), "copies": 2, "bytes": len(CONTENT), "paths": [{"path": "a"}, {"path": "b"}]}
    ]
    assert [layer["index"] for layer in row["layers"]] == [0, 1]


def with_info(image: LoadedImage, **changes: object) -> LoadedImage:
    return replace(image, info=replace(image.info, **changes))  # type: ignore[arg-type]


def with_blob_sizes(*sizes: int | None) -> LoadedImage:
    image = stack(*([file(f"f{number}", 10)] for number in range(len(sizes))))
    layers = tuple(replace(layer, blob_size=size) for layer, size in zip(image.info.layers, sizes, strict=True))
    return with_info(image, layers=layers)


@pytest.mark.parametrize(
    ("sizes", "total"), [((5, 7), 12), ((5, None), None), ((None, None), None), ((0, 0), 0), ((), 0)]
)
def test_blob_sizes_are_summed_only_where_all_are_known(sizes: tuple[int | None, ...], total: int | None) -> None:
    (row,) = build([with_blob_sizes(*sizes)])["images"]

    assert row["blob_size"] == total
    assert [layer["blob_size"] for layer in row["layers"]] == list(sizes)


def test_what_is_unknown_is_null() -> None:
    info = ImageInfo(target="t", id="sha256:0", layers=image_info(1).layers, created=None)
    layers = tuple(replace(layer, created=None) for layer in info.layers)
    image = compute(ReadImage(replace(info, layers=layers), [scan(layer_tar())]), "x", threading.Event())

    report = build([image])

    assert departures(as_read(report), ALONE) == []
    (row,) = report["images"]
    assert (row["created"], row["blob_size"], row["layers"][0]["created"], row["layers"][0]["digest"]) == (None,) * 4
    assert row["dive"]["user_wasted_ratio"] is None
    assert row["tags"] == []
    assert "t ·" in to_text(report), "an image without a tag is called by its target"


# Lossless JSON.


def test_json_gives_back_every_value() -> None:
    report = build(full())

    assert json.loads(to_json(report)) == report


def test_json_is_plain_ascii_in_lines() -> None:
    text = to_json(build(full()))

    assert text.isascii()
    assert text.endswith("\n")
    assert [char for char in text if not char.isprintable() and char != "\n"] == []


@pytest.mark.parametrize("key", ["target", "id", "platform", "created", "tags", "instruction"])
def test_json_holds_no_lone_surrogate_which_strict_readers_refuse(key: str) -> None:
    """jq 1.6 ends with an error at one."""
    hostile = "a\ud800b\udcff"
    image = stack([file("a", 1)], instructions=[hostile if key == "instruction" else "RUN x"])
    if key != "instruction":
        image = with_info(image, **{key: (hostile,) if key == "tags" else hostile})

    text = to_json(build([image]))

    json.dumps(json.loads(text), ensure_ascii=False).encode("utf-8")


def test_paths_that_are_not_utf_8_are_lossless() -> None:
    names = [b"\xff", b"a\xffb", "Zoë".encode(), "\ufffd".encode(), b"\xed\xa0\x80", b"plain"]
    image = stack([file(name, number + 1) for number, name in enumerate(names)], [whiteout(name) for name in names])
    rows = json.loads(to_json(build([image])))["images"][0]["waste"]

    found = [base64.b64decode(row["path_base64"]) if "path_base64" in row else row["path"].encode() for row in rows]

    assert found == list(reversed(names))
    assert ["path_base64" in row for row in rows] == [False, True, False, False, True, True]
    assert all("\ufffd" in row["path"] for row in rows if "path_base64" in row)


def test_duplicate_paths_that_are_not_utf_8_are_lossless() -> None:
    image = stack([file(b"\xff1", CONTENT), file(b"\xff2", CONTENT)])
    (row,) = json.loads(to_json(build([image])))["images"][0]["duplicates"]

    assert [base64.b64decode(path["path_base64"]) for path in row["paths"]] == [b"\xff1", b"\xff2"]


def test_instructions_are_whole_and_raw() -> None:
    instruction = EVIL + "x" * 10_000

    (layer,) = json.loads(to_json(build([stack([file("a", 1)], instructions=[instruction])])))["images"][0]["layers"]

    found = layer["instruction"]
    if "instruction_base64" in layer:  # only where it is no valid text
        found = base64.b64decode(layer["instruction_base64"]).decode("utf-8", "surrogatepass")
    assert found == instruction


# Harmless texts.


def evil_image() -> LoadedImage:
    name = EVIL_BYTES
    image = stack(
        [file(name, CONTENT), file(b"copy" + name, CONTENT), file(b"gone" + name, 60_000), hardlink(b"l" + name, name)],
        [whiteout(b"gone" + name)],
        instructions=[EVIL, f"RUN {EVIL}"],
    )
    return with_info(image, target=EVIL, tags=(EVIL, EVIL + "2"), platform=EVIL, id=EVIL, created=EVIL)


@pytest.mark.parametrize("write", [to_text, to_markdown], ids=["text", "markdown"])
@pytest.mark.parametrize("count", [1, 2])
def test_nothing_that_acts_on_a_terminal_is_written(write: Any, count: int) -> None:
    text = write(build([evil_image()] * count))

    assert [char for char in text if not char.isprintable() and char != "\n"] == []
    text.encode("utf-8")
    assert "\\x1b" in text, "the name is not shown at all"


@pytest.mark.parametrize("write", [to_text, to_markdown], ids=["text", "markdown"])
def test_a_newline_in_a_name_breaks_no_line(write: Any) -> None:
    """An image of the same shape with plain names has as many lines."""
    plain = stack(
        [file("n", CONTENT), file("copyn", CONTENT), file("gonen", 60_000), hardlink("ln", "n")], [whiteout("gonen")]
    )

    assert write(build([evil_image()])).count("\n") == write(build([plain])).count("\n")


def cells(line: str) -> list[str]:
    """The cells of a Markdown table's row."""
    return line.replace("\\\\", "").replace("\\|", "").strip("|").split("|")


def test_names_can_not_break_a_markdown_table_nor_bring_html() -> None:
    text = to_markdown(build([evil_image()] * 2))
    tables = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]

    assert len(tables) >= 3
    for table in tables:
        assert {len(cells(line)) for line in table} == {len(cells(table[1]))}
    bare = text.replace("\\\\", "")
    for mark in "<>`[]":
        assert bare.count(mark) == bare.count(f"\\{mark}"), f"an unescaped {mark}"


def test_the_text_tells_the_figures() -> None:
    text = to_text(build(full()[:1]))

    for part in (
        "test:latest",
        "linux/amd64",
        "2 layers",
        "metadata",
        "removed",
        "big",
        "dive",
        "Duplicates",
        "Advice",
    ):
        assert part in text


def test_the_text_tells_how_much_is_left_out() -> None:
    files = [file(f"f{number:03}", 100 + number) for number in range(100)]

    text = to_text(build([stack(files, [whiteout(f"f{number:03}") for number in range(100)])]))

    shown = sum(1 for line in text.splitlines() if " removed " in line and line.rstrip()[-4:-3] == "f")
    assert f"and {100 - shown} more files" in text
    assert 0 < shown < 100


def test_the_text_of_a_set_tells_the_sharing() -> None:
    report = build(full())
    text, markdown = to_text(report), to_markdown(report)

    assert "Sharing among 2 images: " in text
    assert "## Sharing" in markdown


def test_a_report_of_an_archive_equals_that_of_the_same_layers_hashed_in_passing(tmp_path: Path) -> None:
    """But for the head, which the archive knows better."""
    layers = [base_layer(), [whiteout("big"), file("a", CONTENT, mode=0o600)]]
    (one,), (other,) = (build([image])["images"] for image in (stack(*layers), opened(tmp_path, *layers)))
    head = {"target", "tags", "id", "platform", "created", "blob_size"}
    head |= {"packages", "unowned", "package_records"}  # of layers that have gone by none can be read
    layer_head = {"diff_id", "digest", "chain_id", "created", "blob_size"}

    def figures(image: dict[str, Any]) -> dict[str, Any]:
        kept = {key: value for key, value in image.items() if key not in head}
        kept["layers"] = [
            {key: value for key, value in layer.items() if key not in layer_head} for layer in image["layers"]
        ]
        # What is only to be known is in the config, and in contents.
        kept["advice"] = [row for row in image["advice"] if row["saves"]]
        return kept

    assert figures(one) == figures(other)


def test_a_cancelled_report_says_so_or_is_whole(tmp_path: Path) -> None:
    from lamina.model import Cancelled

    image = opened(tmp_path, base_layer())
    cancel = threading.Event()
    cancel.set()
    try:
        assert build([image], cancel) == build([image])
    except Cancelled:
        assert build([image])["images"][0]["duplicates"]


def test_a_base_and_the_advice_that_is_for_it() -> None:
    image = stack([file("a", 50_000), file("own", 9_000)], [whiteout("a")], [file("own", 9_000, mode=0o600)])
    history = [{"created_by": "ADD"}, {"created_by": "RUN"}, {"created_by": "CMD x", "empty_layer": True}, {}]

    image = with_info(image, config={"history": history})
    image.base = base_of(image.info)

    document = as_read(build([image]))

    (told,) = document["images"]
    own = {"layers": 1, "size": 9_000, "wasted": 9_000}
    assert told["base"] == {"layers": 2, "name": None, "by": "history", "size": 59_000, "own": own}
    assert [(row["saves"], row["in_base"]) for row in told["advice"]] == [(9_000, False), (50_000, True)]
    for shown in (to_text(document), to_markdown(document)):
        (line,) = (line for line in shown.splitlines() if "50.0 K" in line and "layer 0 ships" in line)
        assert line.replace("\\", "").endswith("(the base, layers 0 to 1)")


def test_what_only_the_base_can_mend_is_left_out_where_own_layers_are_asked_for() -> None:
    image = stack([file("a", 50_000)], [whiteout("a")], [file("own", 9_000)], [whiteout("own")])
    image.base = Base(2, "flag", "os:1\x1b")

    document = as_read(build([image], own=True))

    (told,) = document["images"]
    assert [row["path"] for row in told["waste"]] == ["own"]
    assert [row["layers"] for row in told["advice"]] == [[2]]
    assert (told["wasted"], told["base"]["own"]["wasted"]) == (59_000, 9_000)
    line = "built on os:1x1b (2 layers, 50.0 KB; as was said), own 9.0 KB in 2 layers, 9.0 KB avoidable"
    for shown in (to_text(document), to_markdown(document)):
        assert line in shown.replace("\\", "")
        assert "of its own layers" in shown
        assert "50.0 K  " not in shown.partition("of its own layers")[2]
