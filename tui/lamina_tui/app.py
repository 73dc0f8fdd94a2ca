"""The Textual app: which screen is open, and the walls around all of them."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual._xterm_parser import XTermParser
from textual.app import App, SystemCommand
from textual.filter import LineFilter, Monochrome, NoColor
from textual.screen import Screen
from textual.widgets import Input

from lamina.names import display_name
from lamina.sources.base import Source
from lamina.workspace import Workspace
from lamina_tui import themes
from lamina_tui.command import Scope
from lamina_tui.glyphs import ASCII, UNICODE, Glyphs
from lamina_tui.hangup import HANGUP, can_be_resumed
from lamina_tui.image_entries import Entry, Lister, listed, source_lister
from lamina_tui.key_names import keys_text
from lamina_tui.keymap import Keymap, bindings
from lamina_tui.navigation import LayerPath
from lamina_tui.screens.base import FullScreen
from lamina_tui.screens.dialogs import HelpScreen, TextScreen
from lamina_tui.screens.palette import Palette
from lamina_tui.settings import Settings
from lamina_tui.terminal_background import Answer, LateAnswer
from lamina_tui.terminal_filter import Wall

if TYPE_CHECKING:  # numpy comes with these, and the first frame doesn't wait for it
    from lamina.figures.image import LoadedImage
    from lamina.model import KnownImage

INTERRUPTED = 130

COPIED = 64 << 10
"""Characters of a copy at the most: many terminals take no more of OSC 52, and those that do would be flooded."""

NOT_ASKED = Answer()

_HELD = 0.05
"""Seconds that keys are held back which might be the beginning of an answer of the terminal."""

_TOLD = 15
"""Seconds that a remark stays over the screen."""

_MOUNTING = 5000
"""Looks, a millisecond apart, at whether a screen is mounted, until its keys are tried all the same."""

COPIED_TOLD = 1024
"""Characters of what the status repeats of a copy: more than any terminal is wide."""


class LaminaApp(App[int]):
    """lamina on a screen.

    Args:
        first: makes the screen to start with.
        workspace: opens what the user asks for.
        ascii_only: draw with ASCII signs only.
        settings: theme, units and keys; None: the defaults.
        background: what the terminal answered when it was asked.
        remark: told once, on the first screen; may hold any text.
    """

    CSS_PATH = "app.tcss"
    TITLE = "lamina"
    BINDINGS = bindings(Scope.APP)
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING: ClassVar[str] = "ctrl+p"
    ALLOW_SELECT: ClassVar[bool] = False

    def __init__(
        self,
        first: Callable[[], Screen[None]],
        workspace: Workspace | None = None,
        *,
        ascii_only: bool = False,
        settings: Settings | None = None,
        background: Answer = NOT_ASKED,
        remark: str = "",
    ) -> None:
        self._settings = settings or Settings()
        self.keymap: Keymap = self._settings.keys
        self.binary_units = self._settings.units == "binary"
        """How :mod:`lamina_tui.texts` tells sizes while this app draws."""
        self._background = background
        self._late: LateAnswer[events.Key] | None = LateAnswer() if background.late else None
        self._remark = remark
        self._wall = Wall(ascii_only=ascii_only)
        self.glyphs: Glyphs = ASCII if ascii_only else UNICODE
        super().__init__()
        self._first = first
        self.signalled: int | None = None
        """The exit code of the signal that ended the app."""
        self._workspace = workspace or Workspace()
        self.image_states: dict[tuple[str, str], object] = {}
        self.animation_level = "none"
        for theme in themes.ALL:
            self.register_theme(theme)
        self.theme = themes.theme_for(
            self.console.color_system, no_color=self.no_color, wanted=self._settings.theme, light=background.light
        ).name
        self.set_keymap(self.keymap.moved())
        # Textual chose its filters before the theme was known: greys are no answer to NO_COLOR.
        self._filters = [NoColor() if isinstance(item, Monochrome) else item for item in self._filters]
        self.set_class(ascii_only, "-plain")

    # Walls

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's filters, and the wall after them."""
        return [*super().get_line_filters(), self._wall]

    @property
    def crash(self) -> Exception | None:
        """What ended the app against its will; None after an ordinary end.

        What breaks while a signal ends the app is no fault: it may come while a screen is half made.
        """
        return self._exception if self.signalled is None else None

    def _fatal_error(self) -> None:
        """End without the traceback that Textual would print: the command tells in one line."""
        if os.environ.get("LAMINA_DEBUG"):
            super()._fatal_error()
        else:
            self._close_messages_no_wait()

    def copy(self, text: str | bytes) -> None:
        """Put a text on the clipboard (OSC 52), in its visible form: a pasted newline could run commands."""
        head = text[:COPIED]
        shown = display_name(head)
        self.copy_to_clipboard(shown)
        told = f"copied {shown[:COPIED_TOLD]}"
        if len(head) < len(text):
            told = f"copied the first {len(head):,} of {len(text):,} characters"
        say = getattr(self.screen, "say", None)
        if callable(say):
            say(told)

    async def on_event(self, event: events.Event) -> None:
        """Run a key's command before the next key is taken.

        Textual sends a key to the widget first and looks for bindings when it bubbles back; meanwhile the next keys
        are on their way to the same widget. In one go, `/lib` would open the filter and then run `l`, `i` and `b`.
        """
        if self._late is not None and isinstance(event, events.Key) and not event.is_forwarded:
            for key in self._late.take(event):
                await self._on_usual_event(key)
            if self._late.over:
                self._late = None
            else:
                self.set_timer(_HELD, self._release)
            return
        await self._on_usual_event(event)

    async def _release(self) -> None:
        """Handle keys that might have been an answer of the terminal and were not."""
        for key in [] if self._late is None else self._late.release():
            await self._on_usual_event(key)

    async def _on_usual_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key) and event.key == "ctrl+c":
            # Before any dialog or line of input, which would take it for itself.
            await self.run_action("interrupt", self)
            return
        if isinstance(event, events.Key) and not event.is_forwarded:
            await self._screen_is_there()
        if isinstance(event, events.Key) and not event.is_forwarded and not isinstance(self.focused, Input):
            for priority in (True, False):
                if await self._check_bindings(event.key, priority=priority):
                    return
        await super().on_event(event)

    async def _screen_is_there(self) -> None:
        """Wait until a screen that a key before has opened has its widgets."""
        for _ in range(_MOUNTING):
            if self.screen.is_mounted or self._exit:
                return
            await asyncio.sleep(0.001)

    # Screens

    async def run_async(self, **options: Any) -> int | None:
        """Run; from now on signals end the app in order, with the terminal restored.

        They do before the terminal is touched: until then they end the process as they end any other.
        """
        if threading.current_thread() is threading.main_thread():
            loop = asyncio.get_running_loop()
            for number, code in ((signal.SIGINT, INTERRUPTED), (signal.SIGTERM, 143), (signal.SIGHUP, HANGUP)):
                loop.add_signal_handler(number, self._end_on_signal, code)
        return await super().run_async(**options)

    def _end_on_signal(self, code: int) -> None:
        self.signalled = code
        self.exit(code)

    def on_mount(self) -> None:
        """Open the first screen."""
        _ = self.push_screen(self._first())
        self.call_after_refresh(_collect_garbage_again)
        for event in XTermParser().feed(self._background.typed.decode(errors="replace")):
            self.post_message(event)
        if self._remark:
            # Over whatever screen it is: a status line has no room for a file's name, and other things to say.
            self.notify(display_name(self._remark), severity="warning", timeout=_TOLD, markup=False)

    def open_image(self, source: Source, target: str | None, label: str, place: LayerPath | None = None) -> None:
        """Open one image of a source over the list it came from; at a place of it, if one is given."""
        from lamina_tui.screens.image import ImageScreen

        _ = self.push_screen(ImageScreen(lambda: (source, target), label, place))

    def open_target(self, text: str) -> None:
        """Open what the user typed."""
        from lamina_tui.screens.image import ImageScreen

        _ = self.push_screen(ImageScreen(lambda: self._workspace.resolve(text), text))

    def open_tree(self, stacks: Sequence[tuple[Entry, KnownImage]], label: str) -> None:
        """Open the tree of some images' layers."""
        from lamina_tui.screens.tree import TreeScreen

        _ = self.push_screen(TreeScreen(stacks, label))

    def open_set(self, entries: Sequence[Entry]) -> None:
        """Open what some images share."""
        from lamina_tui.screens.image_set import SetScreen

        _ = self.push_screen(SetScreen(listed(entries), f"{len(entries)} images"))

    def open_diff(self, first: Entry, second: Entry, loaded: tuple[LoadedImage, LoadedImage] | None = None) -> None:
        """Open the comparison of two images."""
        from lamina_tui.screens.diff import DiffScreen, opener_of

        openers = opener_of(first), opener_of(second)
        _ = self.push_screen(DiffScreen(openers, (first.short_name, second.short_name), loaded))

    def open_demo(self) -> None:
        """Open the list of the built-in samples."""
        from lamina_tui.screens.images import ImagesScreen

        _ = self.push_screen(ImagesScreen(source_lister(self._workspace.demo), "built-in samples"))

    def open_search(self, term: str) -> None:
        """Open a search for repositories."""
        from lamina_tui.screens.registry.search import SearchScreen

        _ = self.push_screen(SearchScreen(self._workspace, term))

    def open_tags(self, name: str) -> None:
        """Open the versions of a repository."""
        from lamina_tui.screens.registry.tags import TagsScreen

        _ = self.push_screen(TagsScreen(self._workspace, name))

    def open_platforms(self, name: str) -> None:
        """Open the list of what an image of a registry is for each platform."""
        from lamina_tui.screens.images import ImagesScreen

        every = self._workspace.for_platform("all")
        lister = source_lister(lambda: every.resolve(f"docker://{name}").source)
        _ = self.push_screen(ImagesScreen(lister, f"{name}, for each platform"))

    def open_pull(self, name: str) -> None:
        """Open what a pull of an image would fetch."""
        from lamina_tui.screens.registry.pull import PullScreen

        _ = self.push_screen(PullScreen(self._workspace, name))

    def open_contexts(self) -> None:
        """Ask for another engine."""
        from lamina_tui.screens.contexts import ContextsScreen

        contexts, current = self._workspace.contexts(), self._workspace.context
        _ = self.push_screen(ContextsScreen(contexts, current, lambda chosen: self.open_engine(chosen.host)))

    def open_engine(self, host: str) -> None:
        """Open the list of another engine's images in place of the one that is shown."""
        from lamina_tui.screens.images import engine_images

        self._workspace = self._workspace.at(host)
        _ = self.switch_screen(engine_images(self._workspace))

    def open_source(self, source: Source, read: Sequence[LoadedImage] = ()) -> None:
        """Open the list of a source's images in place of the image that is shown; some of them were read."""
        self.open_list(source_lister(lambda: source), source.label, read)

    def open_list(self, lister: Lister, label: str, read: Sequence[LoadedImage] = ()) -> None:
        """Open a list of images in place of what is shown; some of them were read."""
        from lamina_tui.screens.images import ImagesScreen

        _ = self.switch_screen(ImagesScreen(lister, label, read=read))

    def go_back(self) -> bool:
        """Close this screen, unless it is the first; False if it is."""
        # The stack's bottom is Textual's own blank screen.
        if len(self.screen_stack) <= 2:
            return False
        _ = self.pop_screen()
        return True

    # Commands

    def action_command_palette(self) -> None:
        """Every command, by name."""
        if not isinstance(self.screen, Palette):
            _ = self.push_screen(Palette(id="--command-palette"))

    def action_help(self) -> None:
        """Show every key."""
        screen = self.screen
        near = screen.scopes() if isinstance(screen, FullScreen) else ()
        _ = self.push_screen(HelpScreen(near, self.keymap, self.glyphs))

    async def action_quit(self) -> None:
        """End; 3 where what was asked for could not be shown."""
        screen = self.screen_stack[1] if len(self.screen_stack) > 1 else None
        self.exit(screen.ends_with if isinstance(screen, FullScreen) else 0)

    def action_suspend_process(self) -> None:
        """Stop for the shell, where there is one that can wake the process again."""
        if can_be_resumed():
            super().action_suspend_process()
        elif isinstance(self.screen, FullScreen | TextScreen):
            self.screen.say("no shell here could bring it back")

    def action_interrupt(self) -> None:
        """End as a command does that gets an interrupt."""
        self.exit(INTERRUPTED)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette lists the table's commands that work here."""
        scopes = screen.scopes() if isinstance(screen, FullScreen) else ()
        for command in self.keymap.of(Scope.APP, *scopes):
            if command.palette:
                yield SystemCommand(command.help, keys_text(command.keys), self._runner(command.action))

    def _runner(self, action: str) -> Callable[[], None]:
        async def run() -> None:
            focused = self.screen.focused
            for target in (focused, self.screen, self):
                if target is not None and await self.run_action(action, target):
                    return

        def later() -> None:
            self.call_later(run)

        return later


def _collect_garbage_again() -> None:
    """Where who opened the screen did without: what is loaded by now stays, and is not looked through again."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
