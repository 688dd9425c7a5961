"""HTML of a report: one file, no script, no font, no picture from elsewhere, light and dark."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape as _escape

from gsmooth_core.text import printable

_STYLE = """
:root { color-scheme: light dark;
  --paper: #fbfaf8; --card: #ffffff; --ink: #1d1d1f; --soft: #6b6a70; --line: #e4e1db;
  --good: #1f7a4d; --fair: #9a6700; --poor: #b3261e; --mark: #f3efe6;
  --c0: #3b3b40; --c1: #0b6bcb; --c2: #c2410c; --c3: #15803d; --c4: #7e3ff2; --c5: #b0158a; }
@media (prefers-color-scheme: dark) { :root {
  --paper: #151517; --card: #1e1e21; --ink: #ececee; --soft: #9d9ca3; --line: #34343a;
  --good: #5fd39a; --fair: #e0b252; --poor: #ff8a80; --mark: #2a2824;
  --c0: #d6d6da; --c1: #6cb2ff; --c2: #ff9d66; --c3: #6ddb97; --c4: #b99bff; --c5: #ff8fd6; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 48px 24px 96px; }
h1 { font-size: 34px; line-height: 1.15; letter-spacing: -.02em; margin: 0 0 8px; }
h2 { font-size: 22px; letter-spacing: -.01em; margin: 56px 0 8px; }
h3 { font-size: 16px; margin: 28px 0 6px; }
p { margin: 8px 0; max-width: 74ch; }
.lead { font-size: 18px; color: var(--soft); }
.soft, figcaption, small { color: var(--soft); font-size: 14px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(190px, 1fr)); gap: 12px;
  margin: 24px 0; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  padding: 14px 16px; }
.tile b { display: block; font-size: 28px; line-height: 1.2; letter-spacing: -.02em;
  font-variant-numeric: tabular-nums; }
.tile span { font-size: 13px; font-weight: 600; }
.tile small { display: block; font-size: 13px; line-height: 1.4; margin-top: 4px; }
.good { color: var(--good); } .fair { color: var(--fair); } .poor { color: var(--poor); }
.scroll { overflow-x: auto; margin: 16px 0; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums;
  min-width: 100%; }
th, td { padding: 7px 9px; text-align: right; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
th { font-weight: 600; vertical-align: bottom; color: var(--soft); font-size: 13px;
  white-space: normal; line-height: 1.3; }
th:first-child, td:first-child { text-align: left; }
td small { display: block; white-space: normal; min-width: 15em; }
tr.main td { background: var(--mark); font-weight: 600; }
tr.main td small { font-weight: 400; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 6px 18px; font-size: 14px; }
dt { font-weight: 600; } dd { margin: 0; color: var(--soft); max-width: 80ch; }
figure { margin: 16px 0; } figure img { max-width: 100%; border-radius: 8px; display: block; }
svg { width: 100%; height: auto; display: block; } svg text { fill: var(--soft); font-size: 12px; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; font-size: 13px; color: var(--soft); }
.legend i { display: inline-block; width: 14px; height: 3px; border-radius: 2px;
  vertical-align: middle; margin-right: 6px; }
.faces { display: flex; flex-wrap: wrap; gap: 12px; } .faces figure { margin: 4px 0; width: 248px; }
details { border-top: 1px solid var(--line); padding: 14px 0; }
summary { cursor: pointer; font-weight: 600; font-size: 17px; }
summary small { font-weight: 400; margin-left: 10px; }
"""


def escape(words: str) -> str:
    """Plain text as HTML, in an attribute too."""
    return _escape(printable(words))


def page(title: str, *parts: str) -> str:
    """A whole HTML document.

    Args:
        title: plain text.
        parts: HTML of the body.
    """
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(part for part in parts if part)
        + "\n</main>\n</body>\n</html>\n"
    )


def text(tag: str, words: str, kind: str = "") -> str:
    """One element around plain text."""
    name = f' class="{kind}"' if kind else ""
    return f"<{tag}{name}>{escape(words)}</{tag}>"


def tiles(items: Iterable[tuple[str, str, str, str]]) -> str:
    """Headline figures: (value, label, sentence, "good", "fair", "poor" or "")."""
    made = (
        f'<div class="tile"><span>{escape(label)}</span><b class="{kind}">{escape(value)}</b>'
        f"<small>{escape(sentence)}</small></div>"
        for value, label, sentence, kind in items
    )
    return f'<div class="tiles">{"".join(made)}</div>'


def table(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    notes: Sequence[str] = (),
    marked: Sequence[int] = (),
) -> str:
    """A table whose first column names the row.

    Args:
        head: names of the columns.
        rows: plain texts.
        notes: a line under the name of each row.
        marked: numbers of the rows that matter most.
    """
    lines = []
    for number, row in enumerate(rows):
        note = f"<small>{escape(notes[number])}</small>" if number < len(notes) else ""
        cells = [f"<td>{escape(row[0])}{note}</td>", *(f"<td>{escape(x)}</td>" for x in row[1:])]
        kind = ' class="main"' if number in marked else ""
        lines.append(f"<tr{kind}>{''.join(cells)}</tr>")
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join(lines)
    whole = f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="scroll">{whole}</div>'


def picture(jpeg: bytes, caption: str, alternative: str = "") -> str:
    """A JPEG, held in the page itself."""
    data = base64.b64encode(jpeg).decode()
    words = escape(alternative or caption)
    return (
        f'<figure><img alt="{words}" src="data:image/jpeg;base64,{data}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def drawing(svg: str, caption: str) -> str:
    """A plot with its caption."""
    return f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>"


def side_by_side(parts: Iterable[str]) -> str:
    """Figures in a row that wraps."""
    return f'<div class="faces">{"".join(parts)}</div>'


def folded(title: str, note: str, *parts: str, opened: bool = False) -> str:
    """A section that can be opened and shut."""
    state = " open" if opened else ""
    inside = "\n".join(part for part in parts if part)
    head = f"<summary>{escape(title)}<small>{escape(note)}</small></summary>"
    return f"<details{state}>{head}\n{inside}\n</details>"


def glossary(items: Iterable[tuple[str, str]]) -> str:
    """Words and what they mean."""
    pairs = (f"<dt>{escape(word)}</dt><dd>{escape(meaning)}</dd>" for word, meaning in items)
    return f"<dl>{''.join(pairs)}</dl>"
