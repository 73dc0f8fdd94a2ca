"""The command in a real terminal: what it draws with, how it ends, and that the terminal is as it was."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from builders import old_docker, pack, sample_image

ENTERS, LEAVES = b"\x1b[?1049h", b"\x1b[?1049l"
LONG = 30.0  # seconds; a busy machine may need many to start


class Terminal:
    """A pseudo terminal with the command running in it."""

    def __init__(self, *words: str, stdin: bytes | None = None, code: str = "", **environ: str) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.slave = slave
        self.before = termios.tcgetattr(slave)
        self.seen = b""
        self.typed_at = 0
        env = {
            name: value
            for name, value in os.environ.items()
            if name not in ("COLORTERM", "LANG") and not name.startswith("LC_")
        }
        env |= {"TERM": "xterm-256color", "LANG": "C.UTF-8", **environ}
        command = [sys.executable, "-c", code] if code else [sys.executable, "-m", "lamina_tui"]

        def own_terminal() -> None:
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            [*command, *words],
            stdin=slave if stdin is None else subprocess.PIPE,
            stdout=slave,
            stderr=slave,
            env=env,
            preexec_fn=own_terminal,  # noqa: PLW1509 - /dev/tty must be this terminal; no thread runs here
        )
        if stdin is not None:
            assert self.process.stdin is not None
            self.process.stdin.write(stdin)
            self.process.stdin.close()

    def until(self, word: str) -> None:
        """Read what is drawn until a word is in it, from the last key on: words come in any order, and together."""
        end = time.monotonic() + LONG
        while word.encode() not in self.seen[self.typed_at :]:
            assert time.monotonic() < end, f"{word!r} never came: {self.seen[-3000:]!r}"
            self._read(0.1)

    def _read(self, seconds: float) -> None:
        if select.select([self.master], [], [], seconds)[0]:
            try:
                self.seen += os.read(self.master, 1 << 16)
            except OSError:
                return

    def type(self, keys: str) -> None:
        self.typed_at = len(self.seen)
        os.write(self.master, keys.encode())

    def end(self) -> int:
        """Wait for the end; the exit code."""
        end = time.monotonic() + LONG
        while self.process.poll() is None:
            assert time.monotonic() < end, f"never ended: {self.seen[-3000:]!r}"
            self._read(0.05)
        while select.select([self.master], [], [], 0.1)[0]:
            self._read(0.1)
        return self.process.returncode

    @property
    def restored(self) -> bool:
        """Whether the terminal's modes are as before, and the alternate screen is left."""
        left = self.seen.rfind(LEAVES) > self.seen.rfind(ENTERS)
        return left and termios.tcgetattr(self.slave) == self.before and self.seen.rfind(b"\x1b[?25h") > 0

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def opened() -> Iterator[list[Terminal]]:
    """Terminals to be closed at the end."""
    terminals: list[Terminal] = []
    yield terminals
    for terminal in terminals:
        terminal.close()


def start(opened: list[Terminal], *words: str, **options: object) -> Terminal:
    terminal = Terminal(*words, **options)
    opened.append(terminal)
    return terminal


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"TERM": "xterm"},
        {"NO_COLOR": "1"},
        {"LANG": "C"},
        {"COLORTERM": "truecolor"},
        {"TERM": "xterm", "LC_ALL": "C"},
    ],
    ids=lambda environ: " ".join(f"{key}={value}" for key, value in environ.items()) or "256 colours",
)
def test_draws_with_what_the_terminal_has(opened: list[Terminal], environ: dict[str, str]) -> None:
    terminal = start(opened, "demo", **environ)
    terminal.until("shop-worker")
    terminal.type("\r")
    terminal.until("the largest files")
    terminal.type("1")
    terminal.until("what changed")
    terminal.type("\tq")
    assert terminal.end() == 0
    assert terminal.restored
    text = terminal.seen
    colours = set(re.findall(rb"[;\[](38;5|38;2|48;5|48;2|3[1-6]|4[1-6])[;m]", text))
    if "NO_COLOR" in environ:
        assert not colours
    elif environ.get("TERM") == "xterm":
        assert b"38;5" not in colours
        assert b"38;2" not in colours
        assert colours
    else:
        assert b"38;2" not in colours  # 256 colours say it in fewer bytes
        assert b"38;5" in colours
    if environ.get("LANG") == "C" or "LC_ALL" in environ:
        assert text.isascii()
    else:
        assert "▸".encode() in text


