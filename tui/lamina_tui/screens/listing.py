"""What the list of images asks its source, at first and when something there has changed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import work
from textual.message import Message

from lamina.errors import LaminaError
from lamina.figures.overview import Overview, overview
from lamina.figures.removals import Removal, removals
from lamina.model import KnownImage, Progress
from lamina.names import display_name
from lamina_tui import texts
from lamina_tui.background import Failure, outcome_of
from lamina_tui.following import Following
from lamina_tui.image_entries import Entry, Follow, Lister, cheap, known_of, learn, written
from lamina_tui.screens.base import FullScreen
from lamina_tui.widgets.image_list import ImageList, Key

_PAUSE = 0.3
"""Seconds between an event and the asking for what has changed: events come in swarms."""
_SPACING = 2.0
"""Seconds at least between two askings: a list costs kilobytes to draw, and the line may be a slow one."""
_SHARE = 4
"""How many times as long as an asking takes the next one waits."""

if TYPE_CHECKING:  # numpy comes with it
    from lamina.figures.image import LoadedImage


class ListingScreen(FullScreen):
    """Asks for images, their layers, and what containers have written; a subclass draws.

    Args:
        lister: answers the images.
        label: what they come from, before it is asked; untrusted.
        follow: opens the changes of the source; None: it tells of none.
        read: those of the images that were read already.
    """

    class Progressed(Message):
        """A stream is scanned for its images, or the layers of the images are asked for."""

        def __init__(self, progress: Progress, cancel: threading.Event) -> None:
            super().__init__()
            self.progress = progress
            self.cancel = cancel

    def __init__(
        self, lister: Lister, label: str, follow: Follow | None = None, read: Sequence[LoadedImage] = ()
    ) -> None:
        super().__init__()
        self._read = read
        self._lister = lister
        self._label = label
        self._follow = follow
        self._following: Following | None = None
        self._cancel = threading.Event()
        self._busy = ""
        self._said = ""
        self._known: dict[Key, KnownImage] | None = None
        self.removals: list[Removal] = []
        """What could be removed of an engine's images."""
        self._then: Callable[[], None] | None = None
        self._noted = threading.Event()
        """The app is told of a change already."""
        self._stale = False
        """Something has changed, and was not asked for yet."""
        self._due = False
        """The asking is on its way."""
        self._took = 0.0
        self._asked = 0.0
        """When it was last asked what has changed, by the monotonic clock."""
        self.failed = False

    def on_unmount(self) -> None:
        """Whoever still reads can stop."""
        self._cancel.set()
        self._unfollow()

    # What a subclass draws

    @property
    def images(self) -> ImageList:
        """The list."""
        raise NotImplementedError

    def _show_title(self) -> None:
        raise NotImplementedError

    def _show_totals(self) -> None:
        raise NotImplementedError

    # Asking

    def action_reload(self) -> None:
        """Ask the source for its images, again."""
        self._cancel.set()
        self._cancel = threading.Event()
        self.failed = False
        self._known, self._then = None, None
        self.removals = []
        self.hide_notice()
        images = self.images
        images.figures, images.overview = {}, None
        images.placeholder = f"asking {display_name(self._label)} …"
        images.refresh()
        self._busy = "asking …"
        self._show_title()
        self._show_totals()
        self._stale = False
        self._list(self._cancel, self._make_following())

    def _teller(self, cancel: threading.Event) -> Callable[[Progress], None]:
        def tell(progress: Progress) -> None:
            self.post_message(self.Progressed(progress, cancel))

        return tell

    @work(exclusive=True, group="list")
    async def _list(self, cancel: threading.Event, following: Following | None) -> None:
        images = self.images
        entries = await outcome_of(lambda: self._ask(cancel, following))
        if entries is None:
            return
        if isinstance(entries, Failure):
            self._fail(entries.text)
            return
        self._busy = ""
        images.placeholder = "no images here\no opens an archive, d the built-in samples"
        labels = {entry.source.label for entry in entries}
        if len(labels) == 1:
            self._label = labels.pop()
        images.show_entries(entries)
        self._said = next((entry.source.remark for entry in entries if entry.source.remark), "")
        self._show_title()
        self._show_totals()
        known = known_of(entries, self._read)
        if known:
            self._take_known(known)
        elif entries and (cheap(entries) or self._then is not None):
            self._learn()
        else:
            self._then = None

    def _learn(self) -> None:
        self._busy = "asking for layers …"
        self._show_title()
        self._learn_layers(self._cancel)

    @work(exclusive=True, group="learn")
    async def _learn_layers(self, cancel: threading.Event) -> None:
        entries = self.images.entries
        known = await outcome_of(lambda: learn(entries, cancel, self._teller(cancel)))
        if cancel is not self._cancel:
            return  # asked again meanwhile
        then, self._then = self._then, None
        self._busy = ""
        if cancel.is_set() or known is None:
            self._cancel = threading.Event()
            self.say("stopped")
            return
        if isinstance(known, Failure):
            self.say(f"the layers stay unknown: {known.text}")
            return
        self._take_known(known)
        if then is not None and self.app.screen is self:
            then()
        self._measure(cancel)

    def _take_known(self, known: dict[Key, KnownImage]) -> None:
        self._known = known
        self._find_removals()
        self.images.show_figures(known, overview(list(known.values())))
        self._show_title()
        self._show_totals()

    def _find_removals(self) -> None:
        # Only an engine that tells of its changes has all its images here, and lets them be removed.
        self.removals = removals(list(self._known.values())) if self._known and self._follow is not None else []

    @work(exclusive=True, group="measure")
    async def _measure(self, cancel: threading.Event) -> None:
        """The engine looks into every container for this, so it comes last."""
        entries = [e for e in self.images.entries if e.summary.container is not None and e.summary.size is None]
        if not entries:
            return
        sizes = await outcome_of(lambda: written(entries, cancel, lambda _: None))
        if cancel is self._cancel and isinstance(sizes, dict):
            self.images.show_written(sizes)
            self._show_totals()

    def _fail(self, text: str) -> None:
        self._unfollow()
        self._then = None
        self._busy = ""
        self.failed = True
        self._show_title()
        self._show_totals()
        self.show_notice(
            text,
            [
                "",
                "  r   ask again",
                "  x   look at another engine",
                "  d   look at the built-in sample images: they need no engine",
                "  o   open an archive, an OCI layout folder, or docker://NAME in a registry",
                "  q   quit",
            ],
        )

    def on_listing_screen_progressed(self, event: Progressed) -> None:
        """Show how far the asking has come."""
        if self._busy and event.cancel is self._cancel and not event.cancel.is_set():
            done = f" {texts.size_bytes(event.progress.done)}" if event.progress.done else ""
            self._busy = f"{display_name(event.progress.what)}{done}"
            self._show_title()

    # Following

    def _unfollow(self) -> None:
        if self._following is not None:
            self._following.stop()
        self._following = None

    def _ask(self, cancel: threading.Event, following: Following | None) -> list[Entry]:
        """The list, and from before it was made what changes."""
        if following is not None:
            try:
                following.open(cancel)
            except LaminaError as error:
                self.app.call_from_thread(self._not_followed, following, str(error))
        return self._lister(cancel, self._teller(cancel))

    def _not_followed(self, following: Following | None, why: str) -> None:
        if following is not self._following:  # one before this has ended late
            return
        self._unfollow()
        if why and not self.failed:
            self.say(f"changes are not followed: {why} · r asks again")

    def _make_following(self) -> Following | None:
        self._unfollow()
        if self._follow is None:
            return None
        app = self.app

        def later(call: Callable[[], None]) -> None:
            with suppress(RuntimeError):  # the app has ended
                app.call_later(call)

        def changed() -> None:
            # However many events come, the app hears of them once until it has taken note.
            if not self._noted.is_set():
                self._noted.set()
                later(self._changed)

        following = Following(self._follow, changed, lambda why: later(lambda: self._not_followed(following, why)))
        self._following = following
        return following

    def _changed(self) -> None:
        """Something has changed: ask, soon, for whatever it is."""
        self._noted.clear()
        self._stale = True
        self._refresh_soon()

    def on_screen_resume(self) -> None:
        """What changed while another screen was in front is asked for now."""
        self._refresh_soon()

    def _refresh_soon(self) -> None:
        if self._stale and not self._due and self.is_attached and self.app.screen is self:
            self._due = True
            next_one = self._asked + max(_SPACING, _SHARE * self._took)
            self.set_timer(max(_PAUSE, next_one - time.monotonic()), self._refresh_now)

    def _refresh_now(self) -> None:
        self._due = False
        if self._busy:  # what is asked for now may be older than the change
            self._refresh_soon()
        elif self._following is not None and self.app.screen is self:
            self._stale = False
            self._refresh_list(self._cancel)

    @work(exclusive=True, group="refresh")
    async def _refresh_list(self, cancel: threading.Event) -> None:
        """Ask again and show what is new; cursor and marks stay, and so do figures until there are others."""
        begun = self._asked = time.monotonic()

        def ask() -> tuple[list[Entry], dict[Key, KnownImage], Overview]:
            entries = self._lister(cancel, lambda _: None)
            known = learn(entries, cancel, lambda _: None) if cheap(entries) else {}
            return entries, known, overview(list(known.values()))

        found = await outcome_of(ask)
        self._took = time.monotonic() - begun
        if cancel is not self._cancel or found is None or cancel.is_set():
            return
        if isinstance(found, Failure):
            self._not_followed(self._following, found.text)
            return
        entries, known, figures = found
        sizes = {entry.key: entry.summary.size for entry in self.images.entries if entry.summary.container is not None}
        entries = [
            replace(entry, summary=replace(entry.summary, size=sizes[entry.key])) if entry.key in sizes else entry
            for entry in entries
        ]
        self._known = known
        self._find_removals()
        self.images.show_all(entries, known, figures)
        self._show_title()
        self._show_totals()
        self._measure(cancel)
        self._refresh_soon()
