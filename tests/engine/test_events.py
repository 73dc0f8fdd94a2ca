"""Changes that real engines tell of, and a list that follows them."""

from __future__ import annotations

import asyncio
import queue
import threading
from pathlib import Path

import docker
import pytest

from driving import Driven
from engine.images import APP1
from engine.test_podman_store import running
from engine.tools import run
from lamina.model import LaminaError
from lamina.sources.engine.connection import connect
from lamina.sources.engine.events import Changes
from lamina.sources.engine.source import EngineSource
from lamina_tui.app import LaminaApp
from lamina_tui.launch import first_screen
from lying_engine import LyingEngine
from opening import workspace


class Heard:
    """Counts changes on a thread of its own."""

    def __init__(self, changes: Changes) -> None:
        self.changes = changes
        self.told: queue.Queue[str] = queue.Queue()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            for _ in self.changes:
                self.told.put("change")
        except LaminaError as error:
            self.told.put(str(error))

    def one(self) -> str:
        told = self.told.get(timeout=20)
        while not self.told.empty():
            self.told.get()
        return told

    def end(self) -> None:
        self.changes.close()
        self.thread.join(10)
        assert not self.thread.is_alive()


def test_docker_tells_of_images_and_containers(built: str) -> None:
    client = docker.APIClient(base_url=built)
    heard = Heard(EngineSource(built).changes(threading.Event()))
    try:
        client.tag(APP1, "lamina-events/a", "1")
        assert heard.one() == "change"
        made = client.create_container(APP1, ["x"], name="lamina-events")["Id"]
        assert heard.one() == "change"
        client.rename(made, "lamina-events-2")
        assert heard.one() == "change"
        client.remove_container(made)
        assert heard.one() == "change"
        client.remove_image("lamina-events/a:1")
        assert heard.one() == "change"
        assert heard.told.empty()
    finally:
        heard.end()
        client.close()
    assert heard.told.empty()


def test_podman_tells_too(saved: Path) -> None:
    with running("overlay") as podman:
        run(*podman.command, "load", "-q", "-i", saved)
        heard = Heard(EngineSource(podman.host).changes(threading.Event()))
        with docker.APIClient(base_url=podman.host) as client:
            client.tag(client.images()[0]["Id"], "lamina-events/a", "1")
            assert heard.one() == "change"
        heard.end()


async def test_home_shows_what_is_new(built: str) -> None:
    app = LaminaApp(first_screen(workspace(built), []))
    client = docker.APIClient(base_url=built)
    async with app.run_test(size=(120, 60)) as pilot:
        screen = Driven(app, pilot)
        await screen.settle()
        client.tag(APP1, "lamina-events/new", "1")
        try:
            for _ in range(100):
                await screen.settle()
                if "lamina-events/new:1" in screen.text:
                    break
                await asyncio.sleep(0.1)
            assert "lamina-events/new:1" in screen.text
        finally:
            client.remove_image("lamina-events/new:1")
            client.close()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"Type":"container","Action":"exec_create: sh"}\n{"Action":"health_status: healthy"}\n\n', "events ended"),
        (b'{"Type":"image","Action":"tag"}\n', "change"),
        (b'{"status":"delete"}', "change"),
        (b"rubbish\n", "change"),
        (b"[" * 10_000 + b"\n", "change"),
        (b"x" * (2 << 20), "change"),
    ],
)
def test_whatever_an_engine_says(body: bytes, told: str) -> None:
    with LyingEngine() as engine:
        engine.answers["/events"] = body
        heard = Heard(Changes(connect(engine.host)))
        assert told in heard.told.get(timeout=20)
        heard.thread.join(20)
        assert not heard.thread.is_alive()
        last = told
        while not heard.told.empty():
            last = heard.told.get()
        assert "events ended" in last
