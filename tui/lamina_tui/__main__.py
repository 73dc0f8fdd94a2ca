"""``python -m lamina_tui``."""

from lamina_tui.cli import run

run()