WHITE, GREY = b"48;5;231", b"48;5;234"
"""Behind all of a light screen, and of a dark one."""


@pytest.mark.parametrize("late", [False, True], ids=["at once", "late"])
def test_a_light_terminal_gets_a_light_screen_where_it_says_so_in_time(opened: list[Terminal], *, late: bool) -> None:
    terminal = start(opened, "demo")
    terminal.until("\x1b]11;?")
    if late:
        terminal.until("shop-worker")
    terminal.type("\x1b]11;rgb:ffff/ffff/ffff\x1b\\\x1b[?62;22c")
    if not late:
        terminal.until("shop-worker")
    terminal.type("\r")
    terminal.until("efficiency")  # what it said was no keys
    terminal.type("q")
    assert terminal.end() == 0
    assert terminal.restored
    assert (WHITE in terminal.seen, GREY in terminal.seen) == (not late, late)


def test_the_configuration_holds_and_options_win(opened: list[Terminal], tmp_path: Path) -> None:
    (tmp_path / "lamina").mkdir()
    (tmp_path / "lamina" / "config.toml").write_text('theme = "light"\nmouse = false\nunits = "binary"\n')
    for words, behind in (((), WHITE), (("--theme", "dark"), GREY)):
        terminal = start(opened, "demo", *words, XDG_CONFIG_HOME=str(tmp_path))
        terminal.until("MiB")
        terminal.type("q")
        assert terminal.end() == 0
        assert behind in terminal.seen
        assert b"\x1b]11;?" not in terminal.seen
        assert b"\x1b[?1000h" not in terminal.seen


def test_the_mouse_can_be_left_to_the_terminal(opened: list[Terminal]) -> None:
    terminal = start(opened, "demo", "--no-mouse")
    terminal.until("shop-worker")
    terminal.type("q")
    terminal.end()
    assert b"\x1b[?1000h" not in terminal.seen


def test_a_theme_that_there_is_not_is_told_without_a_screen(opened: list[Terminal]) -> None:
    terminal = start(opened, "demo", "--theme", "blue")
    assert terminal.end() == 2
    assert terminal.seen.startswith(b"lamina: no theme is called blue, only auto, dark")


def test_ascii_on_demand(opened: list[Terminal]) -> None:
    terminal = start(opened, "demo", "--ascii")
    terminal.until("shop-worker")
    terminal.type("\r?")
    terminal.until("efficiency")
    terminal.type("qq")
    terminal.end()
    assert terminal.seen.isascii()


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)],
    ids=str,
)
def test_signals_end_in_order(opened: list[Terminal], number: signal.Signals, code: int) -> None:
    terminal = start(opened, "demo")
    terminal.until("shop-worker")
    terminal.process.send_signal(number)
    assert terminal.end() == code
    assert terminal.restored


