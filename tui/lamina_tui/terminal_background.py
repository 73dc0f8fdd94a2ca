"""Whether the terminal is light or dark: what it answers when it is asked for its background (xterm's OSC 11).

The question is asked before a screen opens, and once. After it stands one that every terminal answers (DA1): who does
not know the first answers the second at once, and nobody waits. What comes too late would be taken for keys:
:class:`LateAnswer` keeps it from them.
"""

from __future__ import annotations

import os
import re
import select
import time
from collections.abc import Mapping
from typing import Generic, Protocol, TypeVar

from lamina.dataclass import dataclass

QUESTION = b"\x1b]11;?\x1b\\\x1b[c"
PATIENCE = 0.1
"""Seconds that an answer may take."""

_COLOR = re.compile(
    rb"\x1b\]11;rgba?:([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})[^\x07\x1b]*(?:\x07|\x1b\\)"
)
_OTHER = re.compile(rb"\x1b\[\?[0-9;]*c")
_MOST = 4096
"""Bytes of answers and keys at the most."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came within the time."""

    light: bool | None = None
    """None where the terminal did not tell."""
    typed: bytes = b""
    """Keys that came meanwhile: they are meant for the screen."""
    late: bool = False
    """Something is still to come, perhaps."""


def worth_asking(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the answer would change anything, and the terminal is one that takes the question for one.

    Args:
        environ: the process's environment.
    """
    term = environ.get("TERM", "")
    many = "256" in term or "kitty" in term or environ.get("COLORTERM", "").lower() in {"truecolor", "24bit"}
    return many and not term.startswith(("dumb", "linux")) and not environ.get("NO_COLOR")


def ask(keyboard: int = 0, screen: int = 2, patience: float = PATIENCE) -> Answer:
    """Ask the terminal for its background; its modes are as before when this returns.

    Args:
        keyboard: file descriptor that answers and keys come from.
        screen: file descriptor that the question goes to: standard error, which Textual draws on too.
        patience: seconds to wait at the most.
    """
    try:
        import termios
    except ImportError:  # no POSIX terminal
        return Answer()
    if not (os.isatty(keyboard) and os.isatty(screen)):
        return Answer()
    try:
        before = termios.tcgetattr(keyboard)
        quiet = termios.tcgetattr(keyboard)
        quiet[3] &= ~(termios.ECHO | termios.ICANON)  # an interrupt stays one
        quiet[6][termios.VMIN], quiet[6][termios.VTIME] = 0, 0
        try:
            termios.tcsetattr(keyboard, termios.TCSANOW, quiet)
            os.write(screen, QUESTION)
            return answer_in(_read(keyboard, patience))
        finally:
            termios.tcsetattr(keyboard, termios.TCSANOW, before)
    except (OSError, termios.error):
        return Answer()


def _read(keyboard: int, patience: float) -> bytes:
    """What comes until both answers are there, or the time is over."""
    end = time.monotonic() + patience
    came = b""
    while not _OTHER.search(came) and len(came) < _MOST:
        left = end - time.monotonic()
        if left <= 0 or not select.select([keyboard], [], [], left)[0]:
            break
        more = os.read(keyboard, 1024)
        if not more:
            break
        came += more
    return came


def answer_in(came: bytes) -> Answer:
    """What a terminal answered, among what was typed.

    Args:
        came: all bytes, in their order.
    """
    color = _COLOR.search(came)
    typed = _OTHER.sub(b"", _COLOR.sub(b"", came))
    light = None
    if color is not None:
        red, green, blue = (int(part, 16) / (16 ** len(part) - 1) for part in color.groups())
        # How bright it looks, by ITU-R BT.601: green counts most.
        light = 0.299 * red + 0.587 * green + 0.114 * blue > 0.5
    # Multiplexers may hand the first question on, and answer the second themselves.
    return Answer(light, typed, late=color is None or _OTHER.search(came) is None)


class Typed(Protocol):
    """A key as the screen gets it."""

    @property
    def character(self) -> str | None:
        """What it writes; None for keys that write nothing."""


_Key = TypeVar("_Key", bound=Typed)


class LateAnswer(Generic[_Key]):
    """Takes answers that come after the screen has opened out of the keys they would be taken for.

    Textual does not know them and hands them on as if they had been typed, with ``^`` for an escape.

    Args:
        seconds: until they are no longer waited for.
    """

    # Each beginning of an answer, as far as it goes: ]11;rgb:1c1c/1c1c/1c1c and [?62;22c.
    _BEGUN = re.compile(r"\^|\^?(\](1(1(;(r(g(b(a?(:[0-9a-fA-F/]*\^?)?)?)?)?)?)?)?)?|\[(\?[0-9;]*)?)")
    _WHOLE = re.compile(r"\^?(\]11;rgba?:[0-9a-fA-F/]*(\^?\\|\x07)|\[\?[0-9;]*c)")

    def __init__(self, seconds: float = 5.0) -> None:
        self._end = time.monotonic() + seconds
        self._held: list[_Key] = []

    @property
    def over(self) -> bool:
        """Whether nothing is waited for any more."""
        return not self._held and time.monotonic() > self._end

    def take(self, key: _Key) -> list[_Key]:
        """What of a key, and of those that are held back, a person typed.

        Returns:
            Keys to be handled now, in their order; none while an answer may be coming, and of an answer.
        """
        self._held.append(key)
        text = "".join(held.character or " " for held in self._held)
        if self._WHOLE.fullmatch(text):
            self._held.clear()
        return [] if not self._held or self._BEGUN.fullmatch(text) else self.release()

    def release(self) -> list[_Key]:
        """Keys that are held back and are no answer: none came after them."""
        held = self._held.copy()
        self._held.clear()
        return held
