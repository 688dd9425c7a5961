"""Plots of a page: a legend in HTML above a drawing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from gsmooth_core.evaluation.plot import PAGE, Line, Panel, dot, drawing, limits
from gsmooth_core.evaluation.report.page import legend, text

_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 1000.0, 46.0, 12.0, 10.0, 26.0
_ROW, _NAMES = 26.0, 300.0  # height of a row of dots, and room for its name


def lines(
    x: NDArray[np.float64],
    curves: Sequence[Line],
    x_label: str,
    height: float = 200.0,
    mark: float | None = None,
) -> Markup:
    """Curves over a common axis, with a legend.

    Args:
        x: (N,) places.
        curves: what to draw; none of them may be longer than x.
        x_label: what x is.
        height: height of the drawing in pixels; it is 1000 wide.
        mark: a value of x at which a vertical line stands.
    """
    values = np.concatenate([c.y for c in curves]) if curves else np.zeros(0)
    if not len(x) or not np.isfinite(values).any():
        return nothing_to_show()
    box = (_LEFT, _TOP, _WIDTH - _RIGHT, height - _BOTTOM)
    panel = Panel(box, (float(x[0]), float(x[-1])), limits(values))
    parts = panel.axes(x_label)
    if mark is not None:
        parts.append(panel.upright(mark))
    for curve in curves:
        parts += panel.curve(x, curve)
    return legend((c.label, c.colour) for c in curves) + drawing(parts, _WIDTH, height)


def dots(groups: Sequence[tuple[str, Sequence[float | None]]], names: Sequence[str]) -> Markup:
    """A row for each group, with a dot for each series, on a common scale.

    Args:
        groups: label, and one value for each series.
        names: names of the series, in the order of their colours.
    """
    values = [value for _, row in groups for value in row if value is not None]
    if not values:
        return nothing_to_show()
    bottom = _TOP + _ROW * len(groups)
    panel = Panel((_NAMES, _TOP, _WIDTH - 20, bottom), limits(np.array([0.0, *values])), (0, 1))
    parts = [*panel.uprights(5), *panel.axes("", y_ticks=0, x_ticks=5)]
    for number, (label, row) in enumerate(groups):
        y = _TOP + _ROW * (number + 0.5)
        parts.append(panel.word(_NAMES - 12, y + 4, label, "end"))
        parts += [
            dot(panel.across(value), y, 5.5, PAGE.curves[n], f"{names[n]}: {value:.2f}")
            for n, value in enumerate(row)
            if value is not None
        ]
    key = legend((name, n) for n, name in enumerate(names))
    return key + drawing(parts, _WIDTH, bottom + _BOTTOM)


def nothing_to_show() -> Markup:
    """What stands where there is nothing to draw."""
    return text("p", "nothing to show", "soft")
