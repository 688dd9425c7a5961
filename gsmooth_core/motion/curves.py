"""Curves over frames: another rate, less noise, and a calm beginning and end.

The value of a frame belongs to its middle, (frame + .5) / fps seconds from the start.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from scipy.interpolate import make_interp_spline
from scipy.ndimage import gaussian_filter1d

from gsmooth_core.types import Float

FPS = Fraction(25)
"""Rate at which movements are kept and stitched."""
NOISE = 0.032  # seconds, sigma: above 4 Hz there is hardly anything but a tracker's noise
SETTLE = 0.8  # seconds in which a movement leaves its rest, and comes back to it


def times(count: int, fps: Fraction) -> Float:
    """(count,) seconds of the middles of frames."""
    return np.asarray((np.arange(count) + 0.5) / float(fps), np.float64)


def count_for(count: int, fps: Fraction, other: Fraction = FPS) -> int:
    """Frames of the rate `other` that last at least as long as `count` frames of the rate `fps`."""
    return max(1, math.ceil(count * other / fps))


def resampled(values: Float, fps: Fraction, count: int, other: Fraction) -> Float:
    """Curves at another rate.

    Args:
        values: (N, ...) at the rate `fps`.
        fps: their rate.
        count: T, frames to make.
        other: their rate.

    Returns:
        (T, ...) by a cubic spline through the values; what lies before the first or behind the
        last is as they are.
    """
    if fps == other and count <= len(values):
        return np.asarray(values[:count], np.float32)
    known = times(len(values), fps)
    wanted = np.clip(times(count, other), known[0], known[-1])
    degree = min(3, len(values) - 1)
    spline = make_interp_spline(known, np.asarray(values, np.float64), k=degree, axis=0)
    return np.asarray(spline(wanted), np.float32)


def smoothed(values: Float, fps: Fraction, seconds: float = NOISE) -> Float:
    """Curves (T, ...) behind a Gaussian low-pass whose sigma is `seconds`, without delay."""
    sigma = seconds * float(fps)
    return np.asarray(gaussian_filter1d(values, sigma, axis=0, mode="nearest"), np.float32)


def at_rest(values: Float, fps: Fraction) -> Float:
    """Curves (T, C) that begin and end at 0, without a jump, and are as before between.

    What a curve is away from 0 at either end fades within `SETTLE` seconds.
    """
    length = SETTLE * float(fps)
    away = np.arange(len(values)) / length
    begin, end = _fading(away)[:, None] * values[:1], _fading(away)[::-1, None] * values[-1:]
    if len(values) == 1:
        return np.zeros_like(values)
    if len(values) < 2 * length:  # both ends reach the middle: a straight line goes between them
        share = np.linspace(0, 1, len(values))[:, None]
        begin, end = (1 - share) * values[:1], share * values[-1:]
    return np.asarray(values - begin - end, np.float32)


def _fading(share: Float) -> Float:
    """1 at 0 and 0 from 1 on, level at both."""
    x = np.clip(share, 0, 1)
    return np.asarray(0.5 + 0.5 * np.cos(np.pi * x))
