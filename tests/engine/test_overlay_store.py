"""A real engine's own disk: every figure as from its export, and where anything is odd the export, without a word."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from builders import Image, old_docker, pack
from cache.support import (
    NOBODY,
    PACKAGE_ROOT,
    acting_as,
    cache_in,
    figures,
    folder_for,
    rich_layers,
    without_names,
)
from engine.tools import Silent, without_packages
from lamina.cache.cache import Cache
from lamina.figures.image import load
from lamina.layers.tarsplit import TarSplitJob
from lamina.model import LaminaError
from lamina.reports.image import build
from lamina.reports.json_text import to_json
from lamina.sources.engine.client import EngineClient
from lamina.sources.engine.source import EngineSource
from lamina.workers.pool import Pool
from layers.test_tarsplit import sparse_tar
from needs import unavailable
from tars import directory, fifo, file, hardlink, layer_tar, opaque, symlink, whiteout

pytestmark = pytest.mark.engine

NAME, SECOND = "lamina-test/kept:1", "lamina-test/kept:2"
FROM_STORE, FROM_EXPORT, FROM_CACHE = "from the engine's store", "from the engine's export", "from the cache"

CHANGED = b"one content of a size " * 300, b"another of this size, " * 300
assert len(CHANGED[0]) == len(CHANGED[1])


def layers() -> list[bytes]:
    """Layers in which the engine's record has something to say."""
    odd = [
        directory("odd"),
        file("odd/" + "n" * 200, b"a long name" * 500),
        file("odd/" + "/".join(["deep"] * 40) + "/x", b"deep"),
        file(b"odd/not-utf8-\xff\xfe", b"bytes" * 1000),
        file('odd/"size":9,"payload":"AAAA"', b"quoted" * 1000),
        file("odd/line\nbreak", b"lines" * 1000),
        file("odd/<html>&", b"escaped" * 1000),
        symlink("odd/link", "/nowhere"),
        fifo("odd/pipe"),
        file("odd/empty"),
        file("odd/twin-1", b"twin" * 2000),
        hardlink("odd/hard", "odd/twin-1"),
        file("odd/changes", CHANGED[0]),
    ]
    above = [
        file("odd/twin-2", b"twin" * 2000),
        file("odd/twin-3", b"nowt" * 2000),
        file("odd/twin-4", b"nowt" * 2000),
        file("odd/changes", CHANGED[1]),
        whiteout("odd/empty"),
        opaque("odd/" + "/".join(["deep"] * 40)),
    ]
    return [*rich_layers(), layer_tar(*odd), layer_tar(*above), layer_tar()]


def second_layers() -> list[bytes]:
    """The same with more on top, that has contents in common with what is below."""
    return [
        *layers(),
        layer_tar(
            file("odd/changes", CHANGED[0]),
            file("odd/twin-5", b"twin" * 2000),
            file("odd/twin-1", b"twin" * 2000, mode=0o600),
            file("odd/twin-3", b"twon" * 2000),
        ),
    ]


@pytest.fixture(scope="module")
def stored(engine_host: str) -> Iterator[str]:
    """The DOCKER_HOST of an engine whose store this user may read, and that holds our images."""
    client = docker.APIClient(base_url=engine_host, timeout=60)
    try:
        info = client.info()
        if info["Driver"] != "overlay2" or not os.access(info["DockerRootDir"], os.R_OK | os.X_OK):
            unavailable(f"needs an engine with overlay2 whose {info['DockerRootDir']} this user may read")
        archive = pack(old_docker(Image(layers(), (NAME,)), Image(second_layers(), (SECOND,))))
        for line in client.load_image(archive):
            assert "error" not in line, line
        yield engine_host
        for name in (NAME, SECOND):
            client.remove_image(name, force=True)
    finally:
        client.close()


