"""Curves between rates, and calmer curves."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from scipy.interpolate import CubicHermiteSpline
from scipy.ndimage import gaussian_filter1d

from gsmooth_core.a2ep.features import FPS
from gsmooth_core.types import Float

FULL_SMOOTHING = 0.12  # seconds of the Gaussian at smoothing 1
CHUNK = 4000  # frames that are read at a time


def resample_curves(values: Float, frame_count: int, fps: Fraction) -> Float:
    """Read curves of 25 fps at the frame centres of a video.

    Cubic with the slopes of neighbouring frames, so that a mouth that opens and shuts within
    three frames does not lose its peak; beyond the ends the end values hold.

    Args:
        values: (N, E) at 25 fps.
        frame_count: T.
        fps: of the video.

    Returns:
        (T, E).
    """
    if len(values) == 1:
        return np.repeat(values, frame_count, axis=0)
    times = (np.arange(frame_count) + 0.5) / float(fps) * FPS - 0.5
    at = np.clip(times, 0, len(values) - 1)
    read = np.empty((frame_count, values.shape[1]), np.float32)
    for start in range(0, frame_count, CHUNK):  # a spline takes many times its curve's memory
        read[start : start + CHUNK] = _read_spline(values, at[start : start + CHUNK])
    return read


def _read_spline(values: Float, at: Float) -> Float:
    """(N, E) at the ascending positions (T,), from those of the N that have a part in it."""
    first = max(int(at[0]) - 2, 0)
    near = values[first : int(at[-1]) + 4]
    spline = CubicHermiteSpline(np.arange(len(near)), near, np.gradient(near, axis=0))
    return np.asarray(spline(at - first), np.float32)


def smooth_curves(values: Float, amount: float, fps: Fraction) -> Float:
    """Calm (T, E) curves; `amount` 0 leaves them, 1 is as calm as it gets."""
    sigma = amount * FULL_SMOOTHING * float(fps)
    if sigma <= 0:
        return values
    return np.asarray(gaussian_filter1d(values, sigma, axis=0, mode="nearest"), np.float32)
