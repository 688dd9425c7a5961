"""Curves between rates, and calmer curves."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from scipy.interpolate import CubicHermiteSpline
from scipy.ndimage import gaussian_filter1d

from gsmooth_core.a2ep.features import FPS
from gsmooth_core.data import Float

FULL_SMOOTHING = 0.12  # seconds of the Gaussian at smoothing 1


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
    times = (np.arange(frame_count) + 0.5) / float(fps) * FPS - 0.5
    at = np.clip(times, 0, len(values) - 1)
    if len(values) == 1:
        return np.repeat(values, frame_count, axis=0)
    frames = np.arange(len(values))
    slopes = np.gradient(values, axis=0)
    return CubicHermiteSpline(frames, values, slopes)(at).astype(np.float32)  # type: ignore[no-any-return]


def smooth_curves(values: Float, amount: float, fps: Fraction) -> Float:
    """Calm (T, E) curves; `amount` 0 leaves them, 1 is as calm as it gets."""
    sigma = amount * FULL_SMOOTHING * float(fps)
    if sigma <= 0:
        return values
    return np.asarray(gaussian_filter1d(values, sigma, axis=0, mode="nearest"), np.float32)
