"""What an instruction says, as far as advice about it depends on that; all that is returned is safe to show."""

from __future__ import annotations

import re

from lamina.model import ImageInfo
from lamina.names import short_instruction

_QUOTED, _NAMED = 100, 60  # characters of an instruction that is all of a sentence, or within one
_VERB = re.compile(r"[A-Z]{2,12}\b")
_OWNER = re.compile(r"\bchown\s+(?:-\S+\s+)*([A-Za-z0-9_.-]+(?::[A-Za-z0-9_.-]+)?)\s")
_MODE = re.compile(r"\bchmod\s+(?:-[RrvfcP]+\s+|--\S+\s+)*([0-7]{3,4}|[ugoa]*[-+=][rwxXst]+)\s")
_DIGEST = re.compile(r"\b((?:file|dir|multi):[0-9a-f]{12})[0-9a-f]{20,}")
_CLASSIC = re.compile(r"(?:file|dir|multi):\S+ in ")
"""How the classic builder writes what it copied: by a digest."""


class Instruction:
    """One layer's instruction.

    Args:
        info: the image's head.
        layer: number of the layer.
    """

    def __init__(self, info: ImageInfo, layer: int) -> None:
        self.layer = layer
        text = short_instruction(info.layers[layer].instruction) if layer < len(info.layers) else ""
        self.text = _DIGEST.sub(r"\1…", text)
        found = _VERB.match(self.text)
        self.verb = found[0] if found else ""
        """``RUN``, ``COPY``; empty where the history doesn't tell."""

    @property
    def copies(self) -> bool:
        """Whether it takes files from outside; a root file system that an image begins with is made elsewhere."""
        return self.verb == "COPY" or (self.verb == "ADD" and self.layer > 0)

    @property
    def runs(self) -> bool:
        """Whether it runs a command."""
        return self.verb == "RUN"

    @property
    def where(self) -> str:
        """``layer 3 (RUN apt-get update)``."""
        return f"layer {self.layer} ({_cut(self.text, _NAMED)})" if self.text else f"layer {self.layer}"

    @property
    def quoted(self) -> str:
        """The instruction in a line that is not too long."""
        return _cut(self.text, _QUOTED)

    @property
    def owner(self) -> str | None:
        """Whom its ``chown`` makes the owner."""
        found = _OWNER.search(self.text) if self.runs else None
        return found[1] if found else None

    @property
    def mode(self) -> str | None:
        """What its ``chmod`` sets."""
        found = _MODE.search(self.text) if self.runs else None
        return found[1] if found else None

    def with_option(self, option: str) -> str:
        """A COPY or ADD with one more option."""
        rest = _CLASSIC.sub("… ", self.text[len(self.verb) :].strip(), count=1)
        made = f"{self.verb} {option} {rest}"
        return _cut(made, _QUOTED)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def leave_out(instruction: Instruction, run: str) -> str:
    """What to do about files that a layer ships and nobody needs, in words that fit its instruction.

    Args:
        instruction: the layer's.
        run: what to write in a RUN, a clause: ``end it with && rm -rf /tmp/*``.
    """
    if instruction.copies:
        return (
            f"Leave them out of what is copied, by .dockerignore or by copying less, in layer {instruction.layer}: "
            f"{instruction.quoted}"
        )
    where = f"In layer {instruction.layer}" if instruction.runs else f"Where layer {instruction.layer} is made"
    return f"{where}, {run}: {instruction.quoted}" if instruction.text else f"{where}, {run}."
