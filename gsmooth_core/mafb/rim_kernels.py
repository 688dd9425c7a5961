"""The loops of `blend.lay_over`: what a new picture's soft rim is made of, in two passes over it.

Light changes slowly, so how much lighter a new picture is than the frame is averaged over cells
of some pixels, and read between them with a slope.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gsmooth_core.face.rasterizer.numba_kernels import compiled

_NONE, _ONE, _TWO, _THREE = np.float32(0), np.float32(1), np.float32(2), np.float32(3)
_LEAST = np.float32(1e-6)


@compiled
def falloff(distance: Any, reach: Any) -> Any:
    """1 at distance 0, falling smoothly to 0 at `reach`."""
    x = min(max(_ONE - distance / reach, _NONE), _ONE)
    return x * x * (_THREE - _TWO * x)


@compiled
def differences(
    frame: Any, picture: Any, at: Any, distance: Any, lit: Any, reach: Any, step: int
) -> Any:
    """How much lighter a picture is than a frame in the rim: sums over cells, by their size.

    Args:
        frame: (H, W, 3).
        picture: (H, W, 3).
        at: row and column of the part of them that is looked at.
        distance: (h, w) pixels of the part from what is hidden.
        lit: (h, w) where the light is measured; of no size for everywhere.
        reach: distance at which the rim ends.
        step: pixels of a cell's side; the last cells may be smaller.

    Returns:
        (h', w', 4) the difference of each channel, and the share of the cell that is looked at.
    """
    (height, width), (first, left) = distance.shape, at
    found = np.zeros(((height + step - 1) // step, (width + step - 1) // step, 4), np.float32)
    for row in range(height):
        for column in range(width):
            away = distance[row, column]
            if away <= 0 or falloff(away, reach) <= 0 or (lit.size and not lit[row, column]):
                continue
            cell = found[row // step, column // step]
            for c in range(3):
                old = np.float32(frame[first + row, left + column, c])
                cell[c] += picture[first + row, left + column, c] - old
            cell[3] += _ONE
    return found / np.float32(step * step)


@compiled
def _between(cells: Any, row: int, column: int, step: int) -> Any:
    """Red, green and blue of the light at a pixel, between the cells next to it."""
    y = (np.float32(row) + np.float32(0.5)) / np.float32(step) - np.float32(0.5)
    x = (np.float32(column) + np.float32(0.5)) / np.float32(step) - np.float32(0.5)
    y, x = max(y, _NONE), max(x, _NONE)
    top, left = min(int(y), cells.shape[0] - 1), min(int(x), cells.shape[1] - 1)
    below, right = min(top + 1, cells.shape[0] - 1), min(left + 1, cells.shape[1] - 1)
    down, across = y - np.float32(top), x - np.float32(left)
    a, b = (_ONE - down) * (_ONE - across), (_ONE - down) * across
    c, d = down * (_ONE - across), down * across
    p, q, r, s = cells[top, left], cells[top, right], cells[below, left], cells[below, right]
    looked_at = max(a * p[3] + b * q[3] + c * r[3] + d * s[3], _LEAST)
    red = (a * p[0] + b * q[0] + c * r[0] + d * s[0]) / looked_at
    green = (a * p[1] + b * q[1] + c * r[1] + d * s[1]) / looked_at
    blue = (a * p[2] + b * q[2] + c * r[2] + d * s[2]) / looked_at
    return red, green, blue


@compiled
def lay(
    frame: Any,
    picture: Any,
    at: Any,
    distance: Any,
    light: Any,
    reach: Any,
    fine: Any,
    step: int,
    whole: Any,
) -> None:
    """Lay a picture over a frame, in place.

    Args:
        frame: (H, W, 3) levels.
        picture: (H, W, 3) levels.
        at: row and column of the part of them that changes.
        distance: (h, w) pixels of the part from what is hidden.
        light: (h', w', 4) of `differences`, averaged.
        reach: distance at which the rim ends.
        fine: the same for detail.
        step: of `differences`.
        whole: whether levels are whole numbers, 255 at most.
    """
    (height, width), (first, left) = distance.shape, at
    for row in range(height):
        for column in range(width):
            away = distance[row, column]
            share = falloff(away, reach)
            if share <= 0:
                continue
            near, lit = falloff(away, fine), (_NONE, _NONE, _NONE)
            if away > 0:
                lit = _between(light, row, column, step)
            for c in range(3):
                level = picture[first + row, left + column, c]
                if away > 0:
                    old = np.float32(frame[first + row, left + column, c])
                    level = old + near * (level - old) + (share - near) * lit[c]
                if whole:
                    level = min(max(np.rint(level), _NONE), np.float32(255))
                frame[first + row, left + column, c] = level
