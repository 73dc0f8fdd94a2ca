"""Podman's storage, by its own service: every figure as from its export."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import docker
import pytest

from builders import Image, old_docker
from cache.support import cache_in, written
from engine.test_overlay_store import FROM_CACHE, FROM_EXPORT, FROM_STORE, NAME, Engine, layers
from lamina.model import LayerInfo
from lamina.sources.engine.client import EngineClient
from lamina.sources.engine.overlay_store import find_image
from needs import tool, unavailable

pytestmark = pytest.mark.engine


@dataclass
class Podman:
    """A podman with a storage of its own, and its service."""

    command: Sequence[str]
    root: Path
    host: str
    folder: Path

    def load(self, name: str, content: Sequence[bytes], *, dated: bool = True) -> str:
        """Put an image into the storage; answers what it is called there."""
        # Podman 4.3's answer to /history fails on a step without a date.
        steps = [{"created_by": f"step {n}", "created": "2024-01-02T03:04:05Z"} for n in range(len(content))]
        image = Image(content, (name,), extra={"history": steps} if dated else {})
        archive = written(self.folder, old_docker(image), "load.tar")
        done = subprocess.run([*self.command, "load", "-q", "-i", archive], check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return f"localhost/{name}"


@contextlib.contextmanager
def running(driver: str) -> Iterator[Podman]:
    """A podman service over an empty storage."""
    program = tool("podman")
    if os.geteuid() != 0:
        unavailable("needs root, for a podman with a storage of its own")
    with tempfile.TemporaryDirectory(prefix="lamina-podman-") as name:
        folder = Path(name)
        command = [program, f"--root={name}/root", f"--runroot={name}/run", f"--storage-driver={driver}"]
        socket = folder / "podman.sock"
        service = subprocess.Popen(
            [*command, "system", "service", "--time=0", f"unix://{socket}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            ended = os.pidfd_open(service.pid)
            try:
                for _ in range(400):
                    if socket.exists() or select.select([ended], [], [], 0.05)[0]:
                        break
            finally:
                os.close(ended)
            if not socket.exists():
                unavailable(f"podman does not start a service over {driver}")
            yield Podman(command, folder / "root", f"unix://{socket}", folder)
        finally:
            service.terminate()
            service.wait(20)
            # The overlay driver mounts its own folder onto itself.
            subprocess.run(["umount", "--lazy", f"{name}/root/overlay"], check=False, capture_output=True)


@pytest.fixture(scope="module")
def podman() -> Iterator[Podman]:
    with running("overlay") as service:
        yield service


@pytest.fixture(scope="module")
def name(podman: Podman) -> str:
    return podman.load(NAME, layers())


@pytest.fixture
def engine(podman: Podman, monkeypatch: pytest.MonkeyPatch) -> Engine:
    return Engine(podman.host, monkeypatch)


def test_podmans_storage_gives_the_figures_of_its_export(name: str, engine: Engine, tmp_path: Path) -> None:
    cache = cache_in(tmp_path)
    expected, way = engine.read(cache, name=name)
    assert way == FROM_STORE
    assert [duplicate["copies"] for duplicate in expected["duplicates"]].count(2) >= 2
    assert engine.read(cache, name=name, store=False) == (expected, FROM_EXPORT)
    for store in (True, False):
        assert engine.read(cache, name=name, store=store) == (expected, FROM_CACHE)


# -- a storage in which something is odd -------------------------------------------------------------------------------


@pytest.fixture
def copy(podman: Podman, name: str) -> Iterator[Path]:
    """A copy of the storage: Podman's own is not touched."""
    with tempfile.TemporaryDirectory(prefix="lamina-store-") as folder:
        subprocess.run(["cp", "-a", podman.root / "overlay-layers", podman.root / "overlay-images", folder], check=True)
        files = Path(folder) / "overlay"
        files.mkdir()
        for layer in (podman.root / "overlay").iterdir():
            if (layer / "diff" / "odd" / "twin-2").exists():
                subprocess.run(["cp", "-a", layer, files], check=True)
            else:
                (files / layer.name).symlink_to(layer)  # none of the tests goes in there
        yield Path(folder)


@pytest.fixture(scope="module")
def asked(podman: Podman, name: str) -> tuple[str, tuple[LayerInfo, ...]]:
    """(image ID, layers) as the service tells them."""
    client = docker.APIClient(base_url=podman.host, timeout=60)
    with contextlib.closing(client):
        inspected = client.inspect_image(name)
    diff_ids = inspected["RootFS"]["Layers"]
    return inspected["Id"], tuple(LayerInfo(n, diff_id, diff_id) for n, diff_id in enumerate(diff_ids))


