"""The configuration: what it may say, what is told of what it may not, and that the screen opens all the same."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from driving import Drive, Driven
from lamina import amounts
from lamina_tui.app import LaminaApp
from lamina_tui.commands.config import default_file
from lamina_tui.key_remaps import remapped
from lamina_tui.keymap import COMMANDS, Keymap
from lamina_tui.launch import first_screen
from lamina_tui.settings import Settings, config_path, read_settings
from opening import workspace


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a configuration is looked for; the file itself."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "lamina" / "config.toml"


def written(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lamina_tui", *words], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    ("environ", "path"),
    [
        ({"XDG_CONFIG_HOME": "/x", "HOME": "/h"}, "/x/lamina/config.toml"),
        ({"XDG_CONFIG_HOME": "not/absolute", "HOME": "/h"}, "/h/.config/lamina/config.toml"),
        ({"HOME": "/h"}, "/h/.config/lamina/config.toml"),
        ({}, None),
    ],
)
def test_where_it_is(environ: dict[str, str], path: str | None) -> None:
    assert config_path(environ) == (None if path is None else Path(path))


def test_without_a_file_nothing_is_set(home: Path) -> None:
    for path in (home, None):
        found = read_settings(path)
        assert found.settings == Settings()
        assert (found.there, found.given, found.complaint) == (False, frozenset(), "")


def test_what_is_said_holds(home: Path) -> None:
    text = 'theme = "light"\nunits = "binary"\nmouse = false\n[keys]\npreset = "dive"\nquit = ["q", "f10"]\n'
    found = read_settings(written(home, text))
    assert found.complaint == ""
    assert found.given == {"theme", "units", "mouse", "keys"}
    keys = found.settings.keys
    assert found.settings == Settings("light", "binary", mouse=False, keys=keys)
    assert keys.preset == "dive"
    assert keys.moved()["APP.quit"] == "q,f10"


def test_what_a_check_is_set_to_is_no_business_of_the_screen(home: Path) -> None:
    found = read_settings(written(home, 'ignore = ["x"]\ntheme = "light"\n[limits]\nmax-size = 1\n'))
    assert (found.complaint, found.given) == ("", {"theme"})


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            'theme = "blue"',
            """theme: 'blue' is not allowed, only "auto", "dark", "light", "terminal", "high-contrast\"""",
        ),
        ("theme = 3", "theme: 3 is not allowed, only"),
        ('units = "kb"', """units: 'kb' is not allowed, only "si", "binary\""""),
        ("mouse = 1", "mouse: 1 is not allowed, only true, false"),
        ("colour = 1", "colour: no such setting, only theme, units, mouse, keys"),
        ('keys = "emacs"', "keys: preset: 'emacs' is not allowed, only \"dive\""),
        ("keys = 3", 'keys: neither "dive" nor a table of commands'),
        ('[keys]\nfnid = "f3"', "keys: fnid: no such command"),
        ('[keys]\nfind = "crtl+f"', "keys: find: no such key as 'crtl+f'"),
        ("[keys]\nfind = 3", "keys: find: keys are text"),
        ('[keys]\nfind = "q"', "keys: find: q can't be its key: it is the key of quit"),
        ("theme = ", "not TOML: Invalid value (at end of document)"),
        (b"theme = '\xff'", "not UTF-8"),
        ("a = " + "[" * 100_000, "not TOML: "),
        ('theme = "blue"\nmouse = 2', "(and 1 more: see `lamina config`)"),
    ],
)
def test_what_is_wrong_is_told_in_one_line_and_left_at_its_default(
    home: Path, text: str | bytes, complaint: str
) -> None:
    found = read_settings(written(home, text))
    assert complaint in found.complaint
    assert found.complaint.startswith(f"{home}: ")
    assert "\n" not in found.complaint
    assert found.settings == Settings()
    told = run("config")
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr.startswith(f"lamina: {home}: ")
    assert told.stderr.count("\n") == 1


def test_a_folder_in_its_place_is_told(home: Path) -> None:
    home.mkdir(parents=True)
    assert read_settings(home).complaint == f"{home}: can't be read: Is a directory"


def test_what_is_right_holds_beside_what_is_wrong(home: Path) -> None:
    found = read_settings(written(home, 'theme = "light"\nunits = 5\n[keys]\nfind = "f3"\nopne = "x"\n'))
    assert len(found.faults) == 2
    assert found.settings.theme == "light"
    assert found.settings.keys.moved()["IMAGE.find"] == "f3"


def test_hostile_text_reaches_the_terminal_in_a_visible_form(home: Path) -> None:
    written(home, '"\\u001b[31m" = 1\ntheme = "\\u001b]0;x\\u0007"\n')
    told = run("config")
    assert told.returncode == 2
    assert "\x1b" not in told.stderr
    assert "\x07" not in told.stderr


def test_the_command_tells_what_holds_and_why(home: Path) -> None:
    told = run("config")
    assert (told.returncode, told.stderr) == (0, "")
    assert re.search(r"^theme +auto +default$", told.stdout, re.MULTILINE)
    assert "not there" in told.stdout
    written(home, 'theme = "light"\n[keys]\nfind = "ctrl+f"\n')
    told = run("config")
    assert re.search(r"^theme +light +file$", told.stdout, re.MULTILINE)
    assert re.search(r"^units +si +default$", told.stdout, re.MULTILINE)
    assert re.search(r"^keys +remapped +file$", told.stdout, re.MULTILINE)
    assert re.search(r"^  find +\^f$", told.stdout, re.MULTILINE)
    assert re.search(r"^  page +PgDn$", told.stdout, re.MULTILINE)  # which had to give it away
    assert str(home) in told.stdout


