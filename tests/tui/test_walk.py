"""A walk over every row of every view: what is drawn adds up, stands in order, and its bars are as long as they say.

``LAMINA_WALK=TARGET`` walks over an image of yours, and longer, in place of the large one that is made here.
"""

from __future__ import annotations

import os
import random
from itertools import pairwise

import pytest

from builders import Image, archive, old_docker
from driving import Drive, Driven
from lamina.figures.duplicates import Duplicate
from lamina_tui import texts
from lamina_tui.widgets.set_lists import HeldList, MemberList
from tars import Member, directory, file, layer_tar, whiteout
from tui.walking import eighths, length, shown, walk_files, walk_list

WIDTH = 120
MANY = 100_000


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An image of more than 100,000 members: packages, a chmod of a part, folders that go, files that grow."""
    if "LAMINA_WALK" in os.environ:
        return os.environ["LAMINA_WALK"]
    dice = random.Random(7)
    folders = [f"srv/{'abcdefgh'[number % 8]}/p{number}/lib" for number in range(1500)]
    names = [f"{folder}/{'xyz'[n % 3]}{n}{('.js', '.so.1', '', '.MD')[n % 4]}" for folder in folders for n in range(48)]
    sizes = {name: int(dice.lognormvariate(3, 2)) for name in names}
    again = names[: len(names) // 3]
    later = [f"opt/{number % 200}/{number}" for number in range(8000)]

    def files(chosen: list[str], **how: object) -> list[Member]:
        return [file(name, sizes.get(name, 11), uid=n % 3, **how) for n, name in enumerate(chosen)]

    layers = [
        [directory("srv"), *files(names)],
        files(again, mode=0o600),
        [whiteout(folder) for folder in folders[100:300]],
        [*files(later), file(names[-1], 9_000_000), file(names[0], 0)],
    ]
    assert sum(map(len, layers)) > MANY
    image = Image([layer_tar(*members) for members in layers], tags=("large:1",))
    folder = tmp_path_factory.mktemp("large")
    _ = archive(folder, old_docker(image))
    return str(folder / "image.tar")


async def walk_image(screen: Driven, *, every: bool) -> int:
    """All that one image's screen can show."""
    image = screen.image
    assert image.info is not None
    files, last = image.files, len(image.info.layers) - 1
    views = [("upto", last), *(("layer", layer) for layer in range(last + 1))]
    if every:
        views += [(mode, layer) for mode in ("upto", "range") for layer in range(last)]
    rows = 0
    for mode, layer in views:
        image.viewpoint.mode, image.viewpoint.layer = mode, layer
        image.show_view()
        files.action_unfold_all()
        rows += walk_files(files, WIDTH)
        if every:
            for key in ("removed", "name"):
                files.action_sort_by(key) if key == "name" else files.title_clicked(key)
                rows += walk_files(files, WIDTH) + walk_files(files, 60)
            files.action_sort_by("size")
            files.action_join()
            rows += walk_files(files, WIDTH)
            files.action_join()
    for grouping in ("list", "extension", "owner") if every else ():
        files.group_by(grouping)
        files.action_unfold_all()
        rows += walk_list(files, WIDTH)
    files.group_by("tree")
    return rows + walk_layers(screen) + await walk_waste(screen) + await walk_rest(screen)


