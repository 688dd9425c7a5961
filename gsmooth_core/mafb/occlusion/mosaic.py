"""Mosaics that a censor lays over a mouth: squares of one colour, where all steps lie on a grid.

Nobody wants to see through one, and a mouth made of squares must not be lent. A picture that is
enlarged pixel by pixel is made of squares as well, but all of it is, and that censors nothing.
"""

from __future__ import annotations

import numpy as np

from gsmooth_core.types import Bool, Float, Image

_AROUND = 0.3  # of the lips' extent, to every side
_FEWEST = 16  # pixels of a side
_SQUARES = 4.8, 26.0  # pixels of a side of a mosaic's square
_ACROSS = 3  # squares at a mouth, and lines with steps: one that is drawn has two, at its ends
_REGULAR = 0.5  # share of the steps that recur with one period
_ALSO = 0.42  # and beyond the face
_CONTRAST = 0.6  # levels: what has fainter steps shows nothing, and hides nothing
_FLAT = 0.25  # share of the lines that lie within squares, at least: their steps are noise
_STRONG = 0.1  # of the largest step, from which on there is a line
_FACE = 2.0  # of the lips' extent, to every side: beyond it a censor leaves the picture as it is
_ENLARGED = 2.4, 16.0  # pixels of a side of an enlarged pixel
_PADDED = 2048  # lines, at least, to which steps are padded: periods lie between whole pixels


def is_mosaic(picture: Image, lips: Float) -> bool:
    """Whether a mouth is seen as a mosaic of squares.

    Args:
        picture: (H, W, 3) RGB.
        lips: (V, 2) pixels of points of the lips in it.
    """
    left, top, right, bottom = _box(picture, lips, _AROUND)
    if min(right - left, bottom - top) < _FEWEST:
        return False
    mouth = picture[top:bottom, left:right].astype(np.float32).mean(2)
    for across in (mouth, mouth.T):
        steps = np.abs(np.diff(across))
        if (steps**2).mean() <= _CONTRAST**2:
            return False
        most = min(_SQUARES[1], steps.shape[1] / _ACROSS)
        if _recurring(steps.mean(0), (_SQUARES[0], most)) <= _REGULAR:
            return False
    return not _enlarged(picture, lips)


def _box(picture: Image, lips: Float, around: float) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the lips (V, 2) with parts of their extent around them."""
    low, high = lips.min(0), lips.max(0)
    margin, limit = around * (high - low).max(), picture.shape[1::-1]
    left, top = np.floor(low - margin).clip(0, limit).astype(int)
    right, bottom = np.ceil(high + margin).clip(0, limit).astype(int)
    return int(left), int(top), int(right), int(bottom)


def _enlarged(picture: Image, lips: Float) -> bool:
    """Whether what lies beyond a face is made of squares, too."""
    left, top, right, bottom = _box(picture, lips, _FACE)
    beyond = np.ones(picture.shape[:2], bool)
    beyond[top:bottom, left:right] = False
    grey = picture.astype(np.float32).mean(2)
    return all(
        _recurring(_steps(some, where), _ENLARGED) > _ALSO
        for some, where in ((grey, beyond), (grey.T, beyond.T))
    )


def _steps(grey: Float, where: Bool) -> Float:
    """(W - 1,) mean step from each column of (H, W) to the next one, `where` asked."""
    known = where[:, 1:]
    total = (np.abs(np.diff(grey)) * known).sum(0)
    return np.asarray(total / np.maximum(known.sum(0), 1), np.float32)


def _recurring(steps: Float, periods: tuple[float, float]) -> float:
    """Largest share of some steps (N,) that recurs with one period; 0 where they are too few."""
    steps = (steps - np.quantile(steps, _FLAT)).clip(0)
    strong = steps > _STRONG * steps.max()
    if int(strong[0]) + int((strong[1:] & ~strong[:-1]).sum()) < _ACROSS:  # neighbours are one
        return 0.0
    size = max(_PADDED, 4 * len(steps))
    waves = np.abs(np.fft.rfft(steps, size)) / steps.sum()
    first, last = (round(size / period) for period in periods[::-1])
    return float(waves[first : last + 1].max(initial=0))
