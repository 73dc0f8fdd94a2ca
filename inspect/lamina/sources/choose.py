"""Which of a store's images is meant, and what to call each of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from lamina.model import ImageSummary, LaminaError
from lamina.names import normalise_reference, same_reference
from lamina.sources.json_checks import quoted
from lamina.sources.oci_images import Entry, Found

_HEX = re.compile(r"[0-9a-f]{4,64}")


def summaries(all_entries: Iterable[Entry]) -> list[ImageSummary]:
    """The rows of :meth:`Source.list`."""
    rows = []
    for entry in all_entries:
        info = entry.open().info
        rows.append(
            ImageSummary(
                target=info.target,
                id=info.id,
                tags=info.tags,
                digests=info.digests,
                created=info.created,
                layers=len(info.layers),
            )
        )
    return rows


def choose(all_entries: Sequence[Entry], target: str | None, where: str) -> Found:
    """The image that is meant.

    Args:
        all_entries: of :func:`entries`; at least one.
        target: ``@2`` (place), a whole name, a bare tag, an image ID or its first digits, a manifest's digest;
            None for the only or the first image.
        where: names the store in errors.

    Raises:
        LaminaError: there is no such image, or several.
    """
    if target is None:
        return all_entries[0].open()
    if target.startswith("@") and target[1:].isascii() and target[1:].isdigit() and len(target) < 12:
        place = int(target[1:])
        if place >= len(all_entries):
            raise LaminaError(f"{where} has no image {target}: it holds {len(all_entries)}, counted from @0")
        return all_entries[place].open()
    for matches in (_named(target), _bare(target)):
        hits = [entry for entry in all_entries if any(matches(tag) for tag in entry.tags)]
        if hits:
            if len(hits) > 1:
                raise LaminaError(f"several images of {where} are called {quoted(target)}: {_known(hits)}")
            return hits[0].open()
    found = _by_id(all_entries, target)
    if len(found) > 1:
        raise LaminaError(f"several images of {where} have an ID that begins with {quoted(target)}")
    if not found:
        raise LaminaError(f"no image {quoted(target)} in {where}: it holds {_known(all_entries)}")
    return found[0]


def _named(target: str) -> Callable[[str], bool]:
    return lambda tag: tag == target or same_reference(tag, target)


def _bare(target: str) -> Callable[[str], bool]:
    """A name without its tag where a tag is meant: ``1.4`` of ``shop-web:1.4``."""
    return lambda tag: "/" not in target and normalise_reference(tag).rpartition(":")[2] == target


def _by_id(all_entries: Sequence[Entry], target: str) -> list[Found]:
    wanted = target.rpartition("@")[2].removeprefix("sha256:")
    if not _HEX.fullmatch(wanted):
        return []
    found: dict[str, Found] = {}
    for entry in all_entries:
        image = entry.open()
        ids = (image.info.id, image.manifest_digest or "")
        if any(id_.removeprefix("sha256:").startswith(wanted) for id_ in ids):
            found.setdefault(image.info.id, image)
    return list(found.values())


def _known(all_entries: Sequence[Entry]) -> str:
    names = [quoted(entry.tags[0]) if entry.tags else "untagged" for entry in all_entries]
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
