"""HTML of a report: one file, no script, no font, no picture from elsewhere, light and dark.

Each function gives an element as `Markup`. Plain text that is passed to them is escaped by the
templates, and control characters in it are made visible, so that no file name can change a page.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from gsmooth_core.evaluation.report.templates import TEMPLATES
from gsmooth_core.text import printable


def _visible(value: Any) -> Any:
    """Plain text without control characters; anything else as it is."""
    return printable(value) if type(value) is str else value


_MACROS = (
    Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, finalize=_visible)
    .from_string(TEMPLATES)
    .module
)


def _element(macro: str, *values: Any) -> Markup:
    made: Markup = getattr(_MACROS, macro)(*values)
    return made


def page(title: str, *parts: str) -> Markup:
    """A whole HTML document.

    Args:
        title: plain text.
        parts: elements of the body; empty ones are left out.
    """
    return _element("page", title, parts)


def text(tag: str, words: str, kind: str = "") -> Markup:
    """One element around plain text, with the class `kind`."""
    return _element("text", tag, words, kind)


def tiles(items: Iterable[tuple[str, str, str, str]]) -> Markup:
    """Headline figures: (value, label, sentence, "good", "fair", "poor" or "")."""
    return _element("tiles", items)


def table(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    notes: Sequence[str] = (),
    marked: Sequence[int] = (),
) -> Markup:
    """A table whose first column names the row.

    Args:
        head: names of the columns.
        rows: plain texts.
        notes: a line under the name of each row.
        marked: numbers of the rows that matter most.
    """
    return _element("table", head, rows, notes, marked)


def picture(jpeg: bytes, caption: str, alternative: str = "") -> Markup:
    """A JPEG, held in the page itself."""
    data = base64.b64encode(jpeg).decode()
    return _element("picture", data, caption, alternative or caption)


def drawing(svg: str, caption: str) -> Markup:
    """A plot with its caption."""
    return _element("drawing", svg, caption)


def side_by_side(parts: Iterable[Markup]) -> Markup:
    """Figures in a row that wraps."""
    return _element("side_by_side", parts)


def folded(title: str, note: str, *parts: str, opened: bool = False) -> Markup:
    """A section that can be opened and closed."""
    return _element("folded", title, note, parts, opened)


def glossary(items: Iterable[tuple[str, str]]) -> Markup:
    """Words and what they mean."""
    return _element("glossary", items)


def legend(items: Iterable[tuple[str, int]]) -> Markup:
    """Names beside their colours, 0..5 of the page."""
    return _element("legend", items)
