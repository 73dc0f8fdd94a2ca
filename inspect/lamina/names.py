"""Image references, and untrusted text made safe to show."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SHELL = re.compile(r"^(?:\|\d+ .*?)?/bin/(?:ba|da)?sh -c ")
_NOP = re.compile(r"^#\(nop\)\s*")
_SPACE = re.compile(r"\s+")
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""What counts as printable and leaves no mark: joiners, fillers, variation selectors, the empty braille pattern
(Unicode's Default_Ignorable_Code_Point, as far as those are no format characters). Two names must not look alike."""
_WHOLE_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def decode(path: bytes) -> str:
    """Bytes of a name as text that can be encoded back: what is not UTF-8 becomes lone surrogates."""
    return path.decode("utf-8", "surrogateescape")


def display_name(text: str | bytes) -> str:
    r"""Untrusted text made visible and harmless for a terminal.

    Printable characters stay. Everything else (ESC, C0 and C1 controls, newlines, bidirectional overrides,
    zero-width characters, private use, lone surrogates) becomes a visible escape: ``\x1b``, ``\u202e``;
    a byte that is not UTF-8 becomes ``\xff``. The result never holds a character that
    ``str.isprintable`` refuses.

    This is the first of two walls; it says nothing of markup, which the screen must not parse.
    """
    if isinstance(text, bytes):
        text = decode(text)
    if text.isascii() and text.isprintable():
        return text
    if text.isprintable() and not _UNSEEN.search(text):
        return text
    return "".join(c if c.isprintable() and not _UNSEEN.match(c) else _escape(c) for c in text)


def _escape(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # surrogateescape: the byte itself
        return f"\\x{code - 0xDC00:02x}"
    if char in "\n\t\r":
        return {"\n": "\\n", "\t": "\\t", "\r": "\\r"}[char]
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def short_instruction(instruction: str) -> str:
    """An instruction on one line, for lists: the shell and ``#(nop)`` noise of builders dropped, space folded.

    A classic builder's ``/bin/sh -c apt-get update`` reads ``RUN apt-get update``; BuildKit's
    ``RUN /bin/sh -c apt-get update # buildkit`` reads the same. The result is safe to show.
    """
    # Only the head can be shown, and a hostile history row may be megabytes long.
    text = instruction[:4096].strip()
    buildkit = text.endswith("# buildkit")
    text = text.removesuffix("# buildkit").strip()
    bare = _SHELL.sub("", text)
    if bare != text:
        text = _NOP.sub("", bare) if bare.startswith("#(nop)") else f"RUN {bare}"
    elif text.startswith("RUN "):
        body = re.sub(r"^\|\d+ .*?(?=/bin/)", "", text[4:]) if buildkit else text[4:]
        text = "RUN " + _SHELL.sub("", body)
    return display_name(_SPACE.sub(" ", text))


def repository_of(reference: str) -> str:
    """An image's name without tag and digest, in its familiar form: ``ubuntu``, ``localhost:5000/shop/web``."""
    name = normalise_reference(reference).partition("@")[0]
    head, slash, tail = name.rpartition("/")
    return f"{head}{slash}{tail.partition(':')[0]}"


def normalise_reference(reference: str) -> str:
    """An image reference in its short, familiar form, with its tag.

    ``docker.io/library/ubuntu`` and ``ubuntu`` both give ``ubuntu:latest``; a digest
    (``name@sha256:…``) stays and gets no tag.
    """
    name, at, digest = reference.partition("@")
    for prefix in ("docker.io/library/", "index.docker.io/library/", "docker.io/", "index.docker.io/"):
        if name.startswith(prefix):
            name = name.removeprefix(prefix)
            break
    # `library/x` without a host is the familiar name's long form only under docker.io.
    if name.startswith("library/") and name.count("/") == 1:
        name = name.removeprefix("library/")
    if at:
        # With a digest the tag says nothing more: engines drop it too.
        head, slash, tail = name.rpartition("/")
        return f"{head}{slash}{tail.partition(':')[0]}@{digest}"
    if ":" not in name.rpartition("/")[2]:
        name += ":latest"
    return name


def same_reference(a: str, b: str) -> bool:
    """Whether two references name the same image: ``docker.io/library/ubuntu:14.04`` is ``ubuntu:14.04``."""
    return normalise_reference(a) == normalise_reference(b)


def short_id(digest: str) -> str:
    """The twelve digits people know an image by."""
    return digest.rpartition(":")[2][:12]


def image_name(tags: Sequence[str], target: str) -> str:
    """What people call an image: its first tag, else what it is asked for by, a long digest cut to twelve digits.

    Untrusted: for a terminal it goes through :func:`display_name`.
    """
    if tags:
        return tags[0]
    return short_id(target) if _WHOLE_DIGEST.fullmatch(target) else target
