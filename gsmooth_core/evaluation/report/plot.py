"""Plots as inline SVG, in the page's own colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.evaluation.report.page import escape
from gsmooth_core.types import Float

_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 1000.0, 46.0, 12.0, 10.0, 26.0
_MOST_POINTS = 1500


@dataclass(frozen=True)
class Line:
    """One curve.

    Attributes:
        label: its name in the legend.
        y: (N,) values, NaN where there is none.
        colour: 0..5, a colour of the page.
        faint: drawn thin.
    """

    label: str
    y: Float
    colour: int
    faint: bool = False


@dataclass(frozen=True)
class Frame:
    """Maps data to the drawing."""

    x: tuple[float, float]
    y: tuple[float, float]
    height: float

    def across(self, value: float) -> float:
        """Horizontal place of a value."""
        low, high = self.x
        share = (value - low) / max(high - low, 1e-9)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def down(self, value: float) -> float:
        """Vertical place of a value."""
        low, high = self.y
        share = (value - low) / max(high - low, 1e-9)
        return self.height - _BOTTOM - share * (self.height - _TOP - _BOTTOM)


def lines(
    x: NDArray[np.float64],
    curves: Sequence[Line],
    x_label: str,
    height: float = 200.0,
    mark: float | None = None,
) -> str:
    """Curves over a common axis, with a legend.

    Args:
        x: (N,) places.
        curves: what to draw; none of them may be longer than x.
        x_label: what x is.
        height: of the drawing, which is 1000 wide.
        mark: a value of x at which a vertical line stands.
    """
    known = np.concatenate([c.y[np.isfinite(c.y)] for c in curves] or [np.zeros(1)])
    if not known.size or not len(x):
        return text_only("nothing to show")
    frame = Frame((float(x[0]), float(x[-1])), _limits(known), height)
    parts = [_grid(frame, x_label)]
    if mark is not None:
        at = frame.across(mark)
        parts.append(_stroke(at, _TOP, at, height - _BOTTOM, "var(--soft)", dashed=True))
    parts += [_path(frame, x, curve) for curve in curves]
    return legend([(c.label, c.colour) for c in curves]) + _svg(parts, height)


def dots(groups: Sequence[tuple[str, Sequence[float | None]]], names: Sequence[str]) -> str:
    """One row a group, one dot a series, on a common scale.

    Args:
        groups: (label, one value a series).
        names: of the series, in the order of their colours.
    """
    values = [v for _, row in groups for v in row if v is not None]
    if not values:
        return text_only("nothing to show")
    step, left = 26.0, 300.0
    height = _TOP + step * len(groups) + _BOTTOM
    low, high = _limits(np.array([0.0, *values]))

    def across(value: float) -> float:
        return left + (value - low) / (high - low) * (_WIDTH - left - 20)

    parts = []
    for tick in _ticks(low, high):
        parts.append(_stroke(across(tick), _TOP, across(tick), height - _BOTTOM, "var(--line)"))
        parts.append(_word(across(tick), height - 8, f"{tick:g}", "middle"))
    for number, (label, row) in enumerate(groups):
        y = _TOP + step * (number + 0.5)
        parts.append(_word(left - 12, y + 4, label, "end"))
        parts += [
            f'<circle cx="{across(v):.1f}" cy="{y:.1f}" r="5.5" fill="var(--c{n})" '
            f'fill-opacity=".85"><title>{escape(names[n])}: {v:.2f}</title></circle>'
            for n, v in enumerate(row)
            if v is not None
        ]
    return legend([(name, n) for n, name in enumerate(names)]) + _svg(parts, height)


def legend(items: Sequence[tuple[str, int]]) -> str:
    """Names beside their colours."""
    spans = (
        f'<span><i style="background:var(--c{colour})"></i>{escape(name)}</span>'
        for name, colour in items
    )
    return f'<div class="legend">{"".join(spans)}</div>'


def text_only(words: str) -> str:
    """What stands where there is nothing to draw."""
    return f'<p class="soft">{escape(words)}</p>'


def _svg(parts: Sequence[str], height: float) -> str:
    return f'<svg viewBox="0 0 {_WIDTH:g} {height:g}" role="img">{"".join(parts)}</svg>'


def _limits(values: NDArray[np.floating]) -> tuple[float, float]:  # type: ignore[type-arg]
    low, high = float(values.min()), float(values.max())
    room = 0.06 * (high - low) or max(abs(high), 1.0) * 0.1
    return (0.0 if low >= 0 and low < 0.5 * high else low - room), high + room


def _ticks(low: float, high: float, count: int = 5) -> list[float]:
    if not high > low:  # a single place: the one second of a very short shot
        return [round(low, 10)]
    raw = (high - low) / count
    unit = 10.0 ** np.floor(np.log10(raw))
    step = unit * min((m for m in (1, 2, 2.5, 5, 10) if m * unit >= raw), default=10)
    first = np.ceil(low / step) * step
    return [round(float(v), 10) for v in np.arange(first, high + 1e-9, step)]


def _grid(frame: Frame, x_label: str) -> str:
    parts = []
    for tick in _ticks(*frame.y, 4):
        y = frame.down(tick)
        parts.append(_stroke(_LEFT, y, _WIDTH - _RIGHT, y, "var(--line)"))
        parts.append(_word(_LEFT - 6, y + 4, f"{tick:g}", "end"))
    bottom = frame.height - 8
    for tick in _ticks(*frame.x, 8):
        if frame.across(tick) > _WIDTH - _RIGHT - 12 - 7 * len(x_label):
            continue  # the label stands there
        parts.append(_word(frame.across(tick), bottom, f"{tick:g}", "middle"))
    parts.append(_word(_WIDTH - _RIGHT, bottom, x_label, "end"))
    return "".join(parts)


def _path(frame: Frame, x: NDArray[np.float64], curve: Line) -> str:
    stride = max(1, len(curve.y) // _MOST_POINTS)
    pen, commands = "M", []
    for place, value in zip(x[::stride], curve.y[::stride], strict=False):
        if not np.isfinite(value):
            pen = "M"
            continue
        commands.append(f"{pen}{frame.across(place):.1f} {frame.down(float(value)):.1f}")
        pen = "L"
    width = 1.2 if curve.faint else 2.0
    return (
        f'<path d="{"".join(commands)}" fill="none" stroke="var(--c{curve.colour})" '
        f'stroke-width="{width}" stroke-linejoin="round"/>'
    )


def _stroke(
    x0: float, y0: float, x1: float, y1: float, colour: str, *, dashed: bool = False
) -> str:
    dash = ' stroke-dasharray="4 4"' if dashed else ""
    return (
        f'<line x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}" stroke="{colour}"{dash}/>'
    )


def _word(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
