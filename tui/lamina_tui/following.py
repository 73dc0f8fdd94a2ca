"""A thread that waits for what a list shows to change."""

from __future__ import annotations

import threading
from collections.abc import Callable

from lamina.errors import Cancelled, LaminaError
from lamina_tui.image_entries import Changes, Follow


class Following:
    """Waits on a thread of its own, from :meth:`open` until :meth:`stop`.

    Args:
        follow: opens the changes.
        changed: called on that thread at each.
        ended: called on that thread when no more can be told, with why.
    """

    def __init__(self, follow: Follow, changed: Callable[[], None], ended: Callable[[str], None]) -> None:
        self._follow = follow
        self._changed = changed
        self._ended = ended
        self._stop = threading.Event()
        self._changes: Changes | None = None

    def open(self, cancel: threading.Event) -> None:
        """Begin; from when this returns no change is missed. Blocks while the source is asked.

        Raises:
            LaminaError: the source tells of no changes, or can't be asked.
            Cancelled: ``cancel`` was set.
        """
        self._changes = self._follow(cancel)
        if self._stop.is_set():
            self._changes.close()
        threading.Thread(target=self._run, args=(self._changes,), name="lamina-follow", daemon=True).start()

    def stop(self) -> None:
        """End the waiting; neither function is called any more."""
        self._stop.set()
        if self._changes is not None:
            self._changes.close()

    def _run(self, changes: Changes) -> None:
        why = ""
        try:
            for _ in changes:
                if self._stop.is_set():
                    return
                self._changed()
        except (LaminaError, Cancelled) as error:
            why = str(error)
        if not self._stop.is_set():
            self._ended(why)