def test_a_file_is_written_once(home: Path) -> None:
    done = run("config", "--write")
    assert (done.returncode, done.stdout) == (0, f"written: {home}\n")
    assert home.read_text() == default_file()
    assert [path.name for path in home.parent.iterdir()] == ["config.toml"]
    written(home, "mine")
    again = run("config", "--write")
    assert (again.returncode, again.stdout) == (2, "")
    assert "is there already" in again.stderr
    assert home.read_text() == "mine"


def test_a_link_to_nowhere_is_not_written_over(home: Path) -> None:
    home.parent.mkdir(parents=True)
    home.symlink_to("elsewhere")
    assert run("config", "--write").returncode == 2
    assert home.is_symlink()


def test_the_written_file_sets_nothing_and_each_of_its_lines_may_be_uncommented(home: Path) -> None:
    found = read_settings(written(home, default_file()))
    assert (found.complaint, found.settings, found.given) == ("", Settings(), frozenset())
    head, _, commands = default_file().partition("[keys]\n")
    said = tomllib.loads(re.sub(r"^# (\w+ = )", r"\1", head, flags=re.MULTILINE))
    assert said == {"theme": "auto", "units": "si", "mouse": True}
    lines = tomllib.loads(re.sub(r"^# (\w+ = )", r"\1", commands, flags=re.MULTILINE))
    assert lines.pop("preset") == "dive"
    assert set(lines) == {command.name for command in COMMANDS}
    for name, keys in lines.items():
        if name != "search":  # two commands, with keys that are taken where the other is
            assert remapped({name: keys})[1] == [], name


async def test_a_fault_is_told_on_the_screen_which_opens(small: list[str]) -> None:
    app = LaminaApp(first_screen(workspace(), small), remark="theme: '[@click=app.quit]\x1b'")
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        screen = Driven(app, pilot)
        await screen.settle()
        assert "theme: '[@click=app.quit]\\x1b'" in screen.text
        assert screen.image.image is not None


async def test_two_screens_tell_sizes_in_units_of_their_own(drive: Drive, small: list[str]) -> None:
    # Given two apps at once, one in binary units
    async with drive(small) as si, drive(small, settings=Settings(units="binary")) as binary:
        # Then each tells the same bytes in its own, in every pane
        for keys in (("tab", "E"), ("2",), ("3",)):
            await si.press(*keys)
            await binary.press(*keys)
            one, other = si.text, binary.text
            assert "75.4 KB" in one or "77.2 KB" in one
            assert not re.search(r"[KMG]i", one)
            assert re.search(r"\d KiB", other)
            assert not re.search(r"\d ?[KMG]B?\b", other), other
        await binary.press("1")
        assert "73.5Ki" in binary.text
        await si.press("question_mark", "G")
        await binary.press("question_mark", "G")
        assert "1 K is 1,000 bytes" in si.text
        assert "1 Ki is 1,024 bytes" in binary.text


@pytest.mark.parametrize(
    ("count", "short", "long"),
    [
        (0, "0", "0 B"),
        (1023, "1023", "1023 B"),
        (1024, "1.0Ki", "1.0 KiB"),
        (102_349, "100Ki", "100 KiB"),
        (1024 * 1024 - 512, "1.0Mi", "1.0 MiB"),
        (1024 * 1023, "1023Ki", "1023 KiB"),
        (5 << 40, "5.0Ti", "5.0 TiB"),
        (2**63, "8.0Ei", "8.0 EiB"),
    ],
)
def test_binary_sizes(count: int, short: str, long: str) -> None:
    assert (amounts.size(count, binary=True), amounts.size_bytes(count, binary=True)) == (short, long)
    assert len(short) <= amounts.SIZE_WIDTH


def test_binary_units_do_not_reach_reports(home: Path) -> None:
    expected = run("report", "demo").stdout
    written(home, 'units = "binary"\n')
    assert run("report", "demo").stdout == expected


def test_only_a_file_costs_its_reader(home: Path) -> None:
    program = (
        "import sys\nfrom lamina_tui.settings import config_path, read_settings\n"
        "read_settings(config_path())\n"
        "print(*sorted({'tomllib', 'textual', 'lamina_tui.key_remaps'} & set(sys.modules)))"
    )
    for text, modules in (
        ("", ""),
        ("mouse = true\n", "tomllib"),
        ('keys = "dive"\n', "lamina_tui.key_remaps tomllib"),
    ):
        if text:
            written(home, text)
        done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
        assert done.stdout == f"{modules}\n"


def test_the_command_loads_no_screen(home: Path) -> None:
    program = "import sys\nfrom lamina_tui.cli import main\nmain(['config'])\nprint('textual' in sys.modules)"
    written(home, 'keys = "dive"\n')
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "False"


def test_defaults_are_the_table() -> None:
    assert Settings().keys == Keymap()
    assert Keymap().moved() == {}
