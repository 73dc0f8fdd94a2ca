"""Other keys for commands, as a configuration asks for them: presets, names, and who gives a key to whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from lamina_tui import dive_keys
from lamina_tui.command import Command
from lamina_tui.key_names import key_text, keys_named
from lamina_tui.keymap import CHAINS, COMMANDS, Keymap

PRESETS = (dive_keys.NAME,)

_ALWAYS = {"ctrl+c": "stops at once", "ctrl+q": "quits"}
"""Keys that must lead out whatever is mapped."""


def remapped(asked: object) -> tuple[Keymap, list[str]]:
    """The keys that are in effect where a configuration asks for others.

    A key goes from a command to the one that asks for it, if the two stand in different scopes and the other keeps a
    key: ``find = "ctrl+f"`` leaves PgDn to the lists.

    Args:
        asked: ``"dive"``, or by command's name its key or keys (none: no key), besides ``preset``; as TOML has it.

    Returns:
        The keymap, and what was left out of it: each as ``name: what is wrong, and what is allowed``.
    """
    faults: list[str] = []
    if isinstance(asked, str):
        asked = {"preset": asked}
    if not isinstance(asked, Mapping):
        return Keymap(), [f"neither {_or(PRESETS)} nor a table of commands"]
    preset = asked.get("preset", "")
    if "preset" in asked and preset not in PRESETS:
        faults.append(f"preset: {preset!r:.40} is not allowed, only {_or(PRESETS)}")
        preset = ""
    usual = _preset(preset)
    wanted = _wanted({name: keys for name, keys in asked.items() if name != "preset"}, faults)
    while True:
        commands, clashes = _settled(usual, wanted)
        if not clashes:
            return Keymap(commands, preset), faults
        faults += clashes.values()
        wanted = {name: keys for name, keys in wanted.items() if name not in clashes}


def _or(words: tuple[str, ...]) -> str:
    return " or ".join(f'"{word}"' for word in words)


def _preset(name: str) -> tuple[Command, ...]:
    if name != dive_keys.NAME:
        return COMMANDS
    keys = {(scope, command): keys for scope, command, keys in dive_keys.DIVE}
    return tuple(replace(each, keys=keys.get((each.scope, each.name), each.keys)) for each in COMMANDS)


def _wanted(asked: Mapping[str, object], faults: list[str]) -> dict[str, tuple[str, ...]]:
    """By command's name the keys that it is to have, as far as there are such commands and keys."""
    names = {command.name for command in COMMANDS}
    wanted: dict[str, tuple[str, ...]] = {}
    for name, value in asked.items():
        texts = [value] if isinstance(value, str) else value
        if name not in names:
            faults.append(f"{name:.40}: no such command (`lamina config --write` lists them)")
        elif not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            faults.append(f'{name}: keys are text, as "ctrl+f", or several as ["ctrl+f", "f3"]')
        elif unknown := [text for text in texts if not keys_named(text)]:
            faults.append(
                f'{name}: no such key as {unknown[0]!r:.40}; keys are "f", "F", "ctrl+f", "f5", "pageup", "/"'
            )
        elif fixed := [key for text in texts for key in keys_named(text) if key in _ALWAYS and name != "interrupt"]:
            faults.append(f"{name}: {fixed[0]} always {_ALWAYS[fixed[0]]}, whatever is mapped")
        else:
            always = ["ctrl+c"] if name == "interrupt" else []
            wanted[name] = tuple(dict.fromkeys([*always, *(key for text in texts for key in keys_named(text))]))
    return wanted


def _settled(
    usual: tuple[Command, ...], wanted: Mapping[str, tuple[str, ...]]
) -> tuple[tuple[Command, ...], dict[str, str]]:
    """Give commands the keys they are to have, and take those from others.

    Returns:
        The commands; and by name those that can't have a key, with the reason.
    """
    keys = {each.id: wanted.get(each.name, each.keys) for each in usual}
    first_asked = [*wanted, *(each.name for each in usual if each.name not in wanted)].index
    clashes: dict[str, str] = {}
    for chain in CHAINS if wanted else ():
        holders: dict[str, Command] = {}
        for each in sorted((each for each in usual if each.scope in chain), key=lambda each: first_asked(each.name)):
            for key in keys[each.id]:
                first = holders.setdefault(key, each)
                rest = tuple(other for other in keys[each.id] if other != key)
                if first.name == each.name or first.name not in wanted:
                    continue
                if each.name in wanted:
                    told = f"{each.name}: {key_text(key)} can't be its key: {first.name} asks for it too"
                    clashes.setdefault(each.name, told)
                elif first.scope is each.scope or not rest:
                    told = f"{first.name}: {key_text(key)} can't be its key: it is the key of {each.name} ({each.help})"
                    clashes.setdefault(first.name, told)
                else:
                    keys[each.id] = rest
    return tuple(replace(each, keys=keys[each.id]) for each in usual), clashes
