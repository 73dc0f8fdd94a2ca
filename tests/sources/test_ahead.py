"""Reading ahead in a child: nothing of it is told twice, and whatever becomes of it, the image is read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from builders import Image, file, layer, old_docker, pack
from lamina.sources.ahead import read_ahead

# A process of one thread, which a test's is not, does it: answers what its observer was told, and what was read.
PROGRAM = """
import json, os, sys, threading, time
from lamina.figures.image import compute
from lamina.sources.ahead import AheadSource, read_ahead
from lamina.workspace import Workspace

archive, cache, work = sys.argv[1:]
told = []

class Noting:
    def head(self, info): told.append("head")
    def layer(self, index, facts): told.append(f"layer {index}: {facts.size}")
    def progress(self, progress): pass

def keeps(observer, cancel):
    source, name = Workspace(cache=cache, workers=1).resolve(archive)
    compute(source.read(name, observer, cancel), "", cancel)

def fails(observer, cancel):
    observer.head(Workspace().resolve(archive)[0].read(None, Noting(), cancel).info)
    raise RuntimeError

def dies(observer, cancel):
    os._exit(7)

def stops(observer, cancel):
    read = Workspace(workers=1).resolve(archive)[0].read(None, observer, threading.Event())
    told.append(cancel.wait(20))
    read.layers[1] = None
    return read

ahead = read_ahead(globals()[work])
assert ahead is not None
cancel = threading.Event()
source, name = Workspace(cache=cache, workers=1).resolve(archive)
if work == "stops":
    threading.Timer(0.2, cancel.set).start()
read = AheadSource(source, ahead).read(name, Noting(), cancel)
try:
    os.waitpid(-1, os.WNOHANG)
    left = True
except ChildProcessError:
    left = False
layers = [layer is not None for layer in read.layers]
print(json.dumps({"told": told, "stacked": read.stacked is not None, "layers": layers, "child": left}))
"""


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "app.tar"
    path.write_bytes(pack(old_docker(Image([layer(file("a", b"a" * 10)), layer(file("b", b"b" * 20))], ("app:1",)))))
    return path


def run(archive: Path, work: str) -> dict[str, Any]:
    command = [sys.executable, "-c", PROGRAM, str(archive), str(archive.parent / "cache"), work]
    # As the command does it: numpy's own threads would keep it from forking.
    environ = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environ)
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    assert found.pop("child") is False, "the child has ended"
    return found


ONCE = ["head", "layer 0: 10", "layer 1: 20"]


def test_what_the_child_has_read_is_found_in_the_cache(archive: Path) -> None:
    assert run(archive, "keeps") == {"told": ONCE, "stacked": True, "layers": [False, False]}


@pytest.mark.parametrize("work", ["fails", "dies"])
def test_where_the_child_fails_the_image_is_read_as_ever(archive: Path, work: str) -> None:
    assert run(archive, work) == {"told": ONCE, "stacked": False, "layers": [True, True]}


def test_what_was_read_until_it_was_stopped_stays(archive: Path) -> None:
    assert run(archive, "stops") == {"told": ONCE, "stacked": False, "layers": [True, False]}


def test_a_process_with_threads_forks_nothing() -> None:
    over = threading.Event()
    other = threading.Thread(target=over.wait, daemon=True)
    other.start()
    try:
        assert read_ahead(lambda observer, cancel: None) is None
    finally:
        over.set()
        other.join()
