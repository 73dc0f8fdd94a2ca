"""What to do about the waste, in order of bytes."""

from __future__ import annotations

import builtins
from dataclasses import dataclass, replace

import numpy as np

from lamina.figures.image import LoadedImage
from lamina.model import Cause
from lamina.stack.union import ABSENT

_CACHES = (
    (b"var/lib/apt/lists", "apt's package lists", "rm -rf /var/lib/apt/lists/* in the same RUN"),
    (b"var/cache/apt", "apt's downloaded packages", "apt-get clean in the same RUN"),
    (b"var/cache/apk", "apk's package cache", "apk add --no-cache"),
    (b"var/cache/dnf", "dnf's package cache", "dnf clean all in the same RUN"),
    (b"var/cache/yum", "yum's package cache", "yum clean all in the same RUN"),
    (b"root/.cache/pip", "pip's download cache", "pip install --no-cache-dir"),
    (b"root/.cache/uv", "uv's cache", "uv pip install --no-cache"),
    (b"root/.npm", "npm's cache", "npm cache clean --force in the same RUN"),
    (b"usr/local/share/.cache/yarn", "yarn's cache", "yarn cache clean in the same RUN"),
    (b"root/.cargo/registry", "cargo's registry", "a multi-stage build that copies only the binary"),
    (b"root/.cache/go-build", "Go's build cache", "a multi-stage build that copies only the binary"),
    (b"tmp", "temporary files", "remove them in the RUN that makes them"),
)


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing worth doing."""

    kind: str
    """A word to script against: a cause's word, or ``cache``."""
    bytes: int
    """What following it saves."""
    layer: int | None
    """Ships the bytes; None for what several layers ship."""
    hidden_by: int | None
    text: str
    """For people; holds no text from the image."""
    cause: Cause | None = None
    """Of waste: why."""
    directory: builtins.bytes = b""
    """Of a cache: where it is."""
    in_base: bool = False
    """Whether only who builds the image's base can follow it."""

    @property
    def changes(self) -> int | None:
        """The layer whose instruction is to be changed; None where that is several layers'."""
        return self.layer if self.hidden_by is None else self.hidden_by


def advise(image: LoadedImage) -> list[Advice]:
    """Advice for an image, most bytes first; nothing below a thousandth of its size (and 4 KiB).

    What only who builds its base can follow comes last.
    """
    least = max(4096, image.size // 1000)
    base = image.base
    found = [
        replace(advice, in_base=base is not None and advice.changes is not None and advice.changes < base.layers)
        for advice in [*_from_waste(image), *_from_caches(image)]
        if advice.bytes >= least
    ]
    return sorted(found, key=lambda advice: (advice.in_base, -advice.bytes))


def _from_waste(image: LoadedImage) -> list[Advice]:
    found = []
    for group in image.waste.by_layer():
        layer, hidden_by, cause = group.layer, group.hidden_by, group.cause
        if image.info.layers[hidden_by].writable:
            continue  # no image would be any smaller without it
        files = f"{group.count:,} file{'s' if group.count != 1 else ''}"
        if layer == hidden_by:
            again = f"Layer {layer} carries {files} more than once, and only the last copy counts: pack each path once."
            found.append(Advice(cause.word, group.bytes, layer, hidden_by, again, cause))
            continue
        text = {
            Cause.METADATA: f"Layer {hidden_by} copies {files} of layer {layer} only to change mode, owner or time: "
            "set them where the files are made (COPY --chmod, COPY --chown, or in the same RUN).",
            Cause.REMOVED: f"Layer {hidden_by} removes {files} that layer {layer} ships: "
            "remove them in the RUN that makes them, or build in a stage of its own.",
            Cause.OPAQUE: f"Layer {hidden_by} empties directories with {files} that layer {layer} ships: "
            "do it in the RUN that makes them.",
            Cause.OVERWRITTEN: f"Layer {hidden_by} writes over {files} of layer {layer}: write the final content once.",
            Cause.IDENTICAL: f"Layer {hidden_by} ships {files} again just as layer {layer} does: leave the copy out.",
            Cause.REPLACED: f"Layer {hidden_by} puts something else where layer {layer} has {files}: "
            "leave them out of the lower layer.",
        }[cause]
        found.append(Advice(cause.word, group.bytes, layer, hidden_by, text, cause))
    return found


def _from_caches(image: LoadedImage) -> list[Advice]:
    union = image.union
    alive = union.alive(union.layer_count - 1)
    sizes, where = union.attributed_sizes(alive), union.path[alive]
    found = []
    for directory, what, remedy in _CACHES:
        path = union.paths.find(directory)
        if path is None:
            continue
        inside = (where >= path) & (where < union.paths.end[path]) & (sizes > 0)
        if not inside.any():
            continue
        shown = alive[inside]
        carriers = np.where(union.inode[shown] == ABSENT, shown, union.inode[shown])
        layers = np.flatnonzero(np.bincount(union.born[carriers])).tolist()
        found.append(
            Advice(
                "cache",
                int(sizes[inside].sum()),
                layers[0] if len(layers) == 1 else None,
                None,
                f"/{directory.decode()} still ships {what}: {remedy}.",
                directory=directory,
            )
        )
    return found
