"""The library as a script meets it: what importing it costs, what is public, and the README's example as it stands."""

from __future__ import annotations

import inspect
import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import lamina
from builders import Image, file, layer, old_docker, pack
from lamina.sources.base import NullObserver
from lamina.workers.pool import Pool

ROOT = Path(__file__).parent.parent


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """An archive of three layers that waste 300 bytes, and a second image on the same base."""
    base = layer(file("etc/base", b"b" * 5000), file("etc/copy", b"b" * 5000))
    one = Image([base, layer(file("srv/app", b"1" * 300)), layer(file("srv/app", b"2" * 700))], ("web:1",))
    two = Image([base, layer(file("srv/app", b"3" * 900))], ("web:2",))
    path = tmp_path / "web.tar"
    path.write_bytes(pack(old_docker(one, two)))
    (tmp_path / "worker.tar").write_bytes(pack(old_docker(two)))
    return path


# -- importing it ------------------------------------------------------------------------------------------------------


def run(code: str, *arguments: str, cwd: Path | None = None) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], check=True, capture_output=True, text=True, cwd=cwd, timeout=60
    )
    assert done.stderr == ""
    return done.stdout


def test_importing_it_loads_nothing_else_and_starts_nothing() -> None:
    code = (
        "import sys, threading\n"
        "import lamina\n"
        "print(sorted(name for name in sys.modules if name.startswith('lamina')))\n"
        "print({'numpy', 'docker', 'requests', 'textual', 'argparse', 'dataclasses'} & set(sys.modules))\n"
        "print(threading.active_count())\n"
    )
    assert run(code) == "['lamina']\nset()\n1\n"


def test_every_public_name_is_there_typed_and_documented() -> None:
    assert len(lamina.__all__) == len(set(lamina.__all__))
    for name in set(lamina.__all__) - {"__version__"}:
        thing = getattr(lamina, name)
        assert thing.__doc__, name
        assert name in dir(lamina)
        if inspect.isfunction(thing):
            hints = inspect.get_annotations(thing)
            assert hints.keys() == {*inspect.signature(thing).parameters, "return"}, name
    for kind in (lamina.Image, lamina.Workspace):
        for name, member in inspect.getmembers(kind):
            if not name.startswith("_"):
                assert (getattr(member, "fget", None) or getattr(member, "func", None) or member).__doc__, name
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = lamina.nothing


def test_a_user_of_the_library_is_never_forked_unasked(web: Path, tmp_path: Path) -> None:
    # 120 MB: as much as makes the command start workers.
    big = tmp_path / "big.tar"
    big.write_bytes(pack(old_docker(Image([layer(file(f"f{n}", bytes(60 << 20))) for n in range(2)]), how="gzip")))
    code = (
        "import os, subprocess, sys, threading\n"
        "def refused(*arguments, **options): raise AssertionError('a process was started')\n"
        "os.fork = refused\n"
        "subprocess.Popen.__init__ = refused\n"
        "import lamina\n"
        "from lamina.workers.pool import Pool\n"
        "Pool.__init__.__kwdefaults__['worth'] = 0\n"
        "started = threading.Thread.start\n"
        "names = []\n"
        "threading.Thread.start = lambda self: (names.append(self.name), started(self))\n"
        "for workers in (None, 1):\n"
        "    names.clear()\n"
        "    image = lamina.open(sys.argv[1], workers=workers)\n"
        "    print(image.size, image.wasted, bool(names))\n"
    )
    assert run(code, str(big)) == f"{120 << 20} 0 True\n{120 << 20} 0 False\n"


