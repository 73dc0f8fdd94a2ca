"""Source text cut into pieces by what they are, for colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pygments.lexer import Lexer

MOST = 1 << 20
"""Bytes of a file that is looked at: to part a larger one would take seconds."""

Pieces = list[tuple[str, str]]
"""(text, kind) of one line; the kinds are ``comment``, ``keyword``, ``string``, ``number``, ``name`` and ``""``."""


def highlight(text: str, name: str) -> list[Pieces] | None:
    """The lines of a text in pieces.

    Args:
        text: safe to show; lines end in newlines.
        name: of its file.

    Returns:
        None where nobody knows the language.
    """
    lexer = _lexer(text, name)
    if lexer is None:
        return None
    lines: list[Pieces] = [[]]
    for token, value in lexer.get_tokens(text):
        kind = _kind(str(token))
        for number, part in enumerate(value.split("\n")):
            if number:
                lines.append([])
            if part:
                lines[-1].append((part, kind))
    return lines


def _lexer(text: str, name: str) -> Lexer | None:
    from pygments.lexers import get_lexer_for_filename, guess_lexer
    from pygments.util import ClassNotFound

    options = {"stripnl": False, "ensurenl": False}
    try:
        return get_lexer_for_filename(name, text[:4096], **options)
    except ClassNotFound:
        pass
    if text.startswith(("#!", "<?xml")):  # anything else would be a guess at words
        try:
            return guess_lexer(text[:4096], **options)
        except ClassNotFound:
            pass
    return None


_KINDS = (
    ("Token.Comment", "comment"),
    ("Token.Keyword", "keyword"),
    ("Token.Name.Tag", "keyword"),
    ("Token.Literal.String", "string"),
    ("Token.Literal.Number", "number"),
    ("Token.Name.Function", "name"),
    ("Token.Name.Class", "name"),
    ("Token.Name.Attribute", "name"),
    ("Token.Generic.Heading", "name"),
)


def _kind(token: str) -> str:
    return next((kind for prefix, kind in _KINDS if token.startswith(prefix)), "")
