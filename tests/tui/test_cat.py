"""``lamina cat`` and ``lamina extract``: what they print, what they write, and how they end."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import tempfile
from pathlib import Path

import pytest

import builders
from engine.tools import LAMINA
from tars import directory, file, hardlink, layer_tar, symlink, whiteout

RAW = bytes(range(256)) * 10
NEW = b"esc\x1b[31m\tnew\r\n"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "web.tar"
    layers = [
        layer_tar(file("etc/motd", b"old\n"), file("bin/app", RAW), file("gone", b"1"), symlink("l", "etc/motd")),
        layer_tar(
            directory("etc"), file("etc/motd", b"esc\x1b[31m\tnew\r\n"), whiteout("gone"), hardlink("h", "bin/app")
        ),
    ]
    path.write_bytes(builders.pack(builders.old_docker(builders.Image(layers))))
    return path


def lamina(*arguments: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([LAMINA, *map(str, arguments)], input=stdin, capture_output=True, timeout=60, check=False)


def on_a_terminal(*arguments: str | Path) -> bytes:
    """What a command writes where its standard output is a terminal."""
    ours, theirs = os.openpty()
    try:
        process = subprocess.Popen(
            [LAMINA, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.PIPE
        )
        _, errors = process.communicate(timeout=60)
        os.close(theirs)
        written = b""
        while True:
            try:
                data = os.read(ours, 65536)
            except OSError:
                break
            if not data:
                break
            written += data
    finally:
        os.close(ours)
    return written + errors


def test_bytes_go_into_a_pipe_as_they_are(archive: Path) -> None:
    done = lamina("cat", archive, "bin/app", "/l", "h")

    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == RAW + NEW + RAW


def test_a_terminal_gets_nothing_that_controls_it(archive: Path) -> None:
    assert on_a_terminal("cat", archive, "etc/motd") == b"esc\\x1b[31m\tnew\\r\r\n"
    assert b"it is binary: write it into a file or a pipe" in on_a_terminal("cat", archive, "bin/app")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("etc/none",), 3, "lamina: no etc/none in app:1"),
        (("gone",), 3, "lamina: no gone in app:1: layer 0 has it, layer 1 removes it"),
        (("etc",), 3, "lamina: etc of app:1 is a folder, not a file"),
        (("etc/motd", "--layer", "7"), 3, "lamina: app:1 has layers 0 to 1: there is no layer 7"),
        (("etc/motd", "--layer", "x"), 2, "lamina: argument --layer: invalid number value: 'x'"),
        (
            ("etc/motd", "--layer", "0", "--up-to", "1"),
            2,
            "lamina: argument --up-to: not allowed with",
        ),
        ((), 2, "lamina: the following arguments are required: PATH"),
    ],
)
def test_what_can_not_be_is_one_line_and_prints_nothing(
    archive: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = lamina("cat", archive, *arguments)

    assert (done.returncode, done.stdout) == (code, b"")
    assert done.stderr.decode().startswith(said)
    assert done.stderr.count(b"\n") == 1


def test_one_path_that_is_not_there_keeps_all_from_being_printed(archive: Path) -> None:
    done = lamina("cat", archive, "etc/motd", "etc/none")

    assert (done.returncode, done.stdout) == (3, b"")


@pytest.mark.parametrize("redirected", [False, True], ids=["a pipe", "a file"])
def test_an_archive_on_standard_input(archive: Path, redirected: bool, tmp_path: Path) -> None:
    before = set(Path(tempfile.gettempdir()).glob("lamina-*.tar"))
    command = [str(LAMINA), "cat", "-", "etc/motd", "--layer", "0"]
    if redirected:
        with archive.open("rb") as stdin:
            done = subprocess.run(command, stdin=stdin, capture_output=True, timeout=60, check=False)
    else:
        done = subprocess.run(command, input=archive.read_bytes(), capture_output=True, timeout=60, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, b"old\n", b"")
    assert set(Path(tempfile.gettempdir()).glob("lamina-*.tar")) <= before


def test_standard_input_that_is_no_archive(tmp_path: Path) -> None:
    done = lamina("cat", "-", "etc/motd", stdin=b"no archive at all" * 100)

    assert done.returncode == 3
    assert b"/tmp" not in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_sample_image_needs_no_engine() -> None:
    assert lamina("cat", "demo", "etc/os-release").stdout.startswith(b"PRETTY_NAME=")


def test_extract_says_what_it_left_out(archive: Path, tmp_path: Path) -> None:
    done = lamina("extract", archive, "l", "-o", tmp_path / "taken")

    assert done.returncode == 0
    assert done.stderr == b"lamina: l is a link, taken as it is: it leads to etc/motd\n"
    assert (tmp_path / "taken").is_symlink()


def test_extract_refuses_and_says_what(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "motd").mkdir()

    done = lamina("extract", archive, "etc/motd", "-o", tmp_path, "--force")

    assert done.returncode == 3
    assert done.stderr == b"lamina: motd: not written, a folder of that name is there\n"


def test_a_tar_on_standard_output(archive: Path) -> None:
    done = lamina("extract", archive, "/", "-o", "-")

    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
        assert sorted(tar.getnames()) == ["bin", "bin/app", "etc", "etc/motd", "h", "l"]
        assert tar.getmember("h").islnk()
        assert tar.getmember("h").linkname == "bin/app"
    assert b"a tar on a terminal" in on_a_terminal("extract", archive, "/", "-o", "-")


def test_a_layer_as_a_tar_is_a_layer(archive: Path) -> None:
    done = lamina("extract", archive, "/", "--layer", "1", "-o", "-")

    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
        assert sorted(tar.getnames()) == [".wh.gone", "etc", "etc/motd"]
    assert done.stderr == b"lamina: h: left out, the file that it is another name of is in another layer\n"
