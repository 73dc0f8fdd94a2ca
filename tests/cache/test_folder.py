"""The folder that what was read is kept in: private, whole, bounded, and never in the way."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pwd
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from builders import new_docker, oci
from cache.support import (
    NOBODY,
    acting_as,
    cache_in,
    figures,
    folder_for,
    kept,
    python,
    report_command,
    rich_image,
    tiny_disk,
    written,
)
from lamina.cache import folder as folder_module
from lamina.cache.folder import DEFAULT_LIMIT, CacheFolder, default_cache_folder, default_folder

HOUR = 3600.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "er" / "cache"


def set_age(path: Path, seconds: float) -> None:
    """Make a file look as if it was last used so long before now."""
    moment = path.stat().st_mtime - seconds
    os.utime(path, (moment, moment))


def path_of(cache: CacheFolder, key: str) -> Path:
    path = cache._path(key)
    assert path is not None
    return path


# -- what is put in comes out ------------------------------------------------------------------------------------------


def test_what_is_put_in_comes_out(folder: Path) -> None:
    cache = CacheFolder(folder)
    assert cache.get("diff:a") is None
    assert not cache.has("diff:a")
    cache.put("diff:a", b"one")
    cache.put("diff:b\n\0\x1b../../etc/passwd", b"")
    cache.put("diff:a", b"two")
    assert cache.get("diff:a") == b"two"
    assert cache.get("diff:b\n\0\x1b../../etc/passwd") == b""
    assert cache.has("diff:a")
    assert CacheFolder(folder).get("diff:a") == b"two"
    assert len(kept(folder)) == len(list(folder.iterdir())) == 2


def test_what_proved_damaged_can_be_dropped(folder: Path) -> None:
    cache = CacheFolder(folder)
    cache.drop("diff:a")
    cache.put("diff:a", b"one")
    cache.drop("diff:a")
    assert not cache.has("diff:a")
    assert not kept(folder)


def test_nothing_is_kept_without_a_folder() -> None:
    cache = CacheFolder(None)
    cache.put("a", b"one")
    cache.drop("a")
    cache.trim()
    assert cache.get("a") is None
    assert not cache.has("a")
    assert cache.entries() == []
    assert cache.clear() == 0


def test_nothing_is_made_before_something_is_kept(folder: Path) -> None:
    cache = CacheFolder(folder)
    cache.get("a")
    cache.has("a")
    cache.trim()
    cache.drop("a")
    assert cache.entries() == []
    assert cache.clear() == 0
    assert not folder.parent.exists()


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_the_folder_and_its_files_are_private(folder: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        CacheFolder(folder).put("a", b"one")
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in kept(folder)] == [0o600]


# -- least recently used -----------------------------------------------------------------------------------------------


def test_the_least_recently_used_go_first(folder: Path) -> None:
    cache = CacheFolder(folder, limit=1000)
    for n in range(9):
        cache.put(f"k{n}", bytes(100))
        set_age(path_of(cache, f"k{n}"), (10 - n) * HOUR)
    assert cache.get("k0") is not None  # used just now
    assert next(entry.path for entry in cache.entries()) == path_of(cache, "k0")
    cache.put("k9", bytes(100))
    assert all(cache.has(f"k{n}") for n in range(10)), "exactly the limit is no reason to clean"
    cache.put("k10", bytes(100))
    cache.trim()
    assert [n for n in range(11) if cache.has(f"k{n}")] == [0, 4, 5, 6, 7, 8, 9, 10]
    assert sum(entry.size for entry in cache.entries()) == 800


def test_a_run_that_writes_little_also_keeps_the_limit(folder: Path) -> None:
    for run in range(40):
        cache = CacheFolder(folder, limit=10_000)
        for n in range(3):
            cache.put(f"run {run} key {n}", bytes(300))
    assert sum(entry.size for entry in CacheFolder(folder).entries()) <= 11_000


def test_a_long_run_keeps_the_limit(folder: Path) -> None:
    cache = CacheFolder(folder, limit=10_000)
    for n in range(300):
        cache.put(f"key {n}", bytes(300))
        assert sum(entry.size for entry in cache.entries()) <= 11_300
    assert cache.has("key 299")


def test_what_is_larger_than_the_limit_is_not_kept(folder: Path) -> None:
    cache = CacheFolder(folder, limit=1000)
    cache.put("small", bytes(10))
    cache.put("large", bytes(1001))
    assert cache.has("small")
    assert not cache.has("large")


def test_a_limit_of_nothing_keeps_nothing(folder: Path) -> None:
    cache = CacheFolder(folder, limit=0)
    cache.put("a", b"1")
    assert not folder.exists()


def test_clearing_tells_what_became_free_and_touches_nothing_else(folder: Path) -> None:
    cache = CacheFolder(folder)
    cache.put("a", bytes(100))
    cache.put("b", bytes(50))
    others = [folder / "film.mkv.part", folder / "notes.txt", folder / "lamina", folder / "sub.lamina-partial"]
    for other in others:
        other.write_bytes(b"not ours")
        set_age(other, 1000 * HOUR)
    (folder / "half.lamina-part").write_bytes(bytes(7))
    cache.trim()
    assert cache.clear() == 157
    assert sorted(folder.iterdir()) == sorted(others)


# -- crashes and company -----------------------------------------------------------------------------------------------

WRITE_FOR_EVER = """
import sys
from pathlib import Path
from lamina.cache.folder import CacheFolder
cache, number = CacheFolder(Path(sys.argv[1])), 0
while True:
    number += 1
    cache.put("key", bytes([number % 251]) * (100_000 + number % 7))
