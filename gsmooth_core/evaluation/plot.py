"""The one plotter: curves and dots as SVG, in a page's colours or in those of a file of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from gsmooth_core.text import printable
from gsmooth_core.types import Float

_MOST_POINTS = 1500
_LABEL_ROOM = 7  # pixels per letter of a label

Values = NDArray[np.float64] | Float


@dataclass(frozen=True)
class Theme:
    """Colours of a plot.

    Attributes:
        ink: colour of the text; "" leaves it to the page's style.
        grid: colour of the lines at ticks.
        mark: colour of lines that mark a value.
        curves: colours of the curves.
    """

    ink: str
    grid: str
    mark: str
    curves: tuple[str, ...]


PAGE = Theme("", "var(--line)", "var(--soft)", tuple(f"var(--c{n})" for n in range(6)))
"""Follows the page that the plot is in, light or dark."""

FILE = Theme("#222", "#ddd", "#c05621", ("#444", "#2b6cb0"))
"""On white, for a file of its own."""


@dataclass(frozen=True)
class Line:
    """One curve.

    Attributes:
        label: its name in the legend.
        y: (N,) values, NaN where there is none.
        colour: number of its colour in the theme.
        faint: drawn thin.
        dotted: with a dot on each point.
    """

    label: str
    y: Float
    colour: int
    faint: bool = False
    dotted: bool = False


@dataclass(frozen=True)
class Panel:
    """A rectangle of a drawing, and the values at its edges.

    Attributes:
        box: left, top, right, bottom in the drawing.
        x: values at the left and right edges.
        y: values at the bottom and top edges.
        theme: colours.
    """

    box: tuple[float, float, float, float]
    x: tuple[float, float]
    y: tuple[float, float]
    theme: Theme = PAGE

    def across(self, value: float) -> float:
        """Horizontal place of a value."""
        (left, _, right, _), (low, high) = self.box, self.x
        return left + (value - low) / max(high - low, 1e-9) * (right - left)

    def down(self, value: float) -> float:
        """Vertical place of a value."""
        (_, top, _, bottom), (low, high) = self.box, self.y
        return bottom - (value - low) / max(high - low, 1e-9) * (bottom - top)

    def axes(self, x_label: str, y_ticks: int = 4, x_ticks: int = 8) -> list[Markup]:
        """Grid lines and numbers at ticks, and the name of the horizontal axis at its end."""
        left, _, right, bottom = self.box
        parts = []
        for tick in ticks(*self.y, y_ticks) if y_ticks else ():
            y = self.down(tick)
            parts.append(stroke(left, y, right, y, self.theme.grid))
            parts.append(self.word(left - 6, y + 4, f"{tick:g}", "end"))
        # A label stands at the end of the axis, in the place of the last numbers.
        room = right - 12 - _LABEL_ROOM * len(x_label) if x_label else right + 1
        for tick in ticks(*self.x, x_ticks):
            if self.across(tick) <= room:
                parts.append(self.word(self.across(tick), bottom + 18, f"{tick:g}", "middle"))
        return [*parts, self.word(right, bottom + 18, x_label, "end")] if x_label else parts

    def uprights(self, x_ticks: int) -> list[Markup]:
        """Grid lines at the ticks of the horizontal axis."""
        places = [self.across(tick) for tick in ticks(*self.x, x_ticks)]
        return [stroke(x, self.box[1], x, self.box[3], self.theme.grid) for x in places]

    def upright(self, value: float) -> Markup:
        """A vertical line that marks a value."""
        x = self.across(value)
        return stroke(x, self.box[1], x, self.box[3], self.theme.mark, dashed=True)

    def level(self, value: float) -> Markup:
        """A horizontal line that marks a value."""
        y = self.down(value)
        return stroke(self.box[0], y, self.box[2], y, self.theme.mark, dashed=True)

    def curve(self, x: Values, line: Line) -> list[Markup]:
        """A curve over places x (N,), broken where it has no value; long ones are thinned."""
        stride = max(1, len(line.y) // _MOST_POINTS)
        pen, commands, dots = "M", [], []
        colour = self.theme.curves[line.colour]
        for place, value in zip(x[::stride], line.y[::stride], strict=False):
            if not np.isfinite(value):
                pen = "M"
                continue
            at = self.across(float(place)), self.down(float(value))
            commands.append(f"{pen}{at[0]:.1f} {at[1]:.1f}")
            pen = "L"
            if line.dotted:
                dots.append(dot(*at, 2.5, colour))
        path = Markup(
            '<path d="{}" fill="none" stroke="{}" stroke-width="{}" stroke-linejoin="round"/>'
        )
        return [path.format("".join(commands), colour, 1.2 if line.faint else 2.0), *dots]

    def word(self, x: float, y: float, words: str, anchor: str, size: int = 12) -> Markup:
        """Plain text at a place of the drawing."""
        made = Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}"{}>{}</text>')
        look = Markup(' font-size="{}" fill="{}"').format(size, self.theme.ink)
        return made.format(x, y, anchor, look if self.theme.ink else "", printable(words))


def drawing(parts: Iterable[Markup], width: float, height: float, *, alone: bool = False) -> Markup:
    """SVG of a drawing.

    Args:
        parts: its elements.
        width: in pixels.
        height: in pixels.
        alone: a whole SVG file on white, and not an element of a page.
    """
    inside = Markup("\n").join(parts)
    if not alone:
        made = Markup('<svg viewBox="0 0 {:g} {:g}" role="img">{}</svg>')
        return made.format(width, height, inside)
    made = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0:g} {1:g}" width="{0:g}" '
        'height="{1:g}" font-family="sans-serif">\n'
        '<rect width="100%" height="100%" fill="white"/>\n{2}\n</svg>\n'
    )
    return made.format(width, height, inside)


def stroke(
    x0: float, y0: float, x1: float, y1: float, colour: str, *, dashed: bool = False
) -> Markup:
    """A straight line."""
    made = Markup('<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" stroke="{}"{}/>')
    dash = Markup(' stroke-dasharray="4 4"') if dashed else ""
    return made.format(x0, y0, x1, y1, colour, dash)


def dot(x: float, y: float, radius: float, colour: str, title: str = "") -> Markup:
    """A dot; `title` is shown when the pointer rests on it."""
    made = Markup('<circle cx="{:.1f}" cy="{:.1f}" r="{}" fill="{}" fill-opacity=".85">{}</circle>')
    hint = Markup("<title>{}</title>").format(printable(title)) if title else ""
    return made.format(x, y, radius, colour, hint)


def limits(values: Values) -> tuple[float, float]:
    """A range for an axis that shows all values; it begins at 0 where they come near that."""
    known = values[np.isfinite(values)]
    if not len(known):
        return 0.0, 1.0
    low, high = float(known.min()), float(known.max())
    room = 0.06 * (high - low) or max(abs(high), 1.0) * 0.1
    return (0.0 if low >= 0 and low < 0.5 * high else low - room), high + room


def ticks(low: float, high: float, count: int = 5) -> Sequence[float]:
    """About `count` round numbers from `low` to `high`."""
    if not high > low:  # a single place: the one second of a very short shot
        return [round(low, 10)]
    raw = (high - low) / count
    unit = 10.0 ** np.floor(np.log10(raw))
    step = unit * min((m for m in (1, 2, 2.5, 5, 10) if m * unit >= raw), default=10)
    first = np.ceil(low / step) * step
    return [round(float(v), 10) for v in np.arange(first, high + 1e-9, step)]
