"""Wipes and pushes: frames that are one picture in one part and the next picture in the rest.

An edge goes across (a line, a circle, a page that is turned), and what it has passed shows the
picture behind. Or the pictures themselves slide: one pushes the other away, covers or uncovers it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.tracking.shots.pictures import SIDE, Pictures, ShotSettings

Reals = NDArray[Any]

_HALF = SIDE // 2  # side of the pictures that are compared
_GAPS = 6, 12, 24  # frames from the middle to pure pictures
_STEP = 2  # every second frame may be a middle: no transition is that quick
_DIFFERENT = 0.12  # of full scale, by which two pictures must differ in a pixel
_LARGE = 0.4  # share of the pixels that do
_NEITHER = 0.3  # of their difference: what is farther from both is neither
_REST = 0.12  # share of pixels that are neither
_SLIDES = (True, True), (False, True), (True, False)  # a picture pushes, covers, uncovers another
_SLID = 0.45  # difference to slid pictures, parts of that of the two: they lie between pixels, too
_PLAIN = 0.4  # of their difference: what changes less where it slides tells nothing of it
_AMID = 0.25  # of the one picture, and of the other, in the middle
_BACK = 0.1  # by which it may go back, where what is shown moves
_BENT = 0.25  # how far it may be from even
_SURE, _TRACE = 0.1, 0.02  # of the other picture: where ends are looked for, and what is none
_EASED = 0.35  # of the length between sure ends: how much longer a slow start and end make it
_STILL, _STEADY = 2, 0.15  # frames beside it, and how much these change, parts of the difference
_END = 0.05  # of their difference: what is that near to one of two pictures is no mixture
_SHARED = 0.3  # difference of what two pictures share, parts of theirs: a pan from one to the other
_LEAST = 3  # columns that they must share
_SEAM = 0.4  # difference across the seam of two pictures, parts of theirs: a pan has none
_SAME = 0.04  # of full scale, by which what stays behind somebody who steps in changes at most
_STAYS = 0.2  # share of the picture that does
_BAND = 0.9  # share of a line that is the same: a bar, or a panel that stays through a wipe
_FEWEST = 3  # frames; fewer are a jerk
_BESIDE = 2  # frames around what is seen of a transition: the rim of an iris begins as a speck


@dataclass(frozen=True)
class _Way:
    """How a stretch of frames goes from its first to its last.

    Attributes:
        share: (K,) of the last picture in each frame.
        rest: (K,) what is neither.
        most: of `rest` in a transition.
    """

    share: Reals
    rest: Reals
    most: float

    def goes(self, middle: int) -> bool:
        """Whether the middle may be amid a transition."""
        return bool(_AMID < self.share[middle] < 1 - _AMID and self.rest[middle] < self.most)

    def ends(self, middle: int) -> tuple[int, int] | None:
        """First and last mixed frame around the middle; None where it is no transition."""
        share = self.share
        before = np.flatnonzero(share[:middle] <= _SURE)
        behind = np.flatnonzero(share[middle:] >= 1 - _SURE)
        if not len(before) or not len(behind):
            return None
        a, b = int(before[-1]), middle + int(behind[0])
        part, even = share[a : b + 1], np.linspace(0, 1, b - a + 1)
        goes_back = (np.maximum.accumulate(part) - part).max()
        if goes_back > _BACK or np.abs(part - even).max() > _BENT or b - a <= _FEWEST:
            return None
        if self.rest[a : b + 1].mean() > self.most:
            return None
        reach = round(_EASED * (b - a))
        first = next((n for n in range(a, a - reach, -1) if n < 0 or share[n] <= _TRACE), a - reach)
        beyond = range(b, b + reach)
        last = next((n for n in beyond if n >= len(share) or share[n] >= 1 - _TRACE), b + reach)
        return max(first + 1 - _BESIDE, 0), min(last - 1 + _BESIDE, len(share) - 1)


def find_wipes(pictures: Pictures, settings: ShotSettings) -> list[tuple[int, int]]:
    """(first, last) frame of each wipe and push, in order."""
    found: list[tuple[float, int, int]] = []
    for t, gap in _middles(pictures, settings):
        start = max(t - gap - _STILL, 0)
        part = pictures.colour(slice(start, t + gap + _STILL + 1))
        part = part.reshape(-1, _HALF, _HALF, 3)  # (K, 768) -> (K, 16, 16, 3)
        a, b = t - gap - start, t + gap - start
        if _is_end(part[t - start], part[a], part[b]) or not _hold_still(part[: a + 1], part[b:]):
            continue
        part = part[a : b + 1]
        for way in _ways(part, gap):
            ends = way.ends(gap)
            if ends:
                found.append((float(way.rest[gap]), t - gap + ends[0], t - gap + ends[1]))
    kept: list[tuple[int, int]] = []
    for _, first, last in sorted(found, key=lambda each: (each[1] - each[2], each[0])):
        if not overlaps((first, last), kept):
            kept.append((first, last))
    return sorted(kept)


def overlaps(one: tuple[int, int], others: list[tuple[int, int]]) -> bool:
    """Whether some frames (first, last) are among those of others."""
    return any(one[0] <= last and first <= one[1] for first, last in others)


def _middles(pictures: Pictures, settings: ShotSettings) -> Iterator[tuple[int, int]]:
    """Frames around which one picture becomes another, and how many frames away both are seen."""
    count = len(pictures.plain)
    for gap in _GAPS:
        for t in range(gap, count - gap, _STEP):
            pair = pictures.structure[t - gap : t + gap + 1]
            pure = not pictures.plain[[t - gap, t + gap]].any()
            if pure and 1 - float(pair[0] @ pair[-1]) > settings.beyond:  # a lamp that goes across
                yield t, gap


def _is_end(middle: Reals, one: Reals, other: Reals) -> bool:
    """Whether a picture is one of two others: a cut lies beside it, and no transition around it."""
    most = _END * np.abs(other - one).mean()
    return any(np.abs(middle - end).mean() < most for end in (one, other))


def _hold_still(before: Reals, behind: Reals) -> bool:
    """Whether pictures hold still up to the first of a way and from its last: pans go on."""
    most = _STEADY * np.abs(behind[0] - before[-1]).mean()
    return all(np.abs(some - some[:1]).mean((1, 2, 3)).max() < most for some in (before, behind))


def _ways(part: Reals, middle: int) -> Iterator[_Way]:
    """How frames (K, H, H, 3) may have gone from the first to the last."""
    apart = np.abs(part[-1] - part[0]).max(-1)
    differ = apart > _DIFFERENT
    textures = [
        min(_texture(np.rot90(part[k], turns)) for k in (0, -1)) > _PLAIN * apart.mean()
        for turns in range(2)
    ]
    if differ.mean() < _LARGE or not any(textures) or _stays(apart < _SAME) > _STAYS:
        return  # who walks out before a wall leaves a picture of which nobody knows what it does
    way = _wiped(part[middle : middle + 1], part, apart, differ)
    if way.goes(0):
        yield _wiped(part, part, apart, differ)
    for turns in range(4):
        turned = np.rot90(part, turns, (1, 2))
        if not textures[turns % 2] or _panned(turned[0], turned[-1]):
            continue
        for slides in _SLIDES:
            if _slid(turned[middle : middle + 1], turned, slides).goes(0):
                yield _slid(turned, turned, slides)


def _texture(picture: Reals) -> float:
    """How much a picture (H, H, 3) changes where it slides to the left."""
    return float(np.abs(picture[:, _HALF // 4 :] - picture[:, : -_HALF // 4]).max(-1).mean())


def _stays(same: Any) -> float:
    """Share of a picture (H, H) that is the same behind somebody who has stepped before it."""
    bands = (same.mean(1) > _BAND)[:, None] | (same.mean(0) > _BAND)[None]
    return float((same & ~bands).mean())


def _panned(one: Reals, other: Reals) -> bool:
    """Whether the right of a picture (H, H, 3) is the left of another one, or ends where it begins.

    Where a picture pushes another one they meet in a line across which nothing goes on.
    """
    apart = np.abs(one - other).mean()
    shared = (one[:, gone:] - other[:, : _HALF - gone] for gone in range(2, _HALF - _LEAST + 1))
    if min(np.abs(x).mean() for x in shared) < _SHARED * apart:
        return True
    return bool(np.abs(one[:, -1] - other[:, 0]).mean() < _SEAM * apart)


def _wiped(frames: Reals, part: Reals, apart: Reals, differ: Any) -> _Way:
    """How much of each of some frames has become the last one of a part, pixel by pixel."""
    one, other = (np.abs(frames - end).max(-1)[:, differ] for end in (part[0], part[-1]))
    neither = np.minimum(one, other) > _NEITHER * apart[differ]
    return _Way((other < one).mean(1), neither.mean(1), _REST)


def _slid(frames: Reals, part: Reals, slides: tuple[bool, bool]) -> _Way:
    """How far some frames have gone left: the first of a part, the last one, or both slide."""
    fits = np.empty((_HALF + 1, len(frames)))
    for gone in range(_HALF + 1):
        stay = _HALF - gone
        one, other = (gone if slides[0] else 0), (0 if slides[1] else stay)
        made = np.concatenate([part[0][:, one : one + stay], part[-1][:, other : other + gone]], 1)
        fits[gone] = np.abs(frames - made).mean((1, 2, 3))
    return _Way(fits.argmin(0) / _HALF, fits.min(0) / np.abs(part[-1] - part[0]).mean(), _SLID)
