"""An interrupt ends the command as one, from its first import on and whatever it meets."""

from __future__ import annotations

import subprocess
import sys

import pytest


def interrupted(program: str) -> subprocess.CompletedProcess[bytes]:
    """A fresh interpreter that sends itself an interrupt somewhere; ``ctrl_c`` is how."""
    head = "import os, signal, sys\nctrl_c = lambda: os.kill(os.getpid(), signal.SIGINT)\n"
    return subprocess.run([sys.executable, "-c", head + program], check=False, capture_output=True)


@pytest.mark.parametrize("module", ["argparse", "lamina.errors", "lamina_tui.commands.options", "numpy"])
def test_an_interrupt_while_modules_are_loaded_ends_with_130(module: str) -> None:
    # Given an interrupt as soon as a module is asked for
    done = interrupted(f"""
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            ctrl_c()
sys.meta_path.insert(0, Interrupting())
from lamina_tui import cli
sys.exit(cli.main(["report", "demo"]))
""")
    # Then the command ends as an interrupted one, without a word
    assert done.returncode == 130
    assert done.stderr == b""


def test_an_interrupt_that_becomes_another_error_ends_with_130() -> None:
    # Given an import that turns an interrupt into an error of its own, as numpy's does
    done = interrupted("""
from lamina_tui import cli
from lamina_tui.commands import cache
def run(options):
    try:
        ctrl_c()
    except KeyboardInterrupt:
        raise ImportError("multiarray failed to import") from None
cache.run = run
sys.exit(cli.main(["cache"]))
""")
    assert done.returncode == 130
    assert done.stderr == b""


def test_an_interrupt_that_is_ignored_stays_ignored() -> None:
    done = interrupted("""
signal.signal(signal.SIGINT, signal.SIG_IGN)
from lamina_tui import cli
from lamina_tui.commands import cache
cache.run = lambda options: ctrl_c() or 0
code = cli.main(["cache"])
sys.exit(code or signal.getsignal(signal.SIGINT) != signal.SIG_IGN)
""")
    assert done.returncode == 0
