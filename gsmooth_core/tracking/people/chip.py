"""The upright picture of a face from which `recognise` tells who it is."""

from __future__ import annotations

import numpy as np

from gsmooth_core.tracking.following.landmarks import cut
from gsmooth_core.types import Float, Image

SIDE = 150

# Where outer and inner corner of the eyes and the foot of the nose lie in the picture that the
# network was trained on, as parts of the square within its margin of a quarter.
_PLACES = np.array([
    [0.8595674595992, 0.2134981538014], [0.6460604764104, 0.2289674387677],
    [0.1205750620789, 0.2137274526848], [0.3340850613712, 0.2290642403242],
    [0.4901123135679, 0.6277975316475],
])  # fmt: skip
_MARGIN = 0.25
_POINTS = (263, 362, 33, 133, 2)
"""The same places among the 478 landmarks."""


def face_chip(frame: Image, points: Float) -> Image:
    """The upright picture of a face that the network knows.

    Args:
        frame: (H, W, 3) RGB.
        points: (478, 2 or 3) pixels.

    Returns:
        (150, 150, 3) RGB; black outside the frame.
    """
    return cut(frame, chip_matrix(points[_POINTS, :2]), SIDE)


def chip_matrix(five: Float) -> Float:
    """(2, 3) map from the chip to the frame, a turn and a scale, for five points (5, 2) of it."""
    wanted = (_PLACES + _MARGIN) / (1 + 2 * _MARGIN) * SIDE
    x, y = (wanted - wanted.mean(0)).T
    shown = np.asarray(five, np.float64)
    u, v = (shown - shown.mean(0)).T
    total = (x**2 + y**2).sum()
    cos, sin = (x * u + y * v).sum() / total, (x * v - y * u).sum() / total
    linear = np.array([[cos, -sin], [sin, cos]])
    offset = shown.mean(0) - linear @ wanted.mean(0)
    return np.asarray(np.concatenate([linear, offset[:, None]], 1), np.float32)
