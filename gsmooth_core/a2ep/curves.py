"""Calmer curves."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from scipy.ndimage import gaussian_filter1d

from gsmooth_core.types import Float

FULL_SMOOTHING = 0.12  # seconds of the Gaussian at smoothing 1


def smooth_curves(values: Float, amount: float, fps: Fraction) -> Float:
    """Smooth curves over time.

    Args:
        values: (T, E) curves.
        amount: 0 leaves them as they are, 1 is as calm as it gets.
        fps: their rate.

    Returns:
        (T, E).
    """
    sigma = amount * FULL_SMOOTHING * float(fps)
    if sigma <= 0:
        return values
    return np.asarray(gaussian_filter1d(values, sigma, axis=0, mode="nearest"), np.float32)
