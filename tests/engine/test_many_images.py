"""Two hundred images in a real engine: all are known, at the price of asking for each, and the second time for none.

Times are held against a bare client that asks the same questions in the same run, never against a clock.
"""

from __future__ import annotations

import io
import tarfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import docker
import pytest

from builders import Image, file, layer, old_docker, pack
from engine.proxy import Proxy
from lamina.cache.cache import Cache
from lamina.cache.folder import CacheFolder
from lamina.figures.layer_tree import layer_tree
from lamina.figures.overview import overview
from lamina.model import KnownImage, LaminaError
from lamina.sources.engine.client import EngineClient
from lamina.sources.engine.source import EngineSource

pytestmark = pytest.mark.engine

COUNT = 200
BASES = 5
TOPS = 40
"""Distinct layers on the bases; images that have the same one differ by their config alone."""
REPOSITORY = "lamina-many/app"


def stacks() -> list[list[bytes]]:
    """The layers of each image."""
    bases = [
        [layer(file(f"base{base}/{part}", bytes([part]) * (100 + base))) for part in (1, 2)] for base in range(BASES)
    ]
    tops = [layer(file(f"top/{number}", b"t" * (1000 + number))) for number in range(TOPS)]
    return [[*bases[number % BASES], tops[number % TOPS]] for number in range(COUNT)]


@pytest.fixture(scope="module")
def crowd(engine_host: str) -> Iterator[dict[str, Image]]:
    """An engine that holds them; the images by ID."""
    images = [
        Image(layers, (f"{REPOSITORY}:{number}",), extra={"config": {"Env": [f"NUMBER={number}"]}})
        for number, layers in enumerate(stacks())
    ]
    client = docker.APIClient(base_url=engine_host, timeout=120)
    try:
        for line in client.load_image(pack(old_docker(*images))):
            assert "error" not in line, line
        yield {image.id: image for image in images}
    finally:
        for image in images:
            client.remove_image(image.tags[0], force=True)
        client.close()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often an engine was asked what, by the client's method."""
    counts: Counter[str] = Counter()

    def counted(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def spy(*args: Any, **options: Any) -> Any:
            counts[name] += 1
            return real(*args, **options)

        return spy

    for name in ("images", "containers", "image", "history"):
        monkeypatch.setattr(EngineClient, name, counted(name, getattr(EngineClient, name)))
    return counts


def mine(known: Sequence[KnownImage], crowd: dict[str, Image]) -> list[KnownImage]:
    return [image for image in known if image.summary.id in crowd]


def bare(host: str) -> float:
    """Seconds for asking the same questions with nothing around it."""
    client = docker.APIClient(base_url=host, timeout=120)
    try:
        started = time.perf_counter()
        client.containers(all=True)
        for row in client.images():
            client.inspect_image(row["Id"])
            client.history(row["Id"])
        return time.perf_counter() - started
    finally:
        client.close()


def ours(host: str) -> float:
    """Seconds for the overview, from nothing known to figures."""
    started = time.perf_counter()
    figures = overview(EngineSource(host).known_images())
    assert figures.on_disk
    return time.perf_counter() - started


def test_all_are_listed_with_one_question(engine_host: str, crowd: dict[str, Image], asked: Counter[str]) -> None:
    listed = {summary.id: summary for summary in EngineSource(engine_host).list()}

    assert asked == {"images": 1}
    assert listed.keys() >= crowd.keys()
    for image_id, image in crowd.items():
        assert listed[image_id].tags == image.tags
        assert listed[image_id].size == sum(map(bytes_of, image.layers))


def bytes_of(tar: bytes) -> int:
    """Of the files of a layer."""
    with tarfile.open(fileobj=io.BytesIO(tar)) as members:
        return sum(member.size for member in members)


def test_all_are_known_with_every_layer_and_size(engine_host: str, crowd: dict[str, Image]) -> None:
    known = mine(EngineSource(engine_host).known_images(), crowd)

    assert len(known) == COUNT
    for image in known:
        made = crowd[image.summary.id]
        assert [layer.diff_id for layer in image.layers] == made.diff_ids
        assert list(image.sizes) == list(map(bytes_of, made.layers))
        assert [layer.instruction for layer in image.layers] == [f"step {n}" for n in range(len(made.layers))]
    figures = overview(known)
    chains = {tuple(image.diff_ids[:height]) for image in crowd.values() for height in (1, 2, 3)}
    assert len(chains) == BASES * 2 + TOPS
    sizes = {chain: bytes_of(image.layers[len(chain) - 1]) for image in crowd.values() for chain in prefixes(image)}
    assert figures.on_disk == sum(sizes.values())
    assert figures.reclaimable == figures.on_disk
    (trees, standing) = (layer_tree([(image.layers, image.sizes) for image in known]), COUNT // BASES)
    assert [tree.standing for tree in trees] == [standing] * BASES
    assert [len(tree.children) for tree in trees] == [TOPS // BASES] * BASES


def prefixes(image: Image) -> list[tuple[str, ...]]:
    return [tuple(image.diff_ids[:height]) for height in range(1, len(image.diff_ids) + 1)]


def test_the_overview_costs_little_more_than_the_questions(engine_host: str, crowd: dict[str, Image]) -> None:
    # The better of two, taken in turns: other programs run beside the tests.
    rounds = [(bare(engine_host), ours(engine_host)) for _ in range(2)]

    floor, took = min(each[0] for each in rounds), min(each[1] for each in rounds)
    print(f"{COUNT} images: {floor:.2f} s for the questions alone, {took:.2f} s for the overview: {took / floor:.2f}")
    assert took < 3 * floor


def test_what_is_in_the_cache_is_not_asked_again(
    engine_host: str, crowd: dict[str, Image], asked: Counter[str], tmp_path: Path
) -> None:
    first = EngineSource(engine_host, Cache(CacheFolder(tmp_path))).known_images()
    assert asked == {"images": 1, "containers": 1, "image": len(first), "history": len(first)}
    asked.clear()

    again = EngineSource(engine_host, Cache(CacheFolder(tmp_path))).known_images()

    assert asked == {"images": 1, "containers": 1}
    assert {image.summary.id: image for image in again} == {image.summary.id: image for image in first}


def test_an_engine_that_goes_away_meanwhile_is_told(engine_host: str, crowd: dict[str, Image], tmp_path: Path) -> None:
    """A list with some images missing would look whole."""
    with Proxy(engine_host, tmp_path / "p.sock", after=150_000, then="cut") as proxy:
        source = EngineSource(proxy.host)
        assert len(source.list()) >= COUNT
        with pytest.raises(LaminaError):
            source.known_images()
        assert proxy.broken.is_set()