def walk_layers(screen: Driven) -> int:
    """The layer list: sizes and waste add up to the image's, and what hides is what is wasted."""
    layers, image = screen.image.layer_list, screen.image.image
    assert image is not None
    assert sum(layer.size for layer in image.layers) == image.size
    assert sum(layer.wasted for layer in image.layers) == image.wasted
    assert sum(layer.hides for layer in image.layers) == image.wasted
    largest = max(layer.size for layer in image.layers)
    for index, layer in enumerate(image.layers):
        text = shown(layers, index, 100)
        assert text.split()[: 1 + 2 * 3][0] == str(index)
        for value in (layer.size, layer.wasted, layer.hides):
            assert f" {texts.size(value)} " in text
        bar = text[28:38].replace("▒", "█")
        whole = length(layer.size, largest, 10)
        assert abs(eighths(bar) - whole) < 8 if "▒" in text[28:38] else eighths(bar) == whole, text
        assert text[28:38].count("▒") == min(eighths(bar) // 8, round(layer.wasted / (largest or 1) * 10)), text
    return len(image.layers)


async def walk_waste(screen: Driven) -> int:
    """Waste by file, by directory, by layer: every grouping has all of it."""
    waste, image, rows = screen.image.waste, screen.image.image, 0
    assert image is not None
    assert waste.table is not None
    for grouping in ("file", "directory", "layer"):
        waste.group_by(grouping)
        waste._open = set(range(len(waste.groups)))
        waste._arrange(0)
        left, of_group, last, last_group = image.wasted, 0, None, None
        for index in range(waste.row_count()):
            text = shown(waste, index, WIDTH)
            group = waste._group_at(index)
            value = waste._row_at(index).bytes if group is None else group.bytes
            assert text[:8].strip() == texts.size(value)
            assert eighths(text[10:18]) == length(value, image.wasted, 8), text
            if group is None:
                assert last is None or value <= last, text
                left, of_group, last = left - value, of_group - value, value
            else:
                assert of_group == 0, text
                assert last_group is None or value <= last_group, text
                of_group, last, last_group = value, None, value
        assert left == 0
        assert grouping == "file" or of_group == 0
        rows += waste.row_count()
    return rows


async def walk_rest(screen: Driven) -> int:
    """Duplicates, advice, the overview: in order, and no more than there is."""
    image = screen.image.image
    assert image is not None
    await screen.press("5")
    found = screen.image.duplicates.found
    assert found is not None
    assert in_order([copies.bytes for copies in found])
    for index, copies in enumerate(found):
        assert isinstance(copies, Duplicate)
        assert copies.bytes == copies.size * (len(copies.paths) - 1)
        assert shown(screen.image.duplicates, index, WIDTH).split()[:2] == texts.size(copies.bytes).split()
    advice = screen.image.advice
    saves, ranks = [], []
    for index in range(advice.row_count()):
        advice.move_to(index)
        assert advice.advice is not None
        saves.append(advice.advice.saves)
        ranks.append((not advice.advice.in_base, advice.advice.severity, saves[-1]))
        assert not saves[-1] or texts.size(saves[-1]) in shown(advice, index, WIDTH)
        assert advice.advice.severity.word in shown(advice, index, WIDTH)
    assert ranks == sorted(ranks, reverse=True)
    assert sum(saves) == advice.total <= image.size
    overview = screen.image.overview
    files = [row.file.size for row in overview._rows if row.file is not None]
    assert in_order(files)
    return len(found) + len(saves) + overview.row_count()


def in_order(values: list[int]) -> bool:
    return all(first >= second for first, second in pairwise(values))


@pytest.mark.parametrize("row", range(3))
async def test_every_row_of_the_demo(drive: Drive, row: int) -> None:
    async with drive(["demo"], size=(160, 45)) as screen:
        await screen.press(*["down"] * row, "enter", "1")
        assert await walk_image(screen, every=True) > 1000


@pytest.mark.timeout(1800)
async def test_every_row_of_a_hundred_thousand(drive: Drive, large: str) -> None:
    async with drive([large], size=(160, 45)) as screen:
        assert await walk_image(screen, every="LAMINA_WALK" in os.environ) > MANY


@pytest.mark.parametrize("swapped", [False, True])
async def test_every_row_of_two_images_compared(drive: Drive, swapped: bool) -> None:
    async with drive(["demo"], size=(160, 45)) as screen:
        await screen.press("space", "space", "D", *(["w"] if swapped else []))
        files = screen.app.screen.query_one("FileTree")
        for kinds in (False, True):
            files.set_kinds(files.usual_kinds if kinds else files.kinds)  # type: ignore[attr-defined]
        files.action_unfold_all()  # type: ignore[attr-defined]
        for column in ("difference", "before", "after", "name"):
            files._sort_by(column)  # type: ignore[attr-defined]
            assert walk_files(files, WIDTH) > 10  # type: ignore[arg-type]


async def test_every_row_of_a_set(drive: Drive) -> None:
    async with drive(["demo"], size=(160, 45)) as screen:
        await screen.press("A", "c")
        members, held = (screen.app.screen.query_one(kind) for kind in (MemberList, HeldList))
        figures = members.figures
        assert figures is not None
        for number in range(len(figures.images)):
            numbers = shown(members, number, WIDTH)
            values = figures.images[number].size, figures.sharing.unique[number], figures.sharing.shared[number]
            assert values[0] == values[1] + values[2]
            assert " ".join(texts.size(value) for value in values) in " ".join(numbers.split())
        largest = max(layer.size for layer in held.order)
        for index, layer in enumerate(held.order):
            text = shown(held, index, WIDTH)
            assert eighths(text[18:28]) == length(layer.size, largest, 10), text
        assert in_order([len(layer.images) for layer in held.order])
        held.action_sort_by("size")
        assert in_order([layer.size for layer in held.order])
