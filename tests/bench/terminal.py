"""A terminal for the app under measurement: types keys, counts the bytes that come back and the processor time."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from processes import Command, ProgramError, cpu_seconds, is_working

COLUMNS, LINES = 120, 40

_QUIET = 0.04  # seconds without output and without work after which a key is done with
_IDLE = 0.0005  # seconds of processor time that are no work: timers that look round
_ANSWERS = {
    b"\x1b[?2026$p": b"\x1b[?2026;2$y",  # asked whether frames can be bracketed, terminals say yes today
    b"\x1b[c": b"\x1b[?62;c",  # what kind of terminal it is
}


@dataclass(frozen=True)
class Reaction:
    """What a key set off."""

    cpu: float
    """Seconds of processor time."""
    sent: int
    """Bytes written to the terminal."""


class Terminal:
    """A program on a pseudo-terminal of its own."""

    def __init__(self, command: Command) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        self._shown = b""  # the last of what came, to look for words in
        self._started = time.monotonic()
        self._process = subprocess.Popen(
            command.argv,
            env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **command.environment},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._master)

    @property
    def pid(self) -> int:
        """The program's process."""
        return self._process.pid

    def wait_for(self, word: bytes, timeout: float = 120) -> None:
        """Until a word came, and all after it.

        Raises:
            ProgramError: it did not come in time, or the program ended.
        """
        deadline = time.monotonic() + timeout
        while word not in self._shown:
            self._take(0.1)
            if time.monotonic() > deadline:
                raise ProgramError(f"the screen never showed {word.decode()}: {self._shown[-2000:]!r}")
        self._settle()

    def seen(self, word: bytes, timeout: float = 120) -> float:
        """Seconds from the start until a word came.

        Raises:
            ProgramError: it did not come in time, or the program ended.
        """
        while word not in self._shown:
            self._take(0.001)
            if time.monotonic() - self._started > timeout:
                raise ProgramError(f"the screen never showed {word.decode()}: {self._shown[-2000:]!r}")
        return time.monotonic() - self._started

    def key(self, key: str) -> Reaction:
        """Press a key, and wait until the program has nothing more to do.

        Raises:
            ProgramError: the program ended.
        """
        before = cpu_seconds(self.pid)
        os.write(self._master, key.encode())
        sent = self._settle()
        return Reaction(cpu_seconds(self.pid) - before, sent)

    def _settle(self) -> int:
        """Wait for quiet; how many bytes came until then."""
        came = 0
        worked = cpu_seconds(self.pid)
        last = time.monotonic()
        while time.monotonic() - last < _QUIET:
            count = self._take(_QUIET / 5)
            now = cpu_seconds(self.pid)
            if count or now - worked > _IDLE or is_working(self.pid):
                last = time.monotonic()
            worked = now
            came += count
        return came

    def _take(self, timeout: float) -> int:
        """Read what is there, after waiting for it so many seconds; how many bytes."""
        if not select.select([self._master], [], [], timeout)[0]:
            return 0
        try:
            data = os.read(self._master, 1 << 16)
        except OSError:  # nobody holds the other end any more
            raise ProgramError(f"the program on the terminal ended: {self._shown[-2000:]!r}") from None
        for asked, answer in _ANSWERS.items():
            if asked in data:
                os.write(self._master, answer)
        self._shown = (self._shown + data)[-(1 << 16) :]
        return len(data)