# Where the process gets a signal while its screen opens: it sends it to itself.
OPENING = {
    "before the terminal is touched": "around(LaminaApp, '_build_driver', before=True)",
    "when the terminal is about to be touched": "around(LinuxDriver, 'start_application_mode', before=True)",
    "when the terminal is raw": "around(LinuxDriver, 'start_application_mode')",
    "when the first screen is made": "around(ImagesScreen, 'compose')",
    "when the first screen is mounted": "around(ImagesScreen, 'on_mount', before=True)",
    "before what breaks then": "around(LaminaApp, 'on_mount', fails=True)",
}


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)],
    ids=str,
)
@pytest.mark.parametrize("where", OPENING.values(), ids=OPENING)
def test_signals_end_in_order_while_the_screen_opens(
    opened: list[Terminal], where: str, number: signal.Signals, code: int
) -> None:
    # Given a process that gets a signal on its way to the screen
    program = f"""
import functools, os, sys
from lamina_tui import cli
from lamina_tui.app import LaminaApp
from lamina_tui.screens.images import ImagesScreen
from textual.drivers.linux_driver import LinuxDriver
def around(owner, name, before=False, fails=False):
    usual = getattr(owner, name)
    @functools.wraps(usual)
    def signalled(*args, **options):
        if before:
            os.kill(os.getpid(), {int(number)})
        result = usual(*args, **options)
        if not before:
            os.kill(os.getpid(), {int(number)})
        if fails:
            raise ValueError("half made")
        return result
    setattr(owner, name, signalled)
{where}
sys.exit(cli.main(["demo"]))
"""
    terminal = start(opened, code=program)
    # When it ends, then with the signal's code, without a word, and with the terminal as it was
    assert terminal.end() == code
    assert termios.tcgetattr(terminal.slave) == terminal.before
    last = terminal.seen[terminal.seen.rfind(LEAVES) + len(LEAVES) :] if LEAVES in terminal.seen else terminal.seen
    assert terminal.seen.count(ENTERS) == terminal.seen.count(LEAVES)
    assert terminal.seen.rfind(b"\x1b[?1000h") <= terminal.seen.rfind(b"\x1b[?1000l")
    assert b"a fault of lamina's own" not in last
    assert b"Traceback" not in last


def test_ctrl_c_ends_with_130(opened: list[Terminal]) -> None:
    terminal = start(opened, "demo")
    terminal.until("shop-worker")
    terminal.type("\x03")
    assert terminal.end() == 130
    assert terminal.restored


# A shell with job control, as far as one job needs it: the job has a process group of its own, and the terminal.
SHELL = """
import os, signal, sys
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
job = os.fork()
if not job:
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpid())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    os.execv(sys.executable, [sys.executable, "-m", "lamina_tui", "demo"])
_, status = os.waitpid(job, os.WUNTRACED)
assert os.WIFSTOPPED(status), status
os.tcsetpgrp(0, os.getpid())
print("job stopped", flush=True)
sys.stdin.readline()
os.tcsetpgrp(0, job)
os.killpg(job, signal.SIGCONT)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(job, 0)[1]))
"""


def test_ctrl_z_suspends_and_comes_back(opened: list[Terminal]) -> None:
    # Given a job of a shell
    terminal = start(opened, code=SHELL)
    terminal.until("shop-worker")
    # When it is told to suspend
    terminal.type("\x1a")
    # Then it stops with the terminal restored, and comes back when the shell says so
    terminal.until("job stopped")
    assert terminal.restored
    terminal.type("\n")
    terminal.until("shop-worker")
    terminal.type("q")
    assert terminal.end() == 0
    assert terminal.restored


def test_ctrl_z_does_not_stop_what_nobody_could_wake(opened: list[Terminal]) -> None:
    # Given the only command of a terminal, which leads its session
    terminal = start(opened, "demo")
    terminal.until("shop-worker")
    # When it is told to suspend
    terminal.type("\x1a")
    # Then it says that it can't, and goes on
    terminal.until("no shell here could bring it back")
    terminal.type("q")
    assert terminal.end() == 0
    assert terminal.restored


def test_an_archive_on_standard_input_leaves_the_keyboard(opened: list[Terminal]) -> None:
    terminal = start(opened, "-", stdin=pack(old_docker(sample_image())))
    terminal.until("efficiency")
    terminal.type("\tE")
    terminal.until("hosts")
    terminal.type("q")
    assert terminal.end() == 0
    assert terminal.restored


