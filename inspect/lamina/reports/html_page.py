"""The page around an HTML report: one file that loads nothing and runs nothing, for a phone, a screen and paper."""

from __future__ import annotations

from html import escape

COLOURS = 8
"""Classes ``c0`` to ``c7``, told apart in print and by most who don't see all colours (Okabe and Ito, lightened)."""

_STYLE = """
:root{--ink:#1b1f24;--soft:#57606a;--paper:#fff;--line:#d8dee4;--band:#f3f5f7;--waste:#b42318;--bar:#3b6ea8}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9aa4af;--paper:#0f141a;--line:#2d353e;--band:#171d25;
--waste:#ff7b6b;--bar:#6ea3dd}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:75rem;color:var(--ink);background:var(--paper);
font:16px/1.45 system-ui,sans-serif;-webkit-text-size-adjust:100%}
h1{font-size:1.4rem;margin:.5rem 0;overflow-wrap:anywhere}h2{font-size:1.1rem;margin:1.6rem 0 .4rem}
h3{font-size:1rem;margin:1rem 0 .3rem}
section.image{border-top:3px solid var(--ink);margin-top:2rem}
p{margin:.3rem 0;overflow-wrap:anywhere}.soft{color:var(--soft)}.waste{color:var(--waste)}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.5rem;margin:.8rem 0}
.figures div{background:var(--band);border-radius:6px;padding:.5rem .7rem}
.figures b{display:block;font-size:1.25rem;font-variant-numeric:tabular-nums}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th{text-align:left;font-weight:600;color:var(--soft)}
td,th{padding:.25rem .5rem .25rem 0;border-bottom:1px solid var(--line);vertical-align:top}
td.n,th.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
td.t{overflow-wrap:anywhere;width:99%;font-family:ui-monospace,monospace;font-size:.85rem}
.bar{display:flex;height:1.6rem;border-radius:4px;overflow:hidden;background:var(--band)}
.bar span{border-right:1px solid var(--paper);display:flex;min-width:0}
.bar i{background:var(--waste);margin-left:auto}
.meter{height:.4rem;background:var(--bar);border-radius:2px;display:flex;min-width:1px;margin-top:.25rem}
.meter i{background:var(--waste);margin-left:auto;border-radius:2px}
svg{width:100%;height:auto;display:block;margin:.4rem 0 .8rem}svg text{fill:#14181d;font-family:system-ui,sans-serif}
svg.tall{display:none}svg .edge{fill:none;stroke:var(--paper);stroke-width:4}
.key{display:flex;flex-wrap:wrap;gap:.2rem 1rem}.key i{display:inline-block;width:.9em;height:.9em;margin-right:.35em;
vertical-align:-.1em;border-radius:2px}
details{margin:.3rem 0}summary{cursor:pointer}
.c0{fill:#9cc4e4;background:#9cc4e4}.c1{fill:#f2c879;background:#f2c879}.c2{fill:#8fd1b9;background:#8fd1b9}
.c3{fill:#e3a6c4;background:#e3a6c4}.c4{fill:#f5e08a;background:#f5e08a}.c5{fill:#e8a889;background:#e8a889}
.c6{fill:#b9b4e0;background:#b9b4e0}.c7{fill:#c3c8cd;background:#c3c8cd}
ul{padding-left:1.2rem;margin:.3rem 0}li{margin:.3rem 0;overflow-wrap:anywhere}
@media(max-width:600px){body{padding:.7rem}.wide{display:none}svg.tall{display:block}svg.broad{display:none}}
@media print{:root{--ink:#000;--soft:#444;--paper:#fff;--line:#bbb;--band:#f3f5f7;--waste:#b42318;--bar:#3b6ea8}
html{font-size:11px}body{max-width:none;padding:0;font-size:1rem}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
h2,h3,.key{break-after:avoid}tr,svg,.figures{break-inside:avoid}svg.tall{display:none}svg.broad{display:block}
svg rect{stroke:#fff;stroke-width:.75}}
"""


def page(title: str, body: str) -> str:
    """A whole document.

    Args:
        title: safe to show.
        body: HTML.
    """
    # Nothing in it could be fetched or run, even if a name of an image got through as markup.
    policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n{body}</body></html>\n"
    )


def table(header: list[str], rows: list[list[str]], *, text: int, wide: set[int] | None = None) -> str:
    """A table of HTML cells, numbers to the right.

    Args:
        header: text of each column.
        rows: HTML of each cell.
        text: the column that is text and takes what is left.
        wide: columns that a phone has no room for.
    """
    wide = wide or set()

    def classes(column: int) -> str:
        kinds = ["t" if column == text else "n", *(["wide"] if column in wide else [])]
        return " ".join(kinds)

    head = "".join(
        f'<th class="{classes(number) if number != text else ""}">{escape(name)}</th>'
        for number, name in enumerate(header)
    )
    lines = [
        "<tr>" + "".join(f'<td class="{classes(number)}">{cell}</td>' for number, cell in enumerate(row)) + "</tr>"
        for row in rows
    ]
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>\n"