def rewritten(path: Path, change: Callable[[Any], Any]) -> None:
    path.write_text(json.dumps(change(json.loads(path.read_bytes()))))


def layers_gone(root: Path) -> None:
    (root / "overlay-layers" / "layers.json").unlink()


def layers_damaged(root: Path) -> None:
    path = root / "overlay-layers" / "layers.json"
    path.write_bytes(path.read_bytes()[:-100])


def layers_not_a_list(root: Path) -> None:
    rewritten(root / "overlay-layers" / "layers.json", lambda _: {"a": 1})


def layers_of_another_digest(root: Path) -> None:
    rewritten(
        root / "overlay-layers" / "layers.json",
        lambda table: [{**layer, "diff-digest": "sha256:" + "0" * 64} for layer in table],
    )


def images_without_ours(root: Path) -> None:
    rewritten(root / "overlay-images" / "images.json", lambda _: [])


def images_without_a_layer(root: Path) -> None:
    rewritten(root / "overlay-images" / "images.json", lambda table: [{"id": image["id"]} for image in table])


def configs_gone(root: Path) -> None:
    for path in (root / "overlay-images").glob("*/=*"):
        path.unlink()


def configs_changed(root: Path) -> None:
    for path in (root / "overlay-images").glob("*/=*"):
        path.write_bytes(path.read_bytes() + b" ")


def records_gone(root: Path) -> None:
    for path in (root / "overlay-layers").glob("*.tar-split.gz"):
        path.unlink()


def files_gone(root: Path) -> None:
    shutil.rmtree(root / "overlay")


@pytest.mark.parametrize(
    "spoil",
    [
        layers_gone,
        layers_damaged,
        layers_not_a_list,
        layers_of_another_digest,
        images_without_ours,
        images_without_a_layer,
        configs_gone,
        configs_changed,
        records_gone,
        files_gone,
    ],
)
def test_where_the_storage_is_odd_it_is_not_used(
    spoil: Callable[[Path], None], copy: Path, asked: tuple[str, tuple[LayerInfo, ...]]
) -> None:
    told = {"Driver": "overlay", "DockerRootDir": str(copy)}
    found = find_image(told, *asked)
    assert found is not None
    assert len(found.layers) == len(layers())
    spoil(copy)
    assert find_image(told, *asked) is None


def test_where_a_file_of_the_storage_is_gone_the_export_is_read(
    copy: Path, name: str, engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    expected, cache = engine.read(name=name)[0], cache_in(tmp_path)
    (path,) = (copy / "overlay").glob("*/diff/odd/twin-2")
    path.unlink()
    told = EngineClient.info
    monkeypatch.setattr(EngineClient, "info", lambda client: {**told(client), "DockerRootDir": str(copy)})
    for _ in range(2):
        assert engine.read(cache, name=name)[0] == expected


class TooLong(Exception):
    """Nobody may catch this but the test."""


def test_layers_that_are_their_own_parents_are_no_image(tmp_path: Path) -> None:
    diff_id, image_id = "sha256:" + "1" * 64, "sha256:" + "2" * 64
    for part in ("overlay-layers", "overlay-images"):
        (tmp_path / part).mkdir()
    table = [{"id": "a", "parent": "b", "diff-digest": diff_id}, {"id": "b", "parent": "a", "diff-digest": diff_id}]
    (tmp_path / "overlay-layers" / "layers.json").write_text(json.dumps(table))
    (tmp_path / "overlay-images" / "images.json").write_text(json.dumps([{"id": image_id[7:], "layer": "a"}]))

    def stop(number: int, frame: FrameType | None) -> None:
        raise TooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        layers = (LayerInfo(0, diff_id, diff_id),)
        assert find_image({"Driver": "overlay", "DockerRootDir": str(tmp_path)}, image_id, layers) is None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# -- another driver ----------------------------------------------------------------------------------------------------


def test_a_storage_of_whole_copies_is_left_to_the_export(monkeypatch: pytest.MonkeyPatch) -> None:
    with running("vfs") as podman:
        name = podman.load(NAME, layers()[-2:])
        shown, way = Engine(podman.host, monkeypatch).read(name=name)
        assert way == FROM_EXPORT
        assert shown["files"]


def test_an_image_with_a_step_without_a_date(podman: Podman, engine: Engine) -> None:
    """Podman 4.3 can't tell such an image's history; its config does."""
    name = podman.load("lamina-test/undated:1", layers()[:2], dated=False)
    shown, way = engine.read(name=name)
    assert way == FROM_STORE
    assert [layer["instruction"] for layer in shown["layers"]] == ["step 0", "step 1"]
