"""How limits are written, on the command line and in files; what is wrong is told with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from lamina import limits as bounds
from lamina.gate.configuration import Configuration, read_configuration
from lamina.gate.limits import FORMS, GateError, Limits, read_limits


def one(name: str, value: object) -> object:
    limits = read_limits({name: value}, lambda name: f"--{name}")
    return getattr(limits, name.replace("-", "_"))


@pytest.mark.parametrize(
    ("name", "written", "value"),
    [
        ("max-size", "4096", 4096),
        ("max-size", 4096, 4096),
        ("max-size", "0", 0),
        ("max-size", "20MB", 20_000_000),
        ("max-size", "1.5GiB", 1610612736),
        ("max-size", "20 k", 20_000),
        ("max-size", "7B", 7),
        ("max-wasted-ratio", "5%", 0.05),
        ("max-wasted-ratio", "0.05", 0.05),
        ("max-wasted-ratio", 1, 1.0),
        ("min-efficiency", 0.9, 0.9),
        ("max-layers", "12", 12),
        ("forbid", "*.pem", ("*.pem",)),
        ("forbid", ["*.pem", ".git"], ("*.pem", ".git")),
        ("severity", "high", "high"),
        ("forbid-package", ["gcc*", "npm:left-pad"], ("gcc*", "npm:left-pad")),
    ],
)
def test_what_is_written_is_read(name: str, written: object, value: object) -> None:
    assert one(name, written) == value


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("max-size", "20 apples"),
        ("max-size", "-1"),
        ("max-size", -1),
        ("max-size", True),
        ("max-size", "5%"),
        ("max-size", 1.5),
        ("max-size", ""),
        ("max-size", "9" * 5000),
        ("max-wasted-ratio", "5"),
        ("max-wasted-ratio", "101%"),
        ("max-wasted-ratio", -0.1),
        ("max-wasted-ratio", "nan"),
        ("max-wasted-ratio", float("nan")),
        ("max-wasted-ratio", True),
        ("max-layers", "1.5"),
        ("max-layers", "²"),
        ("forbid", ""),
        ("severity", "worst"),
        ("severity", 3),
        ("severity", ["high"]),
        ("forbid-package", " "),
        ("forbid-package", ["x", 3]),
        ("forbid-package", "x" * 501),
        ("forbid", "/"),
        ("forbid", 3),
        ("forbid", ["a", 3]),
        ("forbid", "[\x01-\U0010ffff]"),
        ("max-sise", 1),
    ],
)
def test_what_is_wrong_is_told_with_its_name(name: str, written: object) -> None:
    with pytest.raises(GateError, match=f"^--{name}"):
        one(name, written)


def test_the_later_wins_and_what_is_forbidden_adds_up() -> None:
    first = Limits(max_size=1, max_layers=2, forbid=("a", "b"))

    assert Limits(max_size=0, forbid=("b", "c")).over(first) == Limits(max_size=0, max_layers=2, forbid=("a", "b", "c"))
    assert not Limits()
    assert Limits(max_size=0)


def test_every_limit_has_its_field() -> None:
    assert {name.replace("-", "_") for name in FORMS} == set(Limits.__dataclass_fields__)


def configured(tmp_path: Path, **files: str) -> Configuration:
    """What the files say: ``user``, ``pyproject`` and ``project``."""
    names = {"user": "home/config.toml", "pyproject": "pyproject.toml", "project": ".lamina.toml"}
    (tmp_path / "home").mkdir()
    for name, text in files.items():
        (tmp_path / names[name]).write_text(text)
    return read_configuration(tmp_path, tmp_path / "home/config.toml")


def test_the_project_wins_over_the_user_and_its_own_file_over_pyproject(tmp_path: Path) -> None:
    found = configured(
        tmp_path,
        user='theme = "dark"\nignore = ["a"]\n[limits]\nmax-size = 1\nmax-layers = 1\nmax-wasted = 1\n',
        pyproject='[project]\nname = "x"\n[tool.lamina]\nignore = "b"\nlimits = {max-size = 2, max-layers = 2}\n',
        project='[limits]\nmax-size = "3k"\nforbid = "*.pem"\n',
    )

    assert found == Configuration(Limits(max_size=3000, max_layers=2, max_wasted=1, forbid=("*.pem",)), ("a", "b"))


def test_rules_that_are_switched_off_add_up(tmp_path: Path) -> None:
    found = configured(tmp_path, user='no-rule = "logs"\n', project='no-rule = ["tests", "logs"]\n')

    assert found == Configuration(no_rule=("logs", "tests"))


def test_without_files_nothing_is_limited(tmp_path: Path) -> None:
    assert configured(tmp_path, pyproject='[project]\nname = "x"\n') == Configuration()
    assert read_configuration(tmp_path, None) == Configuration()


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("project", "\n[limits]\nmax-size = 1\nmax-sise = 2\n", r"^\.lamina\.toml:4: max-sise: no such limit"),
        ("project", '[limits]\n# max-size\nmax-size = "1 apple"\n', r"^\.lamina\.toml:3: max-size: '1 apple' is not a"),
        ("project", "[limits]\nmax-layers = -1\n", r"^\.lamina\.toml:2: max-layers: -1 is not a whole"),
        ("project", "limits.max-layers = -1\n", r"^\.lamina\.toml:1: max-layers"),
        ("project", "\n\nlimits = {max-layers = -1}\n", r"^\.lamina\.toml:3: max-layers"),
        ("project", "\nlimits = 3\n", r"^\.lamina\.toml:2: limits is not a table"),
        ("project", 'theme = "dark"\n', r"^\.lamina\.toml:1: theme: no such setting"),
        ("project", "\nignore = [1]\n", r"^\.lamina\.toml:2: ignore is not a glob"),
        ("project", '\nno-rule = ["logs", "lugs"]\n', r"^\.lamina\.toml:2: no-rule is not the name of a rule"),
        ("project", "[limits\n", r"^\.lamina\.toml: not TOML: .*line 1"),
        ("pyproject", "[tool]\nlamina = 3\n", r"^pyproject\.toml:2: lamina is not a table"),
        ("pyproject", "tool = 3\n", r"^pyproject\.toml:1: lamina is not a table"),
        ("pyproject", '[tool.other]\nmax-layers = 1\n[tool."lamina".limits]\nmax-layers = -1\n', r"toml:4: max-layers"),
        ("user", "mouse = false\n[limits]\nmax-layers = -1\n", r"home/config\.toml:3: max-layers"),
        ("project", "#" * (bounds.CONFIGURATION_SIZE + 1), r"more than 1048576 bytes"),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_line(tmp_path: Path, file: str, text: str, says: str) -> None:
    with pytest.raises(GateError, match=says):
        configured(tmp_path, **{file: text})


def test_a_file_that_cant_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / ".lamina.toml").mkdir()
    with pytest.raises(GateError, match=r"\.lamina\.toml: can't be read: Is a directory"):
        read_configuration(tmp_path, None)

    (tmp_path / "pyproject.toml").write_bytes(b"\xff")
    with pytest.raises(GateError, match=r"pyproject\.toml: not UTF-8"):
        read_configuration(tmp_path, None)