def test_a_fault_of_its_own_is_one_line_and_restores_the_terminal(opened: list[Terminal]) -> None:
    code = """
import sys
from lamina_tui import cli
from lamina_tui.screens.images import ImagesScreen
def fault(self): raise ValueError("an odd\\x1b[31m fault")
ImagesScreen.action_copy = fault
sys.exit(cli.main(["demo"]))
"""
    terminal = start(opened, code=code)
    terminal.until("shop-worker")
    terminal.type("y")
    assert terminal.end() == 3
    assert terminal.restored
    last = terminal.seen[terminal.seen.rfind(LEAVES) :]
    assert rb"a fault of lamina's own ended it (ValueError: an odd\x1b[31m fault)" in last
    assert b"Traceback" not in terminal.seen


def test_a_missing_file_is_told_without_a_screen(opened: list[Terminal]) -> None:
    terminal = start(opened, "no/such.tar")
    assert terminal.end() == 3
    assert terminal.seen == b"lamina: no such file: no/such.tar\r\n"


def test_an_engine_that_is_not_there_is_told_on_the_screen(opened: list[Terminal], tmp_path: Path) -> None:
    terminal = start(opened, "--host", f"unix://{tmp_path}/none.sock")
    terminal.until("ask again")
    terminal.type("q")
    assert terminal.end() == 0
    terminal = start(opened, "web:1", "--host", f"unix://{tmp_path}/none.sock")
    terminal.until("read again")
    terminal.type("q")
    assert terminal.end() == 3


@pytest.mark.parametrize("how", ["own", "other", "ignored"])
def test_a_terminal_that_goes_away_ends_the_process(how: str) -> None:
    """Closed under the app: as its own terminal, as another session's (no signal comes), with the signal ignored."""
    master, slave = pty.openpty()
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))

    def own_terminal() -> None:
        os.setsid()
        if how != "other":
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        if how == "ignored":
            signal.signal(signal.SIGHUP, signal.SIG_IGN)

    process = subprocess.Popen(
        [sys.executable, "-m", "lamina_tui", "demo"],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**os.environ, "TERM": "xterm-256color"},
        preexec_fn=own_terminal,  # noqa: PLW1509 - as above
    )
    os.close(slave)
    try:
        seen = b""
        end = time.monotonic() + LONG
        while b"shop-worker" not in seen:
            assert time.monotonic() < end
            if select.select([master], [], [], 0.1)[0]:
                seen += os.read(master, 1 << 16)
        os.close(master)
        assert process.wait(LONG) == 129
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def test_an_input_thread_that_stays_does_not_hold_the_process(opened: list[Terminal]) -> None:
    code = """
import sys, threading, time
from lamina_tui import cli
def stay():
    time.sleep(600)
def held(argv):
    threading.Thread(target=stay, name="textual-input").start()
    import textual
    return 5
cli._guarded = held
sys.exit(cli.main([]))
"""
    terminal = start(opened, code=code)
    assert terminal.end() == 5


def test_a_comparison_opens_on_a_terminal(opened: list[Terminal], tmp_path: Path) -> None:
    path = tmp_path / "one.tar"
    path.write_bytes(pack(old_docker(sample_image())))
    terminal = start(opened, "diff", str(path), str(path))
    terminal.until("both have the same layers")
    terminal.type("q")
    assert terminal.end() == 0
    assert terminal.restored


def test_garbage_is_collected_again_once_the_screen_stands(opened: list[Terminal], tmp_path: Path) -> None:
    # given an app that notes at its end whether garbage is collected, and whether what was loaded is left out
    note = tmp_path / "note"
    program = f"""
import gc, sys
from pathlib import Path
from lamina_tui import cli
from lamina_tui.app import LaminaApp
usual = LaminaApp.exit
def exit(self, *args, **options):
    Path({str(note)!r}).write_text(f"{{gc.isenabled()}} {{gc.get_freeze_count() > 1000}}")
    return usual(self, *args, **options)
LaminaApp.exit = exit
sys.exit(cli.main(["demo"]))
"""
    terminal = start(opened, code=program)

    # when its screen stands, and it is left
    terminal.until("shop-worker")
    terminal.type("q")
    assert terminal.end() == 0

    # then both
    assert note.read_text() == "True True"
