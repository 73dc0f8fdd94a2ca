"""The command line: what goes where, and how it ends."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from builders import Image, file, layer, old_docker, pack
from lamina_tui import cli


@pytest.fixture
def archive(tmp_path: Path) -> str:
    """An image whose one removed file wastes 1,000 bytes."""
    image = Image([layer(file("a", b"1" * 1000), file("b", b"2" * 500)), layer(file(".wh.a"))], tags=("web:1",))
    path = tmp_path / "web.tar"
    path.write_bytes(pack(old_docker(image)))
    return str(path)


@pytest.fixture
def pair(tmp_path: Path) -> str:
    images = [Image([layer(file("f", name.encode()))], tags=(f"{name}:1",)) for name in ("one", "two")]
    path = tmp_path / "pair.tar"
    path.write_bytes(pack(old_docker(*images)))
    return str(path)


def run(*words: str, stdin: bytes = b"", **options: object) -> subprocess.CompletedProcess[bytes]:
    """The command as a process of its own, without a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "lamina_tui", *words],
        input=stdin,
        capture_output=True,
        timeout=60,
        check=False,
        **options,
    )


def test_json_goes_to_stdout_and_nothing_else(archive: str) -> None:
    result = run("report", archive, "--json")
    assert result.returncode == 0
    assert result.stderr == b""
    report = json.loads(result.stdout)
    assert report["schema"] == "lamina.report/1"
    assert report["images"][0]["wasted"] == 1000


@pytest.mark.parametrize("words", [("report",), ()])
def test_text_is_what_a_pipe_gets(archive: str, words: tuple[str, ...]) -> None:
    result = run(*words, archive)
    assert result.returncode == 0
    assert result.stdout.startswith(b"web:1 ")
    assert "1.0 KB wasted" in result.stdout.decode()


def test_markdown(archive: str) -> None:
    assert b"web\\:1" in run("report", archive, "--markdown").stdout


def test_all_images_of_an_archive_are_reported(pair: str) -> None:
    images = json.loads(run("report", pair, "--json").stdout)["images"]
    assert [image["tags"] for image in images] == [["one:1"], ["two:1"]]
    images = json.loads(run("report", f"{pair}:two:1", "--json").stdout)["images"]
    assert [image["tags"] for image in images] == [["two:1"]]


def test_the_samples_without_a_terminal() -> None:
    result = run("demo")
    assert result.returncode == 0
    assert b"shop-web:1.5" in result.stdout
    assert b"shop-worker:2.0" in result.stdout


def test_standard_input(archive: str) -> None:
    data = Path(archive).read_bytes()
    assert run("report", "-", stdin=data).stdout == run("-", stdin=data).stdout != b""


def test_options_may_stand_anywhere(archive: str) -> None:
    expected = run("report", archive, "--json").stdout
    for words in (
        ("--host", "unix:///none", "report", archive, "--json"),
        ("report", "--json", archive, "--host", "x"),
    ):
        assert run(*words).stdout == expected


def test_output_file_is_whole(archive: str, tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    result = run("report", archive, "--json", "-o", str(target))
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")
    assert json.loads(target.read_text())["images"][0]["wasted"] == 1000
    assert target.stat().st_mode & 0o777 == 0o666 & ~_umask()


def test_output_file_stays_as_it_was_on_an_error(tmp_path: Path) -> None:
    target, broken = tmp_path / "out.json", tmp_path / "broken.tar"
    target.write_text("precious")
    broken.write_bytes(b"no archive at all")
    result = run("report", str(broken), "-o", str(target))
    assert result.returncode == 3
    assert target.read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken.tar", "out.json"]


def test_output_keeps_the_mode_of_the_file_it_replaces(archive: str, tmp_path: Path) -> None:
    target = tmp_path / "out.txt"
    target.write_text("old")
    target.chmod(0o640)
    assert run("report", archive, "-o", str(target)).returncode == 0
    assert target.stat().st_mode & 0o777 == 0o640


def test_output_to_a_device(archive: str) -> None:
    assert b"web:1" in run("report", archive, "-o", "/dev/stdout").stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("report",), b"TARGET"),
        (("report", "x", "--bogus"), b"--bogus"),
        (("--bogus",), b"--bogus"),
        (("report", "x", "--json", "--markdown"), b"not allowed with"),
        (("demo", "x"), b"docker-daemon:demo"),
        ((), b"no terminal to draw on"),
        (("report", "x.tar", "-o", "/no/such/folder/x"), b"no such folder: /no/such/folder"),
    ],
)
def test_usage_errors_are_one_line(words: tuple[str, ...], says: bytes) -> None:
    result = run(*words)
    assert result.returncode == 2
    assert result.stdout == b""
    assert result.stderr.count(b"\n") == 1
    assert says in result.stderr


