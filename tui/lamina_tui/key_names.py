"""Keys by name: as Textual names them, as people write them, as the screen shows them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

_NUL = "ctrl+@"
"""What most terminals send for ctrl+space."""

_SHOWN = {
    "question_mark": "?",
    "slash": "/",
    "greater_than_sign": ">",
    "less_than_sign": "<",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "escape": "esc",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "shift+tab": "S-Tab",
    "tab": "Tab",
    "home": "Home",
    "end": "End",
    "f1": "F1",
}

_ARROWS = ("up", "down", "left", "right", "home", "end", "pageup", "pagedown")
_NAMED = frozenset(
    (*_ARROWS, "insert", "delete", "backspace", "enter", "escape", "tab", "space", *(f"f{i}" for i in range(1, 25)))
)
_ALSO = {"pgup": "pageup", "pgdn": "pagedown", "esc": "escape", "return": "enter"}
_MODIFIERS = ("ctrl", "alt", "shift")
# Where Textual has other names than Unicode.
_SIGNS = {
    "solidus": "slash",
    "reverse_solidus": "backslash",
    "commercial_at": "at",
    "hyphen_minus": "minus",
    "plus_sign": "plus",
    "low_line": "underscore",
}
_SIGN_NAMES = {
    _SIGNS.get(name, name): sign
    for sign in "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
    for name in [unicodedata.name(sign).lower().replace("-", "_").replace(" ", "_")]
}


def key_text(key: str) -> str:
    """A key's name for people: ``?``, ``PgUp``, ``^z``."""
    if key in _SHOWN:
        return _SHOWN[key]
    if key.startswith("ctrl+"):
        return f"^{key_text(key.removeprefix('ctrl+'))}"
    return _SIGN_NAMES.get(key, key)


def keys_text(keys: Iterable[str]) -> str:
    """Several keys for people; one that terminals tell in two ways once."""
    return " ".join(key_text(key) for key in keys if key != _NUL)


def keys_named(text: str) -> tuple[str, ...]:
    """The keys that a text names, as Textual names them: ``/`` is ``slash``, ``PgUp`` is ``pageup``.

    Args:
        text: one key with its modifiers, as people write it: ``ctrl+f``, ``G``, ``f5``, ``?``.

    Returns:
        One name; two where terminals tell the key in two ways; none where there is no such key.
    """
    text = text.strip()
    if text == "+" or text.endswith("++"):
        head, last = text[:-2], "+"
    else:
        head, _, last = text.rpartition("+")
    modifiers = head.lower().split("+") if head else []
    if any(modifier not in _MODIFIERS for modifier in modifiers) or len(set(modifiers)) < len(modifiers):
        return ()
    if len(last) == 1 and not last.isalnum():
        last = next((name for name, sign in _SIGN_NAMES.items() if sign == last), "")
    elif len(last) > 1:
        last = _ALSO.get(last.lower(), last.lower())
        if last not in _NAMED and last not in _SIGN_NAMES:
            return ()
    elif modifiers and not last.islower():
        last = last.lower()
    if not last or not last.isascii():
        return ()
    key = "+".join([*(modifier for modifier in _MODIFIERS if modifier in modifiers), last])
    return (key, _NUL) if key == "ctrl+space" else (key,)
