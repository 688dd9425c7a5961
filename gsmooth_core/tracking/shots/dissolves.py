"""Dissolves: frames that are a mixture of the picture before them and the one behind them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.ranges import ranges_of
from gsmooth_core.tracking.blocks import blocks
from gsmooth_core.tracking.shots.ends import is_even, widened
from gsmooth_core.tracking.shots.pictures import SIDE, Pictures, ShotSettings
from gsmooth_core.types import Bool, Int

Reals = NDArray[Any]

_SHIFT = 4  # pixels of a thumbnail that a motion is looked for
_MOVED = 0.6  # at least so alike is the same picture, moved
_TURNS = -0.3, -0.15, 0.0, 0.15, 0.3  # radians by which a picture may be turned, too
_SCALES = 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.4  # and enlarged
_BORDER = 6  # pixels that a turned picture lacks at its edges
_TURNED = 0.73  # at least so alike is it then; more ways fit better by chance
_LONGEST_STEP = 2.0  # even steps
_BESIDE = 3  # frames before and behind a mixture that must hold still
_PART = 512  # frames of a stretch whose products are worked out at once


def find_dissolves(
    pictures: Pictures, begins: Bool, settings: ShotSettings
) -> Iterator[tuple[int, int]]:
    """(first, last) mixed frame of each dissolve."""
    edges = [0, *(int(t) for t in np.flatnonzero(begins)), len(begins)]
    for start, end in pairwise(edges):
        found: list[tuple[int, int]] = []
        for first, last in _changing(pictures, start, end, settings):
            found += _mixtures(pictures, first, last, settings)
        yield from _to_their_ends(pictures, sorted(found), (start, end), settings)


def _to_their_ends(
    pictures: Pictures,
    found: list[tuple[int, int]],
    part: tuple[int, int],
    settings: ShotSettings,
) -> Iterator[tuple[int, int]]:
    """Dissolves of one cut-free part as long as they are; what is none by its pixels is left."""
    for number, (first, last) in enumerate(found):
        if not is_even(pictures, first - 1, last + 1, settings.bend):
            continue
        before = found[number - 1][1] + 1 if number else part[0]
        behind = found[number + 1][0] - 1 if number + 1 < len(found) else part[1] - 1
        a, b = widened(pictures, first - 1, last + 1, before, behind)
        yield a + 1, b - 1


def is_in_dissolve(pictures: Pictures, t: int, settings: ShotSettings) -> bool:
    """Whether what looks like a cut at frame `t` is only one more step of a dissolve.

    Such a step leaps in structure where the last trace of a wide picture fades from the black
    bars beside a narrow one; in colour it is as small as every other step.
    """
    reach = settings.dissolve[1] + _BESIDE
    first = max(t - reach, 0)
    gram = _Gram(pictures, first, min(t + reach, len(pictures.plain) - 1))
    pairs = gram.even_at(t - first, settings)
    return any(gram.goes_evenly(a, b, settings) and not gram.has_moved(a, b) for a, b in pairs)


def _changing(
    pictures: Pictures, start: int, end: int, settings: ShotSettings
) -> list[tuple[int, int]]:
    """Stretches of one cut-free part in which one picture becomes another."""
    changing = np.zeros(end - start, bool)
    for gap in (g for g in (12, 24, settings.dissolve[1]) if g < end - start):
        for some in blocks(end - start - gap):
            first, last = start + some.start, start + some.stop
            part = pictures.structure[first : last + gap]
            alike = (part[:-gap] * part[gap:]).sum(1)
            for t in some.start + np.flatnonzero(1 - alike > settings.cut):
                changing[t : t + gap + 1] = True
    return [(start + first, start + last) for first, last in ranges_of(changing)]


def _mixtures(
    pictures: Pictures, first: int, last: int, settings: ShotSettings
) -> Iterator[tuple[int, int]]:
    """Dissolves within a changing stretch: the longest even mixture, then what is beside it."""
    found = _longest(pictures, first, last, settings)
    if found is None:
        return
    a, b = found
    yield a + 1, b - 1
    yield from _mixtures(pictures, first, a, settings)
    yield from _mixtures(pictures, b, last, settings)


def _longest(
    pictures: Pictures, first: int, last: int, settings: ShotSettings
) -> tuple[int, int] | None:
    """The frames before and behind the longest mixture of a stretch, the first of such."""
    low, high = settings.dissolve
    best: tuple[_Gram, int, int] | None = None
    length = low
    for begin in range(first, last, _PART) if last - first >= low + 1 else ():
        end = min(begin + _PART, last)
        start = max(begin - _BESIDE, first)
        gram = _Gram(pictures, start, min(end + high + _BESIDE, last))
        for a in range(begin - start, end - start):
            for b in range(min(a + high + 1, last - start), a + length, -1):
                if gram.goes_evenly(a, b, settings):
                    if not gram.has_moved(a, b):  # then what lies between has moved, too
                        best, length = (gram, a, b), b - a
                    break
    if best is None:
        return None
    gram, *ends = best
    a, b = gram.trimmed(*ends)
    return gram.first + a, gram.first + b


class _Gram:
    """Products of all pairs of frames from `first` to `last`, from which mixtures can be read."""

    def __init__(self, pictures: Pictures, first: int, last: int) -> None:
        part = slice(first, last + 1)
        self.first = first
        colour = pictures.colour(part).astype(np.float64)
        self._products = colour @ colour.T / colour.shape[1]
        self._structure = pictures.structure[part]
        self._unlike = 1 - self._structure @ self._structure.T
        self._plain = pictures.plain[part]

    def even_at(self, t: int, settings: ShotSettings) -> Iterator[tuple[int, int]]:
        """Pairs (a, b) around frame `t` between which the step to it is no longer than others."""
        low, high = settings.dissolve
        step = self._products[t] - self._products[t - 1]
        for a in range(t - 1, max(t - high - 2, -1), -1):
            for b in range(max(t, a + low + 1), min(a + high + 2, len(step))):
                if step[b] - step[a] < _LONGEST_STEP * self._length(a, b) / (b - a):
                    yield a, b

    def goes_evenly(self, a: int, b: int, settings: ShotSettings) -> bool:
        """Whether the frames between `a` and `b` go evenly from the one picture to the other."""
        g, length = self._products, self._length(a, b)
        if self._unlike[a, b] < settings.cut or self._plain[[a, b]].any():
            return False
        if length < settings.apart**2 or self._own(a, b) < settings.apart / 2:
            return False
        between = np.arange(a + 1, b)
        share = self._share(a, b, between)
        bend = np.abs(share - (between - a) / (b - a)).max()
        before = np.arange(max(a - _BESIDE, 0), a)
        after = np.arange(b, len(self._plain))[: _BESIDE + 1]
        moved = [*np.abs(self._share(a, b, before)), *np.abs(self._share(a, b, after) - 1)]
        if bend > min(settings.bend, 0.75 / (b - a) + 0.03) or max(moved) > settings.steady:
            return False
        from_a = g[between, between] + g[a, a] - 2 * g[between, a]
        residue = np.sqrt(np.maximum(from_a / length - share**2, 0))
        return bool(residue.mean() < settings.residue)

    def trimmed(self, a: int, b: int) -> tuple[int, int]:
        """The same mixture without frames at its ends that hold nothing of the other picture."""
        share = self._share(a, b, np.arange(a, b + 1))
        least = 0.5 / (b - a)
        mixed = np.flatnonzero((share > least) & (share < 1 - least))
        return a + int(mixed[0]) - 1, a + int(mixed[-1]) + 1

    def has_moved(self, a: int, b: int) -> bool:
        """Whether two frames show one picture, shifted, turned or enlarged: that is even, too."""
        one, other = (self._structure[t].reshape(SIDE, SIDE) for t in (a, b))
        if _alike(one, other, _SHIFT) >= _MOVED:
            return True
        return any(
            _alike(there, moved, _BORDER) >= _TURNED
            for there, here in ((one, other), (other, one))
            for moved in _turned(here)
        )

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


def _alike(one: Reals, other: Reals, border: int) -> float:
    """How alike two pictures are where the inner part of the other is shifted by `border`."""
    inner = np.ascontiguousarray(other[border:-border, border:-border])
    return float(cv2.matchTemplate(one, inner, cv2.TM_CCOEFF_NORMED).max())


def _turned(picture: Reals) -> Iterator[Reals]:
    """A picture turned and enlarged around its middle, in all ways that are tried."""
    middle = (SIDE - 1) / 2, (SIDE - 1) / 2
    for turn in np.degrees(_TURNS).tolist():
        for scale in _SCALES:
            matrix = cv2.getRotationMatrix2D(middle, turn, scale)
            yield np.asarray(cv2.warpAffine(picture, matrix, (SIDE, SIDE)))
