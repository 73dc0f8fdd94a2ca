"""The keys that layers are kept under: each names what vouches for the bytes it was read from."""

from __future__ import annotations

from lamina.workers.file_range import FileRange


def diff_key(diff_id: str) -> str:
    """Of a layer whose tar was hashed to this, or that an engine exported under it."""
    return f"diff:{diff_id}"


def blob_key(digest: str) -> str:
    """Of a layer whose blob was hashed to this."""
    return f"blob:{digest}"


def range_key(place: FileRange) -> str:
    """Of a layer scanned where it stands, its payload unread."""
    numbers = ":".join(map(str, (*place.stamp, place.offset, place.size)))
    return f"file:{numbers}"


def store_key(diff_id: str) -> str:
    """Of a layer read from an engine's own record, whose content ids are of another kind."""
    return f"store:{diff_id}"


def toc_key(digest: str) -> str:
    """Of a layer read from its table of contents, which was hashed to this; its content ids are of another kind."""
    return f"toc:{digest}"