class Engine:
    """Reads images of the engine one way or the other."""

    def __init__(self, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.host = host
        self._monkeypatch = monkeypatch

    def read(self, cache: Cache | None = None, *, name: str = NAME, store: bool = True) -> tuple[Any, str]:
        """(figures, the way they came)."""
        image = load(EngineSource(self.host, cache, Pool(processes=True), store=store), name)
        return without_packages(json.loads(to_json(build([image])))["images"][0]), image.read_from

    def exported(self, name: str = NAME) -> Any:
        shown, way = self.read(name=name, store=False)
        assert way == FROM_EXPORT
        return shown


@pytest.fixture(scope="module")
def exported(stored: str) -> Any:
    """The figures of our image as its export has them."""
    with pytest.MonkeyPatch.context() as patch:
        return Engine(stored, patch).exported()


@pytest.fixture
def engine(stored: str, monkeypatch: pytest.MonkeyPatch) -> Engine:
    return Engine(stored, monkeypatch)


def saved(host: str, name: str, folder: Path) -> Path:
    client = docker.APIClient(base_url=host, timeout=60)
    path = folder / "saved.tar"
    with contextlib.closing(client), path.open("wb") as out:
        out.writelines(client.get_image(name))
    return path


# -- the same figures --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [NAME, SECOND])
def test_the_store_gives_the_figures_of_the_export_and_of_the_archive(
    name: str, engine: Engine, tmp_path: Path
) -> None:
    shown, way = engine.read(name=name)
    assert way == FROM_STORE
    assert shown == engine.exported(name)
    assert {duplicate["copies"] for duplicate in shown["duplicates"]} >= {2}
    archive = saved(engine.host, name, tmp_path)
    expected = without_names(shown)
    for stdin in (None, io.BytesIO(archive.read_bytes())):
        assert without_names(figures("-" if stdin else archive, stdin=stdin)) == expected
    # And all of them once more from one cache, where contents are known by two kinds of checksum.
    known = cache_in(tmp_path / "cache")
    for _ in range(2):
        assert engine.read(known, name=name)[0] == shown
        assert without_names(figures(archive, known)) == expected
        assert without_names(figures("-", known, stdin=io.BytesIO(archive.read_bytes()))) == expected
        assert engine.read(known, name=name, store=False)[0] == shown


def test_the_second_opening_asks_the_engine_for_nothing(engine: Engine, tmp_path: Path) -> None:
    for store, first in ((True, FROM_STORE), (False, FROM_EXPORT)):
        cache = cache_in(tmp_path / first)
        shown, way = engine.read(cache, store=store)
        assert way == first
        assert engine.read(cache, store=store) == (shown, FROM_CACHE)


@pytest.mark.parametrize("first", ["store", "export"])
@pytest.mark.parametrize("second", ["store", "export"])
def test_an_image_on_layers_that_were_read_another_way(first: str, second: str, engine: Engine, tmp_path: Path) -> None:
    """Contents of the lower layers and of the upper one are known by different kinds of checksum."""
    expected = {name: engine.exported(name) for name in (NAME, SECOND)}
    cache = cache_in(tmp_path)
    assert engine.read(cache, name=NAME, store=first == "store")[0] == expected[NAME]
    assert engine.read(cache, name=SECOND, store=second == "store")[0] == expected[SECOND]
    for name in (NAME, SECOND):
        for store in (False, True, False):
            assert engine.read(cache, name=name, store=store)[0] == expected[name]


def test_two_openings_of_which_only_the_first_may_read_the_store(engine: Engine, tmp_path: Path) -> None:
    expected, cache = engine.exported(SECOND), cache_in(tmp_path)
    assert engine.read(cache, name=SECOND) == (expected, FROM_STORE)
    assert engine.read(cache, name=SECOND, store=False) == (expected, FROM_EXPORT)
    assert engine.read(cache, name=SECOND, store=False) == (expected, FROM_CACHE)


def test_what_is_kept_in_memory_is_as_good(engine: Engine, exported: Any) -> None:
    for store in (True, False):
        cache = Cache()
        for _ in range(2):
            assert engine.read(cache, store=store)[0] == exported


def loaded(client: docker.APIClient, image: Image) -> None:
    for line in client.load_image(pack(old_docker(image))):
        assert "error" not in line, line


def test_a_sparse_file_is_left_to_the_engine(stored: str, engine: Engine, tmp_path: Path) -> None:
    """The record has not all of its bytes; Docker can't put such a layer together again either, and says so."""
    name = "lamina-test/sparse:1"
    image = Image([sparse_tar(tmp_path, "posix"), layer_tar(file("holes", (1 << 20) + 8000))], (name,))
    client = docker.APIClient(base_url=stored, timeout=60)
    with contextlib.closing(client):
        loaded(client, image)
        try:
            for store in (True, False):
                with pytest.raises(LaminaError, match=r"can't export .*could not verify layer data"):
                    engine.read(name=name, store=store)
        finally:
            client.remove_image(name, force=True)


# -- a store that can't be read ----------------------------------------------------------------------------------------

PROXY = """
import os, sys
from pathlib import Path
from engine.proxy import Proxy
with Proxy(sys.argv[1], Path(sys.argv[2]), after=None, then="cut"):
    os.chown(sys.argv[2], int(sys.argv[3]), int(sys.argv[3]))
    print("listening", flush=True)
    sys.stdin.read()
"""


def test_a_store_that_only_others_may_read_is_not_missed(
    engine: Engine, exported: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = exported
    tests = str(Path(__file__).parents[1])
    with folder_for(NOBODY) as theirs:
        socket = theirs / "engine.sock"
        environment = {**os.environ, "PYTHONPATH": f"{PACKAGE_ROOT}{os.pathsep}{tests}"}
        command = [sys.executable, "-c", PROXY, engine.host, str(socket), str(NOBODY)]
        proxy = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        try:
            assert proxy.stdout is not None
            assert proxy.stdout.readline() == b"listening\n"
            other = Engine(f"unix://{socket}", monkeypatch)
            assert other.read() == (expected, FROM_STORE), "root may read it, whatever socket it comes by"
            with acting_as(NOBODY):
                cache = cache_in(theirs / "cache")
                assert other.read(cache) == (expected, FROM_EXPORT)
                assert other.read(cache) == (expected, FROM_CACHE)
        finally:
            proxy.communicate()


# -- a store in which something is odd ---------------------------------------------------------------------------------


class Copy:
    """The part of an engine's store that has our image, copied: the engine's own is not touched.

    Args:
        root: the folder of the copy.
        source: the engine's store.
        inspected: what the engine says of the image.
    """

    def __init__(self, root: Path, source: Path, inspected: dict[str, Any]) -> None:
        metadata = Path("image") / "overlay2"
        config = metadata / "imagedb" / "content" / "sha256" / inspected["Id"].removeprefix("sha256:")
        records = [metadata / "layerdb" / "sha256" / chain for chain in chains(inspected["RootFS"]["Layers"])]
        subprocess.run(["cp", "-a", "--parents", config, *records, root], check=True, cwd=source)
        self.root, self.config = root, root / config
        self.records = [root / record for record in records]
        self.files = []
        for number, record in enumerate(self.records):
            files = Path("overlay2") / (record / "cache-id").read_text() / "diff"
            self.files.append(root / files)
            self.files[-1].parent.mkdir(parents=True)
            if number == ODD_ABOVE:
                subprocess.run(["cp", "-a", source / files, self.files[-1]], check=True)
            else:
                self.files[-1].symlink_to(source / files)  # none of the tests goes in there


ODD_ABOVE = 4
"""The layer whose files tests may change in a copy."""


def chains(diff_ids: list[str]) -> Iterator[str]:
    chain = ""
    for diff_id in diff_ids:
        chain = hashlib.sha256(f"{chain} {diff_id}".encode()).hexdigest() if chain else diff_id[7:]
        yield chain
        chain = f"sha256:{chain}"


@pytest.fixture(scope="module")
def told(stored: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the engine says of itself and of our image."""
    client = docker.APIClient(base_url=stored, timeout=60)
    with contextlib.closing(client):
        return client.info(), client.inspect_image(NAME)


@pytest.fixture
def copy(told: tuple[dict[str, Any], dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> Iterator[Copy]:
    """A copy of the store, and an engine that says it is its own."""
    info, inspected = told
    with tempfile.TemporaryDirectory(prefix="lamina-store-") as name:
        monkeypatch.setattr(EngineClient, "info", lambda _: {**info, "DockerRootDir": name})
        yield Copy(Path(name), Path(info["DockerRootDir"]), inspected)


def record_cut(copy: Copy) -> None:
    path = copy.records[3] / "tar-split.json.gz"
    path.write_bytes(path.read_bytes()[:-40])


def record_short(copy: Copy) -> None:
    path = copy.records[3] / "tar-split.json.gz"
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    place = next(n for n, line in enumerate(lines) if b'"size":' in line)
    path.write_bytes(gzip.compress(b"".join(lines[:place])))


def record_empty(copy: Copy) -> None:
    (copy.records[3] / "tar-split.json.gz").write_bytes(b"")


def record_rubbish(copy: Copy) -> None:
    (copy.records[3] / "tar-split.json.gz").write_bytes(b"rubbish" * 100)


def record_gone(copy: Copy) -> None:
    (copy.records[3] / "tar-split.json.gz").unlink()


def record_is_a_folder(copy: Copy) -> None:
    record_gone(copy)
    (copy.records[3] / "tar-split.json.gz").mkdir()


def layer_unknown(copy: Copy) -> None:
    shutil.rmtree(copy.records[2])


def diff_changed(copy: Copy) -> None:
    (copy.records[1] / "diff").write_text("sha256:" + "0" * 64)


def diff_not_text(copy: Copy) -> None:
    (copy.records[1] / "diff").write_bytes(b"\xff\xfe")


def cache_id_leads_out(copy: Copy) -> None:
    (copy.records[1] / "cache-id").write_text("../../../etc")


def cache_id_of_nothing(copy: Copy) -> None:
    (copy.records[1] / "cache-id").write_text("0" * 64)


def config_changed(copy: Copy) -> None:
    config = json.loads(copy.config.read_bytes())
    config["history"][0]["created_by"] = "another"
    copy.config.write_text(json.dumps(config))


def config_gone(copy: Copy) -> None:
    copy.config.unlink()


def config_huge(copy: Copy) -> None:
    os.truncate(copy.config, 1 << 40)


def files_gone(copy: Copy) -> None:
    copy.files[3].unlink()


def all_gone(copy: Copy) -> None:
    shutil.rmtree(copy.root / "image")


def another_driver(copy: Copy) -> None:
    (copy.root / "image" / "overlay2").rename(copy.root / "image" / "zfs")


@pytest.mark.parametrize(
    "spoil",
    [
        record_cut,
        record_short,
        record_empty,
        record_rubbish,
        record_gone,
        record_is_a_folder,
        layer_unknown,
        diff_changed,
        diff_not_text,
        cache_id_leads_out,
        cache_id_of_nothing,
        config_changed,
        config_gone,
        config_huge,
        files_gone,
        all_gone,
        another_driver,
    ],
)
def test_where_the_store_is_odd_the_export_is_read(
    spoil: Callable[[Copy], None], copy: Copy, engine: Engine, exported: Any
) -> None:
    spoil(copy)
    assert engine.read() == (exported, FROM_EXPORT)


def test_the_copy_is_read_where_nothing_is_odd(copy: Copy, engine: Engine, exported: Any) -> None:
    assert engine.read() == (exported, FROM_STORE)


# What is needed of the files themselves is asked for only after the listings were read.


def file_gone(path: Path) -> None:
    path.unlink()


def file_shorter(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def file_is_a_link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def file_is_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def folder_is_a_link(path: Path) -> None:
    path.parent.rename(path.parent.with_name("moved"))
    path.parent.symlink_to("moved")


@pytest.mark.parametrize("spoil", [file_gone, file_shorter, file_is_a_link, file_is_a_pipe, folder_is_a_link])
def test_where_a_file_of_the_store_is_odd_the_export_is_read(
    spoil: Callable[[Path], None], copy: Copy, engine: Engine, exported: Any, tmp_path: Path
) -> None:
    spoil(copy.files[ODD_ABOVE] / "odd" / "twin-2")
    cache = cache_in(tmp_path)
    for _ in range(2):
        shown, _ = engine.read(cache)
        assert shown == exported


# -- leaving -----------------------------------------------------------------------------------------------------------


def test_a_cancel_is_heard_while_the_store_is_read(
    engine: Engine, exported: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cache, cancel = cache_in(tmp_path), threading.Event()
    run = TarSplitJob.run

    def first_then_cancel(job: TarSplitJob, stop: threading.Event, advance: Callable[[int], None]) -> Any:
        if cancel.is_set():
            stop.wait(5)  # until it is heard of here too
        index = run(job, stop, advance)
        cancel.set()
        return index

    monkeypatch.setattr(TarSplitJob, "run", first_then_cancel)
    read = EngineSource(engine.host, cache).read(NAME, Silent(), cancel)
    assert read.read_from == FROM_STORE
    assert None in read.layers
    monkeypatch.setattr(TarSplitJob, "run", run)
    for _ in range(2):
        assert engine.read(cache)[0] == exported
