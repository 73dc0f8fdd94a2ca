"""Writes .github/RULES.md from the rules' docstrings: ``python tests/make_rules.py``."""

from __future__ import annotations

from pathlib import Path

from lamina.reports.rules import rules_markdown

PAGE = Path(__file__).parent.parent / ".github" / "RULES.md"

if __name__ == "__main__":
    PAGE.write_text(rules_markdown(), encoding="utf-8")
