"""Mosaics that a censor lays over a mouth: squares of one colour, where all steps lie on a grid.

Nobody wants to see through one, and a mouth made of squares must not be lent.
"""

from __future__ import annotations

import numpy as np

from gsmooth_core.types import Float, Image

_AROUND = 0.15  # of the lips' extent, to every side
_FEWEST = 16  # pixels of a side
_LINES = 0.25  # share of the lines on which the steps of a mosaic lie
_POWER = 0.88  # share of the power of all steps that lies there
_CONTRAST = 0.6  # levels: what has fainter steps shows nothing, and hides nothing
_LINE = 0.02  # share of all steps' power from which on one is a line
_ACROSS = 3  # lines: a mouth that is drawn with straight ends has two


def is_mosaic(picture: Image, lips: Float) -> bool:
    """Whether a mouth is seen as a mosaic of squares.

    Args:
        picture: (H, W, 3) RGB.
        lips: (V, 2) pixels of points of the lips in it.
    """
    low, high = lips.min(0), lips.max(0)
    margin = _AROUND * (high - low).max()
    limit = picture.shape[1], picture.shape[0]
    left, top = np.floor(low - margin).clip(0, limit).astype(int)
    right, bottom = np.ceil(high + margin).clip(0, limit).astype(int)
    if min(right - left, bottom - top) < _FEWEST:
        return False
    grey = picture[top:bottom, left:right].astype(np.float32).mean(2)
    # Squared: what a codec leaves within the squares is many small steps.
    steps = [(np.diff(grey, axis=axis) ** 2).mean(1 - axis) for axis in (0, 1)]
    if min(s.mean() for s in steps) <= _CONTRAST**2 or _lines(steps[1]) < _ACROSS:
        return False
    return min(map(_on_lines, steps)) > _POWER


def _on_lines(steps: Float) -> float:
    """Share of all steps' power (N,) that lies on the few lines with most of it."""
    first = np.sort(steps)[::-1]
    return float(first[: round(_LINES * len(first))].sum() / first.sum())


def _lines(steps: Float) -> int:
    """How many lines steps (N,) lie on; neighbours are one."""
    strong = steps > _LINE * steps.sum()
    return int(strong[0]) + int((strong[1:] & ~strong[:-1]).sum())