def test_what_cannot_be_read_is_one_line_and_three(tmp_path: Path) -> None:
    odd = tmp_path / "odd\x1b[31m\n.tar"
    odd.write_bytes(b"no archive")
    for target in ("no/such.tar", str(odd), str(tmp_path)):
        result = run("report", target)
        assert result.returncode == 3
        assert result.stdout == b""
        assert result.stderr.startswith(b"lamina: ")
        assert result.stderr.count(b"\n") == 1
        assert b"\x1b" not in result.stderr


def test_an_engine_that_is_not_there(tmp_path: Path) -> None:
    result = run("report", "web:1", "--host", f"unix://{tmp_path}/none.sock")
    assert result.returncode == 3
    assert result.stderr.count(b"\n") == 1


def test_a_reader_that_goes_away_is_no_error(archive: str) -> None:
    command = f"{sys.executable} -m lamina_tui report {archive} --json | head -c 1 >/dev/null; echo ${{PIPESTATUS[0]}}"
    result = subprocess.run(["bash", "-c", command], capture_output=True, timeout=60, check=False)
    assert result.stderr == b""
    assert result.stdout == b"0\n"


def test_a_full_disk_is_told(archive: str) -> None:
    with Path("/dev/full").open("wb") as full:
        result = subprocess.run(
            [sys.executable, "-m", "lamina_tui", "report", archive],
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    assert result.returncode == 3
    assert result.stderr.count(b"\n") == 1
    assert b"No space left" in result.stderr


def test_an_interrupt_ends_with_130(tmp_path: Path) -> None:
    import signal
    import time

    # The first 64 KiB of a member of a terabyte: the reading waits for more.
    member = tarfile.TarInfo("layer.tar")
    member.size = 1 << 40
    process = subprocess.Popen(
        [sys.executable, "-m", "lamina_tui", "report", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    process.stdin.write(member.tobuf(tarfile.GNU_FORMAT) + bytes(65536))
    process.stdin.flush()
    while b"lamina_tui" not in Path(f"/proc/{process.pid}/cmdline").read_bytes() or _not_reading(process.pid):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == b""
    assert b"Traceback" not in err


def _not_reading(pid: int) -> bool:
    """Whether the process does not catch SIGINT by its own handler yet: numpy and the rest are still loading."""
    caught = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigCgt"))
    threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
    return not int(caught.split()[1], 16) & 2 or threads < 2


def test_help_and_version() -> None:
    result = run("--help")
    assert result.returncode == 0
    for word in (b"lamina demo", b"docker-archive:", b"exit codes", b"DOCKER_HOST"):
        assert word in result.stdout
    assert b"--verify" in run("report", "--help").stdout
    assert run("--version").stdout.startswith(b"lamina ")


def test_names_that_stdout_cannot_encode(archive: str, tmp_path: Path) -> None:
    image = Image([layer(file("é→宽", b"1" * 5000)), layer(file(".wh.é→宽"))], tags=("é:1",))
    path = tmp_path / "e.tar"
    path.write_bytes(pack(old_docker(image)))
    result = run("report", str(path), env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert result.returncode == 0
    assert result.stdout.isascii()
    assert rb"\xe9" in result.stdout


def test_narration_only_on_a_terminal() -> None:
    from lamina.model import Progress
    from lamina_tui.commands.progress_line import ProgressLine

    class Tty(io.StringIO):
        def isatty(self) -> bool:
            return True

    for stream, shown in ((io.StringIO(), False), (Tty(), True)):
        with ProgressLine(stream) as line:
            line.progress(Progress(5_000_000, 10_000_000, "layer 1\x1b[31m"))
        assert ("5.0 MB of 10.0 MB" in stream.getvalue()) is shown
        assert "\x1b[31m" not in stream.getvalue()
        if shown:
            assert stream.getvalue().endswith("\r\x1b[K")


def test_main_takes_arguments(archive: str, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert cli.main(["report", archive]) == 0
    assert b"web:1" in capsysbinary.readouterr().out


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


# What images share, and what a step costs


@pytest.fixture
def versions(tmp_path: Path) -> list[str]:
    """Two versions on one base."""
    base = layer(file("base", b"b" * 5000))
    paths = []
    for name, data in (("1", b"1" * 300), ("2", b"2" * 400)):
        path = tmp_path / f"app{name}.tar"
        image = Image([base, layer(file("app", data), file(f"only{name}", b"o"))], tags=(f"app:{name}",))
        path.write_bytes(pack(old_docker(image)))
        paths.append(str(path))
    return paths


def test_shared_as_text_json_and_markdown(versions: list[str], tmp_path: Path) -> None:
    text = run("shared", *versions)
    assert text.returncode == 0
    assert text.stdout.startswith(b"2 images: 10.7 KB in all, 5.7 KB on disk, 5.0 KB saved by sharing\n")
    report = json.loads(run("shared", *versions, "--json").stdout)
    assert report["schema"] == "lamina.report/1"
    assert [image["tags"] for image in report["images"]] == [["app:1"], ["app:2"]]
    assert report["sharing"]["images"][0]["frees"] == 301
    assert report["sharing"]["pairs"][0]["shared"] == 5000
    target = tmp_path / "out.md"
    assert run("shared", *versions, "--markdown", "-o", str(target)).stdout == b""
    assert target.read_text().startswith("**2 images")


def test_diff_as_text_json_and_markdown(versions: list[str]) -> None:
    text = run("diff", *versions)
    assert text.returncode == 0
    assert text.stdout.startswith("app:1 → app:2\n".encode())
    diff = json.loads(run("diff", *versions, "--json").stdout)
    assert diff["schema"] == "lamina.diff/1"
    assert diff["disk"] == 401
    assert diff["parting"] == {"index": 1, "before": "step 1", "after": "step 1", "same_instruction": True}
    assert diff["modified"] == {"count": 1, "bytes": 400}
    assert [(row["path"], row["change"]) for row in diff["files"]] == [
        ("app", "modified"),
        ("only1", "removed"),
        ("only2", "added"),
    ]
    assert b"### app\\:1" in run("diff", *versions, "--markdown").stdout


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["diff"], 2),
        (["diff", "one.tar"], 2),
        (["diff", "a.tar", "b.tar", "c.tar"], 2),
        (["diff", "no/a.tar", "no/b.tar"], 3),
        (["shared", "no/a.tar"], 3),
        (["shared", "--host", "unix:///no/engine.sock"], 3),
        (["shared", "--json", "--markdown"], 2),
        (["diff", "a.tar", "b.tar", "-o", "/no/such/folder/x"], 2),
    ],
    ids=str,
)
def test_what_can_not_be_done_is_one_line(words: list[str], code: int) -> None:
    result = run(*words)
    assert result.returncode == code
    assert result.stdout == b""
    assert result.stderr.startswith(b"lamina: ")
    assert result.stderr.count(b"\n") == 1


@pytest.mark.parametrize("name", ["shared", "diff", "report", "cache"])
def test_each_command_has_its_own_help(name: str) -> None:
    for words in ([name, "--help"], ["-h", name]):
        result = run(*words)
        assert result.returncode == 0
        assert result.stdout.startswith(f"usage: lamina {name} ".encode())


def test_the_help_names_every_command() -> None:
    text = run("--help").stdout.decode()
    for name in ("demo", "report", "shared", "diff", "cache"):
        assert f"lamina {name}" in text


# -- standard streams that are closed, or full -------------------------------------------------------------------------


def in_shell(command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A shell command in which ``$0`` is lamina."""
    program = f'"{sys.executable}" -m lamina_tui'
    return subprocess.run(
        ["sh", "-c", command.replace("$0", program), "sh", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("command", "code", "out", "err"),
    [
        ("$0 report $1 2>&-", 0, "app:1", ""),
        ("$0 report nowhere.tar 2>&-", 3, "", ""),
        ("$0 report - <&-", 3, "", "lamina: standard input is empty: no image archive came"),
        ("$0 - <&-", 3, "", "lamina: standard input is empty: no image archive came"),
        ("$0 report $1 <&-", 0, "app:1", ""),
        ("$0 report $1 >&-", 3, "", "lamina: standard output: Bad file descriptor"),
        ("$0 report $1 <&- >&- 2>&-", 3, "", ""),
        ("$0 report $1 -o $2 >&- 2>&-", 0, "", ""),
        ("$0 report $1 >/dev/full", 3, "", "lamina: standard output: No space left on device"),
        ("$0 report $1 -o /dev/full", 3, "", "lamina: /dev/full: No space left on device"),
        ("$0 shared $1 $1 --json >/dev/full", 3, "", "lamina: standard output: No space left on device"),
        ("$0 cache >/dev/full", 3, "", "lamina: standard output: No space left on device"),
    ],
)
def test_closed_and_full_streams(command: str, code: int, out: str, err: str, tmp_path: Path) -> None:
    archive = tmp_path / "web.tar"
    archive.write_bytes(pack(old_docker(Image([layer(file("a", b"1"))]))))

    done = in_shell(command, str(archive), str(tmp_path / "report.txt"))

    assert done.returncode == code, done
    assert done.stdout.startswith(out) if out else not done.stdout
    assert done.stderr.rstrip("\n") == err
    assert "report.txt" not in command or (tmp_path / "report.txt").read_text()


def test_memory_that_ran_out_is_no_fault_of_laminas_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(argv: list[str]) -> int:
        raise MemoryError

    monkeypatch.setattr(cli, "_run", fail)
    assert cli.main([]) == 3
    assert capsys.readouterr().err.startswith("lamina: memory ran out")
