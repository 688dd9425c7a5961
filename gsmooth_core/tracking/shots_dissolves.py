"""Dissolves: frames that are a mixture of the picture before them and the one behind them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.ranges import ranges_of
from gsmooth_core.tracking.shots_pictures import SIDE, Pictures, ShotSettings
from gsmooth_core.types import Bool, Int

Reals = NDArray[Any]

_SHIFT = 4  # pixels of a thumbnail that a motion is looked for
_MOVED = 0.6  # at least so alike is the same picture, moved


def find_dissolves(
    pictures: Pictures, begins: Bool, settings: ShotSettings
) -> Iterator[tuple[int, int]]:
    """(first, last) mixed frame of each dissolve."""
    edges = [0, *(int(t) for t in np.flatnonzero(begins)), len(begins)]
    for start, end in pairwise(edges):
        for first, last in _changing(pictures, start, end, settings):
            yield from _mixtures(pictures, first, last, settings)


def _changing(
    pictures: Pictures, start: int, end: int, settings: ShotSettings
) -> list[tuple[int, int]]:
    """Stretches of one cut-free part in which one picture becomes another."""
    changing = np.zeros(end - start, bool)
    for gap in (g for g in (12, 24, settings.dissolve[1]) if g < end - start):
        part = pictures.structure[start:end]
        alike = (part[:-gap] * part[gap:]).sum(1)
        for t in np.flatnonzero(1 - alike > settings.cut):
            changing[t : t + gap + 1] = True
    return [(start + first, start + last) for first, last in ranges_of(changing)]


def _mixtures(
    pictures: Pictures, first: int, last: int, settings: ShotSettings
) -> Iterator[tuple[int, int]]:
    """Dissolves within a changing stretch: the longest even mixture, then what is beside it."""
    low, high = settings.dissolve
    if last - first < low + 1:
        return
    gram = _Gram(pictures, first, last)
    best: tuple[int, int] | None = None
    for a in range(last - first):
        longest = min(a + high + 1, last - first) if best is None else last - first
        least = a + low + 1 if best is None else a + best[1] - best[0] + 1
        for b in range(longest, least - 1, -1):
            if b - a <= high + 1 and gram.is_mixture(a, b, settings):
                best = (a, b)
                break
    if best is None:
        return
    a, b = gram.trimmed(*best)
    yield first + a + 1, first + b - 1
    yield from _mixtures(pictures, first, first + a, settings)
    yield from _mixtures(pictures, first + b, last, settings)


class _Gram:
    """Products of all pairs of frames of a stretch, from which mixtures can be read."""

    def __init__(self, pictures: Pictures, first: int, last: int) -> None:
        part = slice(first, last + 1)
        colour = pictures.colour[part].astype(np.float64)
        self._products = colour @ colour.T / colour.shape[1]
        self._structure = pictures.structure[part]
        self._unlike = 1 - self._structure @ self._structure.T
        self._plain = pictures.plain[part]

    def is_mixture(self, a: int, b: int, settings: ShotSettings) -> bool:
        """Whether the frames between `a` and `b` go evenly from the one picture to the other."""
        g, length = self._products, self._length(a, b)
        if self._unlike[a, b] < settings.cut or self._plain[[a, b]].any():
            return False
        if length < settings.apart**2 or self._own(a, b) < settings.apart / 2:
            return False
        between = np.arange(a + 1, b)
        share = self._share(a, b, between)
        bend = np.abs(share - (between - a) / (b - a)).max()
        before, after = np.arange(max(a - 3, 0), a), np.arange(b, len(self._plain))[:4]
        moved = [*np.abs(self._share(a, b, before)), *np.abs(self._share(a, b, after) - 1)]
        if bend > min(settings.bend, 0.75 / (b - a) + 0.03) or max(moved) > settings.steady:
            return False
        from_a = g[between, between] + g[a, a] - 2 * g[between, a]
        residue = np.sqrt(np.maximum(from_a / length - share**2, 0))
        return bool(residue.mean() < settings.residue) and self._alike_when_moved(a, b) < _MOVED

    def trimmed(self, a: int, b: int) -> tuple[int, int]:
        """The same mixture without frames at its ends that hold nothing of the other picture."""
        share = self._share(a, b, np.arange(a, b + 1))
        least = 0.5 / (b - a)
        mixed = np.flatnonzero((share > least) & (share < 1 - least))
        return a + int(mixed[0]) - 1, a + int(mixed[-1]) + 1

    def _alike_when_moved(self, a: int, b: int) -> float:
        """How alike two frames are where one may be shifted: a small motion is even, too."""
        one, other = (self._structure[t].reshape(SIDE, SIDE) for t in (a, b))
        inner = np.ascontiguousarray(other[_SHIFT:-_SHIFT, _SHIFT:-_SHIFT])
        return float(cv2.matchTemplate(one, inner, cv2.TM_CCOEFF_NORMED).max())

    def _own(self, a: int, b: int) -> float:
        """What one picture has that is not the other made darker, root mean square."""
        g = self._products
        both = g[a, b] ** 2
        rest = min(g[a, a] - both / max(g[b, b], 1e-9), g[b, b] - both / max(g[a, a], 1e-9))
        return float(np.sqrt(max(rest, 0.0)))

    def _length(self, a: int, b: int) -> float:
        g = self._products
        return max(float(g[a, a] + g[b, b] - 2 * g[a, b]), 1e-9)

    def _share(self, a: int, b: int, frames: Int) -> Reals:
        """How far each frame is on the way from `a` (0) to `b` (1)."""
        g = self._products
        along = g[frames, b] - g[frames, a] - g[a, b] + g[a, a]
        return np.asarray(along / self._length(a, b))
