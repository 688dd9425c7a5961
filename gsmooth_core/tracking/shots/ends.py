"""Where a dissolve begins and ends, told pixel by pixel.

What moves while it appears is taken for less of the dissolve than there is: its last frames, all
but free of the other picture, look like its own motion. Of the pixels that hold still most agree
on how much of the other picture is left, so their median says it, whatever moves.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.tracking.shots.pictures import Pictures

Reals = NDArray[Any]

_LEADS = 4, 7  # frames by which an end may have been missed; fewer move less
_CLEAN = 4  # frames behind them that show one picture alone, if any do
_FEWEST = 2
_DIFFERENT = 8.0  # levels by which two pictures must differ in a pixel
_STILL = 6.0  # times what the pixel itself varies by
_TRACE = 0.02  # what is less of a picture cannot be seen


def widened(pictures: Pictures, a: int, b: int, first: int, last: int) -> tuple[int, int]:
    """The last frame before a dissolve and the first behind it, where it was found too short.

    Args:
        pictures: of the clip.
        a: last frame before the dissolve as it was found.
        b: first frame behind it.
        first: frame from which on the picture at `a` is seen.
        last: frame up to which the picture at `b` is seen.
    """
    step = max(0.5 / (b - a), _TRACE)
    tail, head = range(b, last + 1), range(a, first - 1, -1)
    return a - _traces(pictures, b, head, step), b + _traces(pictures, a, tail, step)


def is_even(pictures: Pictures, a: int, b: int, bend: float) -> bool:
    """Whether most pixels go evenly from frame `a` to `b`; where heads swing they do not."""
    part = pictures.levels(slice(a, b + 1))
    share = _shares(part[1:-1], part[0], part[-1:])
    even = 1 - np.arange(1, b - a) / (b - a)
    return share is None or bool(np.abs(share - even).max() < bend)


def _traces(pictures: Pictures, other: int, frames: range, least: float) -> int:
    """How many of the frames, which lead away from a dissolve, still show some of the other."""
    picture = pictures.levels(slice(other, other + 1))[0]
    for lead in _LEADS:
        near = frames[: lead + _CLEAN]
        if len(near) < lead + _FEWEST:
            break
        part = pictures.levels(slice(min(near), max(near) + 1))[:: near.step]
        share = _shares(part[:lead], picture, part[lead:])
        if share is not None and (share <= least).any():
            return int((share <= least).argmax())
    return 0  # a fade, or all moves


def _shares(frames: Reals, one: Reals, clean: Reals) -> Reals | None:
    """(K,) how much of a picture `one` is in each frame beside the picture of `clean`.

    Args:
        frames: (K, P) levels.
        one: (P,).
        clean: (N, P) frames that show nothing of it.

    Returns:
        the weighted median over still pixels in which both differ; None where there are none.
    """
    other = np.median(clean, axis=0)
    apart = one - other
    still = np.abs(apart) > np.maximum(_STILL * clean.std(axis=0), _DIFFERENT)
    if not still.any():
        return None
    apart, weight = apart[still], np.abs(apart[still])
    shares = (frames[:, still] - other[still]) / apart
    order = np.argsort(shares, axis=1)
    total = np.cumsum(weight[order], axis=1)
    middle = (total < weight.sum() / 2).sum(axis=1, keepdims=True)
    return np.asarray(np.take_along_axis(shares, np.take_along_axis(order, middle, 1), 1)[:, 0])
