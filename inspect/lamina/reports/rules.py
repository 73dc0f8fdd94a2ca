"""The rules of advice, as their own docstrings document them: a table for a terminal, and a page."""

from __future__ import annotations

import textwrap

from lamina.advice.catalogue import RULES, documentation_of
from lamina.reports.tables import table

_HEAD = """\
# Rules of advice

`lamina report`, `lamina check` and the screen tell by these rules what can be done about an image. Each advice has
the layers that ship what it is about, the instruction to change, the exact bytes that following it saves, and what
to write instead. No byte is counted by two rules: the rules are asked in this order, and what one has claimed is
none of the next. Rules that save bytes tell nothing below a thousandth of the image (and 4 KiB). A file with
several names counts where all of them go.

Severity goes by the bytes: **high** from 10 % of the image or 500 MB on, **medium** from 3 % or 100 MB on, **low**
from 1 % or 10 MB on, else **info**. Some rules never say more than stands beside them. Secrets are high, a program
that can't be run is medium, whatever their bytes.

`lamina check --severity LEVEL` ends with 1 where there is advice of that severity or above; `--no-rule NAME`, or
`no-rule = ["NAME"]` in the configuration, switches a rule off; what is ignored (`--ignore GLOB`) no rule speaks of.
Rules that look into files do so where no engine and no registry has to send layers again for that.

This page is made from the rules' own documentation (`tests/make_rules.py`).

| rule | at most | what it finds |
|---|---|---|
"""


def rules_text() -> str:
    """All rules, a line each."""
    rows = [(rule.name, rule.most.word, documentation_of(rule)[0]) for rule in RULES]
    return "\n".join(table(("rule", "at most", "what it finds"), rows, left={0, 1, 2})) + "\n"


def rules_markdown() -> str:
    """The page ``.github/RULES.md``."""
    parts = [_HEAD]
    parts += [f"| [{rule.name}](#{rule.name}) | {rule.most.word} | {documentation_of(rule)[0]} |\n" for rule in RULES]
    for rule in RULES:
        first, more = documentation_of(rule)
        wrapped = textwrap.fill(" ".join(more.split()), 116, break_long_words=False, break_on_hyphens=False)
        parts.append(f"\n## {rule.name}\n\n{first}\n\n{wrapped}\n")
    return "".join(parts)
