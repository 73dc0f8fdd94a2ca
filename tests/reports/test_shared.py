"""What a set of images shares, in full: against counting one by one, and as JSON, text and Markdown."""

from __future__ import annotations

import io
import json
import threading
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import Image, file, layer, old_docker, pack
from lamina.figures.image import LoadedImage, load
from lamina.figures.image_set import image_set
from lamina.model import ImageSummary, KnownImage, LayerInfo
from lamina.reports.json_text import to_json
from lamina.reports.shared import build, build_known
from lamina.reports.sharing_text import sharing_markdown, sharing_text
from lamina_tui.cli import main
from opening import resolve

# A layer of these tests is a letter; the size of its one file is its number.
SIZES = {letter: 7 * 10**number for number, letter in enumerate("abcd", 1)}


@cache
def loaded(letters: str) -> LoadedImage:
    """An image of some layers, lowest first, read from an archive."""
    image = Image(
        [layer(file(f"in/{letter}", letter.encode() * SIZES[letter])) for letter in letters], tags=(f"{letters}:1",)
    )
    source, _ = resolve("-", stdin=io.BytesIO(pack(old_docker(image))))  # type: ignore[arg-type]
    return load(source, None, None, threading.Event())


def total(letters: set[str] | str) -> int:
    return sum(SIZES[letter] for letter in letters)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text("abcd", min_size=1, max_size=4), min_size=1, max_size=4))
def test_any_set_gives_what_counting_one_by_one_gives(images: list[str]) -> None:
    found = image_set([loaded(letters) for letters in images])

    for number, letters in enumerate(images):
        others = images[:number] + images[number + 1 :]
        chains = {letters[: end + 1] for letters in others for end in range(len(letters))}
        mine = [letters[: end + 1] for end in range(len(letters))]
        assert found.frees[number] == sum(SIZES[chain[-1]] for chain in mine if chain not in chains)
        assert {held.size for held in found.own[number]} == {SIZES[x] for x in set(letters) - set("".join(others))}
        new = set(letters) - set("".join(others))
        assert (found.adds[number].bytes > 0) == bool(new)
        for other in range(len(images)):
            if other != number:
                assert found.shared(number, other) == total(set(letters) & set(images[other]))
    counts = [(len(held.images), held.size) for held in found.layers]
    assert counts == sorted(counts, reverse=True)
    assert sorted(size for _, size in counts) == sorted(SIZES[letter] for letter in set("".join(images)))


def test_the_json_of_read_images() -> None:
    report = json.loads(to_json(build([loaded("ab"), loaded("ac"), loaded("bd")])))

    assert report["schema"] == "lamina.report/1"
    assert [image["tags"] for image in report["images"]] == [["ab:1"], ["ac:1"], ["bd:1"]]
    assert set(report["images"][0]) == {"target", "tags", "id", "platform", "created", "size"}
    sharing = report["sharing"]
    assert sharing["sum"] == total("ab") + total("ac") + total("bd")
    assert sharing["on_disk"] == total("abc") + total("bd")
    assert sharing["images"][0] == {
        "image": 0,
        "size": total("ab"),
        "unique": 0,
        "shared": total("ab"),
        "frees": SIZES["b"],  # on this base nobody else has it
        "shared_with": 1,
        "layers": 2,
    }
    assert [(row["size"], row["images"]) for row in sharing["layers"]] == [(SIZES["b"], [0, 2]), (SIZES["a"], [0, 1])]
    assert sharing["layers"][1]["instruction"] == "step 0"
    pair = sharing["pairs"][0]
    assert (pair["a"], pair["b"], pair["shared"], pair["compressed"]) == (0, 1, SIZES["a"], False)
    assert pair["pull_b_given_a"] > SIZES["c"]


def known(name: str, *sizes: int | None, tags: tuple[str, ...] = ("x:1",), containers: int = 0) -> KnownImage:
    digests = [f"sha256:{name if n else ''}{n}" for n in range(len(sizes))]
    layers = tuple(LayerInfo(n, digest, digest) for n, digest in enumerate(digests))
    return KnownImage(ImageSummary(f"sha256:{name * 64}", "id", tags, size=900), layers, sizes, containers)


def test_the_json_of_an_engines_images_has_null_for_what_is_not_known() -> None:
    report = build_known([known("1", 500, 40), known("2", 500, None, tags=()), known("3", 500, 7, containers=2)])
    sharing = report["sharing"]

    assert sharing["images"][1]["unique"] is None
    assert sharing["images"][1]["frees"] is None
    assert sharing["images"][0]["frees"] == 40
    assert sharing["reclaimable"] == 40
    assert [pair["shared"] for pair in sharing["pairs"]] == [None, 500, None]
    assert {pair["pull_b_given_a"] for pair in sharing["pairs"]} == {None}
    text = sharing_text(report)
    assert "40 B reclaimable, 1 dangling" in text
    assert "222222222222\n" in text
    assert "?" in text


def test_text_and_markdown() -> None:
    report = build([loaded("ab"), loaded("ac")])
    text = sharing_text(report)

    assert text.startswith("2 images: 7.8 KB in all, 7.8 KB on disk, 70 B saved by sharing\n")
    assert "1 layer in two or more images:" in text
    assert "2 × ab:1, ac:1" in text
    assert "ab:1 → ac:1  (uncompressed)" in text
    assert "| ab\\:1 |" in sharing_markdown(report) or "| ab:1 |" in sharing_markdown(report)


@pytest.mark.parametrize("count", [6, 7])
def test_pairs_are_left_out_where_they_are_too_many(count: int) -> None:
    report = build([loaded("a")] * count)

    assert ("pull →" in sharing_text(report)) == (count == 6)
    assert len(report["sharing"]["pairs"]) == count * (count - 1) // 2


def test_of_one_image_and_of_none() -> None:
    assert "1 image: 70 B in all" in sharing_text(build([loaded("a")]))
    assert "0 images" in sharing_text(build_known([]))
    assert "0 images" in sharing_markdown(build_known([]))


def test_report_and_shared_write_the_same_sharing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [tmp_path / "one.tar", tmp_path / "two.tar"]
    base = layer(file("base", b"b" * 100))
    for path, top in zip(paths, (b"1" * 10, b"2" * 20), strict=True):
        path.write_bytes(pack(old_docker(Image([base, layer(file("top", top))], (f"{path.stem}:1",)))))

    said = []
    for command in ("report", "shared"):
        assert main([command, *map(str, paths), "--json"]) == 0
        said.append(json.loads(capsys.readouterr().out))

    report, shared = said
    assert set(report["sharing"]) == set(shared["sharing"])
    for key, value in report["sharing"].items():
        assert value == shared["sharing"][key], key
    assert report["sharing"]["images"][0]["frees"] == 10
    assert report["sharing"]["layers"][0]["instruction"] == "step 0"
