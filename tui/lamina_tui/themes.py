"""The screen's colours: dark, light, high contrast, and the terminal's own sixteen.

The last one serves where there are few colours or none, too. Nothing is told by colour alone in any of them.
All colours of the others stand in the 256-colour palette, so both kinds of terminal show the same.
"""

from __future__ import annotations

from textual.theme import Theme


def _many(
    name: str,
    *,
    dark: bool,
    text: str,
    background: str,
    dim: str,
    raised: str,
    title: str,
    idle: str,
    accent: str,
    on_accent: str,
    added: str,
    modified: str,
    metadata: str,
    removed: str,
    bar: str,
    waste: str,
    line: str,
    thumb: str,
    lined: bool = False,
) -> Theme:
    """A theme for many colours.

    Args:
        name: as settings have it.
        dark: light text on a dark background.
        text: of most; what follows are colours too, each on ``background`` if nothing else is said.
        background: of the screen.
        dim: of headings and asides, on ``raised`` and ``title`` too.
        raised: behind list headings and scrollbars.
        title: behind the first line.
        idle: behind the cursor's row in a pane without the keyboard.
        accent: of what is chosen; behind the cursor.
        on_accent: text on it.
        added: a change; so are the next three.
        modified: content.
        metadata: metadata only.
        removed: a name that is gone.
        bar: the length of a bar.
        waste: its wasted part, and bytes that are wasted.
        line: between panes.
        thumb: of scrollbars.
        lined: headings and the idle cursor are underlined, where a background would not be seen.
    """
    return Theme(
        name=name,
        primary=metadata,
        secondary=metadata,
        accent=accent,
        foreground=text,
        background=background,
        surface=raised,
        panel=title,
        success=added,
        warning=modified,
        error=removed,
        dark=dark,
        variables={
            "lamina-dim": dim,
            "lamina-head": raised,
            "lamina-head-style": "underline" if lined else "none",
            "lamina-here": accent,
            "lamina-title": title,
            "lamina-title-style": "none",
            "lamina-title-strong": "bold",
            "lamina-here-style": "bold underline" if lined else "bold",
            "lamina-tab-style": "bold",
            "lamina-cursor": accent,
            "lamina-cursor-text": on_accent,
            "lamina-cursor-style": "bold" if lined else "none",
            "lamina-idle": idle,
            "lamina-idle-style": "bold underline" if lined else "none",
            "lamina-tab": accent,
            "lamina-tab-text": on_accent,
            "lamina-added": added,
            "lamina-modified": modified,
            "lamina-metadata": metadata,
            "lamina-removed": removed,
            "lamina-bar": bar,
            "lamina-waste": waste,
            "lamina-title-bad": waste,
            "lamina-line": line,
            "lamina-veil": f"{background} 60%",
            "scrollbar": thumb,
            "scrollbar-hover": thumb,
            "scrollbar-active": accent,
            "scrollbar-background": raised,
            "scrollbar-background-hover": raised,
            "scrollbar-background-active": raised,
        },
    )


DARK = _many(
    "dark",
    dark=True,
    text="#d0d0d0",
    background="#1c1c1c",
    dim="#949494",
    raised="#262626",
    title="#303030",
    idle="#3a3a3a",
    accent="#d7af5f",
    on_accent="#1c1c1c",
    added="#87af5f",
    modified="#d7af5f",
    metadata="#5fafd7",
    removed="#d75f5f",
    bar="#5f87af",
    waste="#d7875f",
    line="#444444",
    thumb="#585858",
)

LIGHT = _many(
    "light",
    dark=False,
    text="#262626",
    background="#ffffff",
    dim="#5f5f5f",
    raised="#eeeeee",
    title="#e4e4e4",
    idle="#dadada",
    accent="#005f87",
    on_accent="#ffffff",
    added="#005f00",
    modified="#875f00",
    metadata="#005faf",
    removed="#af0000",
    bar="#5f87af",
    waste="#af0000",
    line="#b2b2b2",
    thumb="#9e9e9e",
)

HIGH_CONTRAST = _many(
    "high-contrast",
    dark=True,
    text="#ffffff",
    background="#000000",
    dim="#ffffff",
    raised="#000000",
    title="#000000",
    idle="#000000",
    accent="#ffff00",
    on_accent="#000000",
    added="#5fff5f",
    modified="#ffff5f",
    metadata="#5fffff",
    removed="#ffafaf",
    bar="#87d7ff",
    waste="#ffaf5f",
    line="#ffffff",
    thumb="#ffffff",
    lined=True,
)

TERMINAL = Theme(
    name="terminal",
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


ALL = (DARK, LIGHT, HIGH_CONTRAST, TERMINAL)


def theme_for(color_system: str | None, *, no_color: bool, wanted: str = "auto", light: bool | None = None) -> Theme:
    """The theme that suits a terminal.

    Args:
        color_system: as Rich names it: ``truecolor``, ``256``, ``standard``, or None.
        no_color: the user set NO_COLOR.
        wanted: a theme's name; ``auto`` goes by the terminal's background.
        light: whether that is light; None where the terminal does not tell.

    Returns:
        What was asked for; with few colours or none the terminal's own, which show everywhere.
    """
    if color_system not in {"truecolor", "256"} or no_color:
        return TERMINAL
    named = {theme.name: theme for theme in ALL}
    return named.get(wanted, LIGHT if light else DARK)