"""


def whole(value: bytes) -> bool:
    return value == value[:1] * (100_000 + (len(value) - 100_000)) and 100_000 <= len(value) < 100_007


def test_a_writer_that_is_killed_leaves_only_whole_values(folder: Path) -> None:
    cache = CacheFolder(folder)
    for _ in range(3):
        writer = python(WRITE_FOR_EVER, str(folder))
        try:
            seen: set[bytes] = set()
            while len(seen) < 20:
                assert writer.poll() is None, writer.communicate()
                value = cache.get("key")
                if value is not None:
                    assert whole(value)
                    seen.add(value[:1] + bytes([len(value) % 251]))
        finally:
            writer.kill()
            writer.communicate()
        value = cache.get("key")
        assert value is not None
        assert whole(value)


DIE_BEFORE_RENAMING = """
import os, signal, sys
from pathlib import Path
from lamina.cache.folder import CacheFolder
os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
CacheFolder(Path(sys.argv[1])).put("key", bytes(5000))
"""


def test_what_a_crashed_writer_left_goes_when_it_is_old(folder: Path) -> None:
    writer = python(DIE_BEFORE_RENAMING, str(folder))
    writer.communicate(timeout=30)
    assert writer.returncode == -9
    (left,) = folder.iterdir()
    assert left.name.endswith(".lamina-part")
    assert left.stat().st_size == 5000
    cache = CacheFolder(folder)
    assert cache.get("key") is None
    assert cache.entries() == []
    cache.put("other", b"1")
    cache.trim()
    assert left.exists(), "another writer may still be at it"
    set_age(left, 2 * HOUR)
    cache.trim()
    assert not left.exists()
    assert cache.has("other")


SHARE = """
import hashlib, random, sys
from pathlib import Path
from lamina.cache.folder import CacheFolder
cache = CacheFolder(Path(sys.argv[1]), limit=400_000)
generator = random.Random(sys.argv[2])
hits = 0
for _ in range(400):
    key = f"key {generator.randrange(12)}"
    value = cache.get(key)
    if value is not None:
        hits += 1
        assert hashlib.sha256(key.encode() + value[32:]).digest() == value[:32], key
    body = generator.randbytes(generator.randrange(40_000))
    cache.put(key, hashlib.sha256(key.encode() + body).digest() + body)
    if generator.random() < 0.05:
        cache.trim()
    if generator.random() < 0.01:
        cache.clear()
