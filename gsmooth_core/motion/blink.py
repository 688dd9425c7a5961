"""When eyes blink, and how: fast shut, slowly open, most of all where a phrase ends."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from gsmooth_core.motion.curves import times
from gsmooth_core.motion.head import HeadMotion
from gsmooth_core.types import Float

RATE = 24.0
"""Blinks a minute; people who speak have 14 to 45."""

SHAPE = (0.0, 0.09, 0.77, 1.0, 0.82, 0.39, 0.23, 0.15, 0.0)
"""A blink at 25 frames a second, measured."""
CLOSED = 3
"""Frame of `SHAPE` in which the lids are shut."""

_SHAPE_FPS = 25.0
_SPREAD = 0.6  # of the logarithm of the time between two blinks
_SHORTEST = 0.4  # seconds between two blinks at least
_BEFORE, _AFTER = 0.4, 0.3  # seconds at the beginning and the end in which nobody blinks
_REACH = 0.8  # seconds from which a blink is drawn to the end of a phrase
_DRAWN = 0.7  # share of the blinks there that are
_LATE = 0.1  # seconds from the end of a phrase to the lids being shut


def blink_times(
    seconds: float, seed: int, rate: float = RATE, phrase_ends: tuple[float, ...] = ()
) -> tuple[float, ...]:
    """Seconds at which the lids are shut.

    Args:
        seconds: that there are.
        seed: another seed blinks at other times.
        rate: blinks a minute on the average; 0 for none.
        phrase_ends: seconds where phrases end, which draw the blinks that are near.
    """
    if rate <= 0:
        return ()
    random = np.random.default_rng([seed, 1])
    last, found = seconds - _AFTER, []
    typical = np.log(max(60 / rate - _SHORTEST, 1e-3)) - _SPREAD**2 / 2  # of the whole mean
    at = _BEFORE + random.random() * (_SHORTEST + random.lognormal(typical, _SPREAD))
    while at < last:
        found.append(_drawn(at, phrase_ends, random.random()))
        at += _SHORTEST + random.lognormal(typical, _SPREAD)
    return _apart([at for at in found if _BEFORE <= at < last])


def _drawn(at: float, ends: tuple[float, ...], chance: float) -> float:
    """The end of a phrase in the place of a time near it, mostly."""
    if not ends or chance > _DRAWN:
        return at
    end = min(ends, key=lambda one: abs(one + _LATE - at)) + _LATE
    return end if abs(end - at) < _REACH else at


def _apart(found: list[float]) -> tuple[float, ...]:
    """Times in order, without those that follow another too soon."""
    kept: list[float] = []
    for at in sorted(found):
        if not kept or at - kept[-1] >= _SHORTEST:
            kept.append(at)
    return tuple(kept)


def blinks(
    count: int,
    fps: Fraction,
    seed: int = 0,
    rate: float = RATE,
    phrase_ends: tuple[float, ...] = (),
) -> Float:
    """How far the lids are closed.

    Args:
        count: T, frames.
        fps: their rate; each blink is shut in one of them.
        seed: see `blink_times`, as for the others.
        rate: blinks a minute; 0 for none.
        phrase_ends: seconds where phrases end.

    Returns:
        (T,) 0 open .. 1 closed.
    """
    closed, middles = np.zeros(count, np.float32), times(count, fps)
    for at in blink_times(count / float(fps), seed, rate, phrase_ends):
        shut = middles[np.argmin(np.abs(middles - at))]
        place = (middles - shut) * _SHAPE_FPS + CLOSED
        shape = np.interp(place, np.arange(len(SHAPE)), SHAPE, left=0, right=0)
        closed = np.maximum(closed, shape.astype(np.float32))
    return closed


def still(count: int, fps: Fraction, blink: Float | None = None) -> HeadMotion:
    """A head that rests, and blinks.

    Args:
        count: T, frames.
        fps: their rate.
        blink: (T,) of `blinks`; None for blinks of seed 0.
    """
    rest = np.zeros((count, 3), np.float32)
    return HeadMotion(rest, rest.copy(), blinks(count, fps) if blink is None else blink, fps)
