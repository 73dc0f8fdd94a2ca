"""House rules that a habit would not hold: what lies where, who imports whom, what starts lazily."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from import_graph import house

ROOT = Path(__file__).parent.parent
TOP_LEVEL = {"pyproject.toml", "tui", "inspect", "tests", "screenshots", "README.md"}


def tracked() -> list[Path]:
    """Every file of the repository that is not ignored, relative to its root."""
    if not (ROOT / ".git").exists():
        pytest.skip("needs the repository, not a copy of its files")
    listing = subprocess.run(
        [
            "git",
            "-c",
            f"safe.directory={ROOT}",
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    names = {Path(name.decode()) for name in listing.stdout.split(b"\0") if name}
    return sorted(name for name in names if (ROOT / name).exists())


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A docker-archive of one layer with one file."""

    def tar(files: dict[str, bytes]) -> bytes:
        with io.BytesIO() as buffer:
            with tarfile.open(fileobj=buffer, mode="w") as out:
                for name, data in files.items():
                    member = tarfile.TarInfo(name)
                    member.size = len(data)
                    out.addfile(member, io.BytesIO(data))
            return buffer.getvalue()

    layer = tar({"etc/hello": b"hello\n"})
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]},
            "history": [{"created_by": "COPY hello /etc"}],
        }
    ).encode()
    name = hashlib.sha256(config).hexdigest() + ".json"
    manifest = json.dumps([{"Config": name, "RepoTags": ["house:1"], "Layers": ["one/layer.tar"]}]).encode()
    path = tmp_path / "house.tar"
    path.write_bytes(tar({"one/layer.tar": layer, name: config, "manifest.json": manifest}))
    return path


def test_the_source_roots_are_no_packages() -> None:
    # With inspect/__init__.py, `python -m anything` from the root imports our folder in place of the
    # standard library's inspect, and dies.
    for folder in ("inspect", "tui", "tests"):
        assert not (ROOT / folder / "__init__.py").exists()


def test_python_m_pytest_works_from_the_root() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--version"], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("pytest ")


def test_the_top_level_holds_six_names() -> None:
    names = {path.parts[0] for path in tracked()}
    assert {name for name in names if not name.startswith(".")} <= TOP_LEVEL


def test_nothing_is_left_to_do() -> None:
    words = [b"TO" + b"DO", b"FIX" + b"ME", b"XX" + b"X:"]
    texts = [path for path in tracked() if path.suffix in {".py", ".toml", ".tcss", ".md"} or path.name == "run"]
    assert len(texts) > 5
    assert [str(path) for path in texts if any(word in (ROOT / path).read_bytes() for word in words)] == []


def test_no_modules_import_each_other_in_a_circle_and_none_is_long() -> None:
    found = house()
    assert found.circles == []
    assert found.floors(), "the rooms stand one on another"
    assert {module: lines for module, lines in found.lines.items() if lines > 400} == {}


def test_the_import_contracts_hold() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def modules_after(*arguments: str) -> tuple[int, set[str]]:
    """Run the command in a fresh interpreter; answer its exit code and the top-level modules it loaded."""
    program = (
        "import sys\n"
        "from lamina_tui.cli import main\n"
        "code = 0\n"
        "try:\n"
        "    code = main() or 0\n"
        "except SystemExit as end:\n"
        "    code = end.code or 0\n"
        "print('\\nMODULES', code, *{name.partition('.')[0] for name in sys.modules})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    print(done.stderr)  # shown by pytest where the caller finds fault
    last = done.stdout.splitlines()[-1].split() if done.stdout else []
    assert last[:1] == ["MODULES"], done.stderr
    return int(last[1]), set(last[2:])


SCREEN = {"textual", "rich"}
ENGINE = {"docker", "requests", "urllib3"}


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_load_next_to_nothing(option: str) -> None:
    code, modules = modules_after(option)
    assert code == 0
    assert not modules & (SCREEN | ENGINE | {"numpy", "asyncio"})


def test_a_check_of_an_archive_loads_neither_screen_nor_engine(archive: Path) -> None:
    code, modules = modules_after("check", "--max-size", "1", str(archive))
    assert code == 1
    assert not modules & (SCREEN | ENGINE | {"yaml"})


def test_a_report_of_a_small_archive_starts_no_threads_and_unpacks_nothing(archive: Path) -> None:
    code, modules = modules_after("report", "--json", "--no-cache", str(archive))
    assert code == 0
    assert not modules & {"backports", "compression", "concurrent", "isal", "logging", "multiprocessing", "zlib"}
    assert not modules & {"csv", "shutil", "tempfile"}  # nor what is slow to load for what little it would do


@pytest.mark.parametrize("form", [[], ["--json"], ["--html"]])
def test_a_report_of_an_archive_loads_neither_screen_nor_engine(archive: Path, form: list[str]) -> None:
    code, modules = modules_after("report", *form, str(archive))
    assert code == 0
    assert not modules & (SCREEN | ENGINE)


def test_a_target_without_a_terminal_is_a_report(archive: Path) -> None:
    code, modules = modules_after(str(archive))
    assert code == 0
    assert not modules & (SCREEN | ENGINE)


@pytest.mark.parametrize("words", [["ls", "-l"], ["find", "--contains", "hello"], ["history"], ["cat"]])
def test_commands_about_files_load_neither_screen_nor_engine(archive: Path, words: list[str]) -> None:
    command, *options = words
    code, modules = modules_after(command, str(archive), "etc/hello", *options)
    assert code == 0
    assert modules & (SCREEN | ENGINE) == set()


def test_the_library_alone_loads_no_screen() -> None:
    program = (
        "import pkgutil, sys, lamina\n"
        "for module in pkgutil.walk_packages(lamina.__path__, 'lamina.'): __import__(module.name)\n"
        "print(sorted({'textual', 'rich', 'lamina_tui'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"


def test_the_list_of_images_waits_for_neither_numpy_nor_an_engine() -> None:
    # What stands on the screen first is painted before anything is asked or computed.
    program = (
        "import sys, lamina_tui.launch\n"
        "from lamina.workspace import Workspace\n"
        "lamina_tui.launch.first_screen(Workspace(), [])()\n"
        "print(sorted({'numpy', 'docker'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"
