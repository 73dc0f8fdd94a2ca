"""Two themes: one for terminals with many colours, one for sixteen and for none."""

from __future__ import annotations

from textual.theme import Theme

MANY = Theme(
    name="lamina",
    primary="#5fafd7",
    secondary="#87afaf",
    accent="#d7af5f",
    foreground="#d0d0d0",
    background="#1c1c1c",
    surface="#262626",
    panel="#303030",
    success="#87af5f",
    warning="#d7af5f",
    error="#d75f5f",
    dark=True,
    variables={
        # All of these stand in the 256-colour palette too, so both kinds of terminal show the same.
        "lamina-dim": "#8a8a8a",
        "lamina-head": "#262626",
        "lamina-head-style": "none",
        "lamina-here": "#d7af5f",
        "lamina-title": "#303030",
        "lamina-title-style": "none",
        "lamina-title-strong": "bold",
        "lamina-here-style": "bold",
        "lamina-tab-style": "bold",
        "lamina-cursor": "#d7af5f",
        "lamina-cursor-text": "#1c1c1c",
        "lamina-cursor-style": "none",
        "lamina-idle": "#3a3a3a",
        "lamina-idle-style": "none",
        "lamina-tab": "#d7af5f",
        "lamina-tab-text": "#1c1c1c",
        "lamina-added": "#87af5f",
        "lamina-modified": "#d7af5f",
        "lamina-metadata": "#5fafd7",
        "lamina-removed": "#d75f5f",
        "lamina-bar": "#5f87af",
        "lamina-waste": "#d7875f",
        "lamina-title-bad": "#d7875f",
        "lamina-line": "#444444",
        "lamina-veil": "#1c1c1c 60%",
        "scrollbar": "#585858",
        "scrollbar-hover": "#6c6c6c",
        "scrollbar-active": "#d7af5f",
        "scrollbar-background": "#262626",
        "scrollbar-background-hover": "#262626",
        "scrollbar-background-active": "#262626",
    },
)

FEW = Theme(
    name="lamina-ansi",
    ansi=True,
    primary="ansi_blue",
    secondary="ansi_cyan",
    accent="ansi_yellow",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    success="ansi_green",
    warning="ansi_yellow",
    error="ansi_red",
    dark=True,
    variables={
        # The terminal's own sixteen colours on its own background: light or dark, the user chose them to be
        # readable. The cursor is reverse, so it stays where colours don't exist.
        "lamina-dim": "ansi_default",
        "lamina-head": "ansi_default",
        "lamina-head-style": "underline",
        "lamina-here": "ansi_default",
        "lamina-title": "ansi_default",
        "lamina-title-style": "reverse",
        "lamina-title-strong": "bold reverse",
        "lamina-here-style": "bold underline",
        "lamina-tab-style": "bold reverse",
        "lamina-cursor": "ansi_default",
        "lamina-cursor-text": "ansi_default",
        "lamina-cursor-style": "reverse",
        "lamina-idle": "ansi_default",
        "lamina-idle-style": "bold underline",
        "lamina-tab": "ansi_default",
        "lamina-tab-text": "ansi_default",
        "lamina-added": "ansi_green",
        "lamina-modified": "ansi_yellow",
        "lamina-metadata": "ansi_cyan",
        "lamina-removed": "ansi_red",
        "lamina-bar": "ansi_bright_blue",
        "lamina-waste": "ansi_red",
        "lamina-title-bad": "ansi_default",
        "lamina-line": "ansi_default",
        "lamina-veil": "transparent",
        "ansi-background": "ansi_default",
        "ansi-foreground": "ansi_default",
        "border": "ansi_default",
        "border-blurred": "ansi_default",
        "block-cursor-foreground": "ansi_default",
        "block-cursor-background": "ansi_default",
        "block-cursor-text-style": "reverse",
        "input-cursor-background": "ansi_default",
        "input-cursor-foreground": "ansi_default",
        "input-cursor-text-style": "reverse",
        "scrollbar": "ansi_bright_black",
        "scrollbar-hover": "ansi_bright_black",
        "scrollbar-active": "ansi_white",
        "scrollbar-background": "ansi_default",
        "scrollbar-background-hover": "ansi_default",
        "scrollbar-background-active": "ansi_default",
        "scrollbar-corner-color": "ansi_default",
    },
)


def theme_for(color_system: str | None, *, no_color: bool) -> Theme:
    """The theme that suits a terminal.

    Args:
        color_system: as Rich names it: ``truecolor``, ``256``, ``standard``, or None.
        no_color: the user set NO_COLOR.
    """
    return MANY if color_system in {"truecolor", "256"} and not no_color else FEW
