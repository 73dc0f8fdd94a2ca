"""Rules about who may do what in the image: all for information."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lamina.advice.examined import Examined, Rows
from lamina.advice.finding import Finding, Rule
from lamina.advice.model import Severity
from lamina.distinct import distinct
from lamina.model import Kind

_SET_IDS = 0o6000
_OTHERS_WRITE, _STICKY = 0o002, 0o1000


class SetIds(Rule):
    """Programs that run with their owner's rights: setuid and setgid.

    Each is a way to more rights. Where nothing in the container needs `su` or `passwd`, `chmod a-s` in the RUN that
    installs them, or start containers with `--security-opt no-new-privileges`.
    """

    name = "setuid"
    most = Severity.INFO

    def find(self, image: Examined) -> Iterator[Finding]:
        """One finding."""
        union, alive = image.union, image.alive
        files = alive[(union.kind[alive] == Kind.FILE) & (union.mode[alive] & _SET_IDS > 0)]
        do = "Take the bit away where nothing needs it (chmod a-s)."
        yield from _found(image, files, ("setuid or setgid program", "setuid or setgid programs"), do)


class WorldWritable(Rule):
    """Files and folders that every user may write to.

    Whatever runs in the container can change them for all. Give them an owner (`COPY --chown`), or the sticky bit as
    `/tmp` has it.
    """

    name = "world-writable"
    most = Severity.INFO

    def find(self, image: Examined) -> Iterator[Finding]:
        """One finding."""
        union, alive = image.union, image.alive
        alive = alive[alive < union.implicit]
        kind, mode = union.kind[alive], union.mode[alive]
        open_to_all = (mode & _OTHERS_WRITE > 0) & ((kind == Kind.FILE) | ((kind == Kind.DIR) & (mode & _STICKY == 0)))
        do = "Set owner and mode where they are made (COPY --chown, --chmod)."
        words = ("file or folder that all may write to", "files or folders that all may write to")
        yield from _found(image, alive[open_to_all], words, do)


class RootUser(Rule):
    """The image runs as root.

    Without a `USER` what runs in the container is root there, and one mistake of the engine away from root outside.
    """

    name = "root-user"
    most = Severity.INFO

    def find(self, image: Examined) -> Iterator[Finding]:
        """One finding, where the image says what it runs."""
        if not (image.config.get("Entrypoint") or image.config.get("Cmd")):
            return
        user = image.config.get("User")
        name = user.partition(":")[0] if isinstance(user, str) else ""
        if name in ("", "root", "0"):
            yield Finding(
                text="What the image runs, runs as root.",
                do="Name a user with USER, at the end of the Dockerfile.",
                rows=np.zeros(0, dtype=np.int32),
                layers=(),
            )


def _found(image: Examined, events: Rows, words: tuple[str, str], do: str) -> Iterator[Finding]:
    union = image.union
    if image.ignored is not None:
        events = events[~image.ignored[union.path[events]]]
    if not len(events):
        return
    rows: NDArray[np.int32] = np.sort(union.path[events])
    layers = tuple(distinct(union.born[events]).tolist())
    yield Finding(
        text=f"The image has {len(events):,} {words[len(events) > 1]}.",
        do=do,
        rows=rows,
        layers=layers,
        changes=layers[0] if len(layers) == 1 else None,
    )