def test_several_workers_are_processes_and_find_the_same(web: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    class Counted(Pool):
        def run(self, jobs: object, *rest: object) -> None:
            asked.append(len(jobs))  # type: ignore[arg-type]
            super().run(jobs, *rest)  # type: ignore[arg-type]

    expected = lamina.open(str(web), workers=1).report()
    assert lamina.open(str(web), workers=2).report() == expected
    forced = lamina.Workspace(workers=Counted(2, processes=True, joins=False, worth=0)).open(str(web)).report()
    assert asked
    assert forced == expected
    with pytest.raises(ValueError, match="at least 1"):
        lamina.open(str(web), workers=0)


def test_it_reads_no_environment_and_keeps_nothing_unasked(
    web: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAMINA_CACHE", str(tmp_path / "theirs"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    before = dict(os.environ)
    lamina.open(str(web))
    assert not (tmp_path / "theirs").exists()
    assert not (tmp_path / "xdg").exists()
    assert dict(os.environ) == before

    expected = lamina.open(str(web), cache=tmp_path / "ours").report()
    assert list((tmp_path / "ours").iterdir())
    assert lamina.open(str(web), cache=str(tmp_path / "ours")).report() == expected


# -- what it answers ---------------------------------------------------------------------------------------------------


def test_an_image_tells_what_the_report_tells(web: Path) -> None:
    image = lamina.open(f"{web}:web:1")

    told = json.loads(json.dumps(image.report()))["images"][0]
    for key in ("target", "id", "platform", "created", "size", "visible", "wasted", "efficiency", "files"):
        assert getattr(image, key) == told[key], key
    assert list(image.tags) == told["tags"] == ["web:1"]
    assert image.wasted == 300 == image.size - image.visible == sum(row.bytes for row in image.waste)
    for mine, its in zip(image.layers, told["layers"], strict=True):
        for key in ("index", "diff_id", "chain_id", "digest", "blob_size", "instruction", "created", "size", "wasted"):
            assert getattr(mine, key) == its[key], key
        assert (mine.hides, mine.added.count, mine.added.bytes) == (
            its["hides"],
            its["added"]["count"],
            its["added"]["bytes"],
        )
    assert [(row.path, row.cause.word, row.layer, row.hidden_by) for row in image.waste] == [
        (b"srv/app", "overwritten", 1, 2)
    ]
    assert [duplicate.paths for duplicate in image.duplicates] == [(b"etc/base", b"etc/copy")]
    assert isinstance(image.advice, list)
    assert image.config["os"] == "linux"
    assert "web:1" in repr(image)


def test_sharing_and_comparing(web: Path) -> None:
    workspace = lamina.Workspace()
    one, two = (workspace.open(f"{web}:{name}") for name in ("web:1", "web:2"))

    sharing = lamina.share([one, two])
    assert (sharing.sum, sharing.on_disk, sharing.unique) == (21_900, 11_900, (1000, 900))
    step = lamina.compare(one, two)
    assert (step.pull.compressed, step.disk, step.modified.count) == (False, 900, 1)


def test_a_cancelled_opening_says_so(web: Path) -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(lamina.Cancelled):
        lamina.Workspace().open(str(web), cancel=cancel)


@pytest.mark.parametrize("target", ["nowhere.tar", "container:web", "oci:"])
def test_what_can_not_be_opened_is_a_lamina_error(target: str) -> None:
    with pytest.raises(lamina.LaminaError):
        lamina.open(target)


def test_a_reading_that_was_given_up_is_not_stacked(web: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cancel, workspace = threading.Event(), lamina.Workspace()
    source, name = workspace.resolve(str(web))
    read = source.read

    def interrupted(*arguments: Any, **options: Any) -> Any:
        found = read(*arguments, **options)
        cancel.set()  # the last moment in which it may come
        return found

    monkeypatch.setattr(source, "read", interrupted)
    monkeypatch.setattr("lamina.figures.image.compute", lambda *_: pytest.fail("it was stacked all the same"))

    with pytest.raises(lamina.Cancelled):
        workspace.load_all(source, name, NullObserver(), cancel)


# -- the README --------------------------------------------------------------------------------------------------------


def test_the_readmes_example_runs_as_it_stands(web: Path) -> None:
    text = (ROOT / "README.md").read_text()
    (example,) = re.findall(r"<!-- library -->\n```python\n(.*?)```", text, re.DOTALL)
    said = run(example, cwd=web.parent)
    assert said.splitlines() == [
        "300 of 11000 bytes wasted in 3 layers",
        "300 srv/app (overwritten): shipped by layer 1, hidden by layer 2",
        "on disk 11900, and a pull of the second costs 2560 bytes",
        "it begins with b'2222'",
    ]