assert hits > 100
print("sound")
"""


def test_two_processes_can_share_a_folder(folder: Path) -> None:
    others = [python(SHARE, str(folder), str(n)) for n in range(2)]
    assert [other.communicate(timeout=60)[0] for other in others] == [b"sound\n"] * 2
    assert not kept(folder, "-part")


def test_two_commands_at_once_give_the_same_figures(tmp_path: Path) -> None:
    archive = written(tmp_path, oci(rich_image(), how="gzip"))
    environment = {**os.environ, "LAMINA_CACHE": str(tmp_path / "cache")}
    command = [Path(sys.executable).with_name("lamina"), "report", "--json", archive]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) for _ in range(2)
    ]
    for process in running:
        out, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, b"")
        assert json.loads(out)["images"] == [json.loads(json.dumps(figures(archive)))]
    assert len(kept(tmp_path / "cache")) == 4


# -- folders that are no good ------------------------------------------------------------------------------------------


def test_a_folder_of_another_user_is_not_believed(folder: Path) -> None:
    if os.geteuid() != 0:
        folder = Path("/etc/lamina-test-never-there")
        CacheFolder(folder).put("a", b"1")
        assert not folder.exists()
        return
    cache = CacheFolder(folder)
    cache.put("a", b"1")
    os.chown(folder, NOBODY, NOBODY)
    before = sorted(folder.iterdir())
    assert cache.get("a") is None
    assert not cache.has("a")
    cache.put("b", b"2")
    cache.drop("a")
    assert sorted(folder.iterdir()) == before
    os.chown(folder, 0, 0)
    assert cache.get("a") == b"1"


@pytest.mark.parametrize("mode", [0o770, 0o720, 0o702, 0o777, 0o1777])
def test_a_folder_that_others_may_write_to_is_not_believed(folder: Path, mode: int) -> None:
    cache = CacheFolder(folder)
    cache.put("a", b"1")
    folder.chmod(mode)
    assert cache.get("a") is None
    assert not cache.has("a")
    cache.put("b", b"2")
    assert len(kept(folder)) == 1
    folder.chmod(0o755)  # others may look
    assert cache.get("a") == b"1"


def test_an_index_that_a_stranger_could_have_planted_changes_nothing(tmp_path: Path) -> None:
    archive, cache = written(tmp_path, oci(rich_image())), tmp_path / "cache"
    sound = figures(archive)
    assert figures(archive, cache_in(cache)) == sound
    # Another image's index in the place of each.
    (tmp_path / "other").mkdir()
    other = rich_image("other:1")
    figures(written(tmp_path, oci(other, how="zstd"), "other.tar"), cache_in(tmp_path / "other"))
    planted = kept(tmp_path / "other")[0].read_bytes()
    for path in kept(cache):
        path.write_bytes(planted)
    cache.chmod(0o777)
    assert figures(archive, cache_in(cache)) == sound


@pytest.mark.parametrize("make", ["a file", "a dangling link", "below a file", "a loop", "a name too long"])
def test_a_folder_that_can_not_be_there_is_no_error(tmp_path: Path, make: str) -> None:
    folder = tmp_path / "cache"
    if make == "a file":
        folder.write_bytes(b"")
    elif make == "a dangling link":
        folder.symlink_to(tmp_path / "nowhere")
    elif make == "below a file":
        folder.write_bytes(b"")
        folder = folder / "below"
    elif make == "a loop":
        folder.symlink_to(folder)
    else:
        folder = tmp_path / ("x" * 300)
    cache = CacheFolder(folder)
    cache.put("a", b"1")
    assert cache.get("a") is None
    assert not cache.has("a")
    cache.drop("a")
    cache.trim()
    assert cache.entries() == []
    assert figures(written(tmp_path, oci(rich_image())), cache_in(folder))["files"]


def test_something_else_in_the_place_of_a_file_is_no_error(folder: Path) -> None:
    cache = CacheFolder(folder)
    cache.put("a", b"1")
    for key in ("folder", "link"):
        path = path_of(cache, key)
        if key == "folder":
            path.mkdir()
        else:
            path.symlink_to("nowhere")
        assert cache.get(key) is None
        assert not cache.has(key)
        cache.put(key, b"2")
    cache.trim()
    assert cache.get("link") == b"2"
    assert not kept(folder, "-part")


def test_a_cache_that_can_only_be_read_is_read(tmp_path: Path) -> None:
    archive = written(tmp_path, oci(rich_image()))
    with folder_for(NOBODY) as theirs:
        target, cache = theirs / "image.tar", theirs / "cache"
        target.write_bytes(archive.read_bytes())
        target.chmod(0o644)
        alone = figures(target)
        with acting_as(NOBODY):
            assert figures(target, cache_in(cache)) == alone
        before = kept(cache)
        assert len(before) == 4, "three layers, and the image"
        cache.chmod(0o500)
        times = [path.stat().st_mtime_ns for path in before]
        with acting_as(NOBODY):
            assert figures(target, cache_in(cache)) == alone
        assert times != [path.stat().st_mtime_ns for path in before], "it was not used"
        for path in before:
            path.write_bytes(b"damaged, and can't be replaced")
        with acting_as(NOBODY):
            assert figures(target, cache_in(cache)) == alone
            assert figures(target, cache_in(cache)) == alone
        assert kept(cache) == before


def test_a_cache_that_can_not_be_written_is_no_error(tmp_path: Path) -> None:
    archive = written(tmp_path, new_docker(rich_image()))
    with folder_for(NOBODY) as theirs:
        target = theirs / "image.tar"
        target.write_bytes(archive.read_bytes())
        target.chmod(0o644)
        alone = figures(target)
        theirs.chmod(0o555)
        folders = (theirs / "cache", theirs, Path("/proc/1/cache"), Path("/root/cache"), Path("/dev/null"))
        with acting_as(NOBODY):
            for folder in folders:
                for _ in range(2):
                    assert figures(target, cache_in(folder)) == alone
        assert list(theirs.iterdir()) == [target]
        assert not any(folder.exists() for folder in folders[2:4])


# -- a full disk -------------------------------------------------------------------------------------------------------


def test_a_full_disk_is_no_error(tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "disk", "64k") as disk:
        cache = CacheFolder(disk / "cache")
        for n in range(40):
            cache.put(f"key {n}", bytes([n]) * 5000)
            value = cache.get(f"key {n}")
            assert value in (None, bytes([n]) * 5000)
        kept_now = [n for n in range(40) if cache.has(f"key {n}")]
        assert 0 < len(kept_now) < 40
        assert all(cache.get(f"key {n}") == bytes([n]) * 5000 for n in kept_now)
        assert not kept(disk / "cache", "-part"), "what did not fit was left behind"


@pytest.mark.parametrize("size", ["8k", "32k"])
def test_figures_on_a_full_disk_are_the_same(tmp_path: Path, size: str) -> None:
    archive = written(tmp_path, oci(rich_image()))
    alone = figures(archive)
    with tiny_disk(tmp_path / "disk", size) as disk:
        for _ in range(3):
            assert figures(archive, cache_in(disk / "cache")) == alone
            assert figures(archive, cache_in(disk)) == alone
        fill = disk / "fill"
        with contextlib.suppress(OSError), fill.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(512))
        assert figures(archive, cache_in(disk / "new")) == alone


# -- the environment ---------------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("LAMINA_CACHE", raising=False)
    monkeypatch.delenv("LAMINA_CACHE_LIMIT", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("word", ["off", "OFF", "no", "0", "none", "None"])
def test_a_word_turns_the_cache_off(home: Path, monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv("LAMINA_CACHE", word)
    assert default_folder() is None
    assert default_cache_folder().path is None


@contextlib.contextmanager
def standing_in(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def test_the_environment_says_where(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert default_folder() == home / ".cache" / "lamina"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    assert default_folder() == home / ".cache" / "lamina"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/folder")  # the specification: ignored
    assert default_folder() == home / ".cache" / "lamina"
    monkeypatch.setenv("XDG_CACHE_HOME", "/srv/cache")
    assert default_folder() == Path("/srv/cache/lamina")
    monkeypatch.setenv("LAMINA_CACHE", "/srv/mine")
    assert default_folder() == Path("/srv/mine")
    monkeypatch.setenv("LAMINA_CACHE", "")
    assert default_folder() == Path("/srv/cache/lamina")


def test_without_a_home_nothing_is_kept(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody_there(uid: int) -> pwd.struct_passwd:
        raise KeyError(uid)

    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", nobody_there)
    assert default_folder() is None
    with standing_in(home):
        figures(written(home, oci(rich_image())), None)
    assert [path.name for path in home.iterdir()] == ["image.tar"]


@pytest.mark.parametrize(
    ("said", "limit"),
    [
        ("1000", 1000),
        ("0", 0),
        ("", DEFAULT_LIMIT),
        ("-1", DEFAULT_LIMIT),
        ("1e9", DEFAULT_LIMIT),
        ("1 GB", DEFAULT_LIMIT),
        ("\u0661\u0662", DEFAULT_LIMIT),
        ("9" * 5000, DEFAULT_LIMIT),
    ],
)
def test_the_environment_says_how_much(home: Path, monkeypatch: pytest.MonkeyPatch, said: str, limit: int) -> None:
    monkeypatch.setenv("LAMINA_CACHE_LIMIT", said)
    assert default_cache_folder().limit == limit


def test_the_command_keeps_what_it_is_told_to(tmp_path: Path, home: Path) -> None:
    archive, folder = written(tmp_path, oci(rich_image())), tmp_path / "kept here"
    code, out, err = report_command(archive, "off")
    assert (code, err) == (0, b"")
    assert json.loads(out)["images"] == [json.loads(json.dumps(figures(archive)))]
    assert not (home / ".cache").exists()
    assert report_command(archive, folder) == (code, out, err)
    assert len(kept(folder)) == 4
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_file_names_tell_nothing_of_images(folder: Path) -> None:
    cache = CacheFolder(folder)
    cache.put("diff:sha256:abc", b"1")
    (path,) = kept(folder)
    assert path.name == hashlib.sha256(b"diff:sha256:abc").hexdigest()[:40] + folder_module._SUFFIX
