"""A pull by the engine, told before it is made: the registry says what there is, the engine what it has."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from lamina.dataclass import dataclass
from lamina.figures.pull_plan import PullPlan, plan_pull
from lamina.model import LaminaError, Progress
from lamina.sources.blocking import answer
from lamina.sources.progress import Ticker

if TYPE_CHECKING:
    from lamina.sources.engine.pulling import PulledLayer
    from lamina.sources.engine.source import EngineSource
    from lamina.sources.registry.reference import Reference
    from lamina.sources.registry.source import RegistrySource

Tell = Callable[[Progress], None]

_DONE = ("Pull complete", "Already exists", "Download complete")
"""What engines call a layer that has come."""


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull that was not made yet. Made by :meth:`lamina.Workspace.pull`."""

    plan: PullPlan
    reference: Reference
    _engine: EngineSource
    _platform: str = ""

    @property
    def engine(self) -> str:
        """The engine, for people."""
        return self._engine.label

    def run(
        self,
        cancel: threading.Event | None = None,
        progress: Tell | None = None,
        layers: Callable[[Sequence[PulledLayer]], None] | None = None,
    ) -> None:
        """Let the engine pull the image. This is the one thing that lamina ever changes on an engine.

        Args:
            cancel: when set, the engine is left, and gives up.
            progress: notified of the sum: bytes that have come, of those that the plan tells.
            layers: notified of each layer.

        Raises:
            LaminaError: the engine or the registry refuses, or breaks off.
            Cancelled: ``cancel`` was set.
        """
        from lamina.sources.engine.pulling import pull
        from lamina.sources.registry.credentials import credentials_for

        ticker = Ticker(progress, self.plan.fetched or None, "waiting for the registry")
        most: dict[str, int] = {}

        def tell(rows: list[PulledLayer]) -> None:
            for row in rows:
                if row.status == "Downloading":
                    most[row.id] = max(most.get(row.id, 0), row.done)
            done = sum(row.status in _DONE for row in rows)
            ticker.say(f"{done} of {len(self.plan.layers)} layers")
            ticker.reach(sum(most.values()))
            if layers is not None:
                layers(rows)

        cancel = cancel or threading.Event()
        # A helper that keeps credentials may ask its user, or hang.
        client, credentials = answer(
            lambda: (self._engine.connection.client, credentials_for(self.reference.host)), cancel, ticker.tick
        )
        diff_ids = [layer.diff_id for layer in self.plan.info.layers]
        pull(client, self.reference, self._platform, diff_ids, credentials, cancel, tell)
        ticker.tick(now=True)


def plan(
    source: RegistrySource,
    reference: Reference,
    engine: EngineSource,
    cancel: threading.Event,
    progress: Tell | None,
    platform: str = "",
) -> Pull:
    """What a pull of an image will fetch.

    Args:
        source: the image in its registry.
        reference: the same, by name.
        engine: who is to pull it.
        cancel: ends the asking.
        progress: notified of how far it has come.
        platform: which the engine is to pull; "": its own.

    Raises:
        LaminaError: registry or engine can't be used.
        Cancelled: ``cancel`` was set.
    """
    info = source.head(cancel)
    known = engine.known_images(cancel, progress)
    if not info.layers:
        raise LaminaError(f"{reference} has no layers: there is nothing to pull")
    return Pull(plan_pull(info, known, by_position=engine.fetches_by_position(cancel)), reference, engine, platform)
