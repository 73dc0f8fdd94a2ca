"""Pulls by real engines: what is foretold is what the registry serves, to the byte."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from textual.keys import _character_to_key as character_to_key

from driving import Driven
from engine.counting import CountingProxy
from engine.test_podman_store import running
from engine.test_pull_cost import REPOSITORY, Shop, shop  # noqa: F401  # a fixture
from engine.tools import lamina
from lamina.figures.pull_plan import Presence
from lamina.model import Cancelled, LaminaError
from lamina.workspace import Workspace
from lamina_tui import texts
from lamina_tui.app import LaminaApp
from lamina_tui.screens.images import engine_images


@pytest.fixture
def planned(shop: Shop, engine_host: str) -> Iterator[Callable[[str], int]]:  # noqa: F811
    """Plans a pull and makes it; answers the bytes that were foretold, having held them against what was served."""
    pulled: dict[str, None] = {}

    def pull(name: str) -> int:
        made = Workspace(host=engine_host).pull(f"{shop.proxy.address}/{REPOSITORY}/{name}")
        shop.proxy.taken()
        told: list[int] = []
        made.run(progress=lambda progress: told.append(progress.done))
        pulled[name] = None
        served = shop.layers_of(name, dict(shop.proxy.taken()))
        assert sum(served.values()) == made.plan.fetched
        assert made.plan.size == made.plan.fetched + made.plan.saved
        assert told == sorted(told)
        return made.plan.fetched

    yield pull
    for name in pulled:
        shop.remove(name)


def size_of(shop: Shop, name: str) -> int:  # noqa: F811
    """Of all layers, each once, as they are transferred."""
    return sum({layer.digest: layer.blob_size or 0 for layer in shop.copies[name].info.layers}.values())


@pytest.mark.parametrize(
    ("present", "wanted"), [("app:1", "app:2"), ("app:2", "app:1"), ("app:1", "site:1"), ("site:1", "site:2")]
)
def test_docker_fetches_what_was_foretold(
    shop: Shop,  # noqa: F811
    planned: Callable[[str], int],
    present: str,
    wanted: str,
) -> None:
    assert planned(present) == size_of(shop, present)
    assert 0 < planned(wanted) < size_of(shop, wanted)
    assert planned(wanted) == 0  # now it is there


def test_podman_fetches_what_was_foretold(
    shop: Shop,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registries = tmp_path / "registries.conf"
    registries.write_text(f'[[registry]]\nlocation = "{shop.proxy.address}"\ninsecure = true\n')
    monkeypatch.setenv("CONTAINERS_REGISTRIES_CONF", str(registries))
    with running("overlay") as podman:
        for name in ("site:1", "site:2"):
            made = Workspace(host=podman.host).pull(f"{shop.proxy.address}/{REPOSITORY}/{name}")
            shop.proxy.taken()
            made.run()
            assert sum(shop.layers_of(name, dict(shop.proxy.taken())).values()) == made.plan.fetched
        assert [row.presence for row in made.plan.layers] == [
            Presence.HERE,
            Presence.NEW,
            Presence.ELSEWHERE,
            Presence.NEW,
        ]


def test_nothing_is_pulled_where_nobody_said_so(shop: Shop, engine_host: str) -> None:  # noqa: F811
    name = f"{shop.proxy.address}/{REPOSITORY}/app:1"
    ended = lamina("pull", name, "--json", host=engine_host)
    assert ended.code == 0
    assert json.loads(ended.out)["fetched"] > 0
    assert "nothing was pulled" in ended.line
    assert not shop.client.images(name)

    ended = lamina("pull", name, "--yes", host=engine_host)
    assert ended.code == 0
    assert name in ended.line
    try:
        assert shop.client.images(name)
    finally:
        shop.remove("app:1")


async def test_from_the_search_to_the_image_on_the_screen(
    shop: Shop,  # noqa: F811
    engine_host: str,
) -> None:
    workspace = Workspace(host=engine_host)
    app = LaminaApp(lambda: engine_images(workspace), workspace)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = Driven(app, pilot)
        await screen.settle()
        await screen.press("p")
        screen.send(*map(character_to_key, f"{shop.proxy.address}/{REPOSITORY}/app"), "enter")
        await screen.settle()
        assert f"{REPOSITORY}/app" in screen.text
        await screen.press("enter")
        assert "2 tags" in screen.lines[0]
        step = shop.cost("app:2", "app:1")
        assert texts.size_bytes(step) in screen.text
        await screen.press("p")
        assert f"{texts.size_bytes(size_of(shop, 'app:2'))} to fetch" in screen.text
        await screen.press("enter")
        try:
            assert "pulled: enter opens it" in screen.text
            assert "pull complete" in screen.text
            assert shop.client.images(f"{shop.proxy.address}/{REPOSITORY}/app:2")
            await screen.press("enter")
            assert "wasted" in screen.lines[0]
        finally:
            shop.remove("app:2")


def test_what_the_registry_has_not_is_told_before(shop: Shop, engine_host: str) -> None:  # noqa: F811
    ended = lamina("pull", f"{shop.proxy.address}/{REPOSITORY}/app:9", "--yes", host=engine_host)
    assert (ended.code, ended.out) == (3, "")
    assert "app:9" in ended.line


def test_a_pull_whose_registry_is_gone_or_that_is_left(shop: Shop, registry: str, engine_host: str) -> None:  # noqa: F811
    with CountingProxy(registry) as proxy:
        made = Workspace(host=engine_host).pull(f"{proxy.address}/{REPOSITORY}/app:1")
    with pytest.raises(LaminaError, match=r"can't pull .*app"):
        made.run()
    assert not shop.client.images(f"{proxy.address}/{REPOSITORY}/app:1")

    made = Workspace(host=engine_host).pull(f"{shop.proxy.address}/{REPOSITORY}/app:1")
    cancel = threading.Event()
    cancel.set()
    begun = time.monotonic()
    with pytest.raises(Cancelled):
        made.run(cancel)
    assert time.monotonic() - begun < 0.5
